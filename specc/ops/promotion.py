"""PyTorch's dtype promotion and broadcasting, for the dtypes and symbolic sizes of this compiler.

Casts are explicit in the IR: the elaborator asks ``promote`` for the dtype of two tensors that meet
and inserts ``cast`` nodes, and a literal takes the dtype that ``literal_dtype`` gives.

>>> result_dtype(DType.I64, DType.F16), literal_dtype(DType.I32, 0.5), literal_dtype(DType.F16, 2)
(<DType.F16: 'f16'>, <DType.F32: 'f32'>, <DType.F16: 'f16'>)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest

from specc.ir.attributes import Hole
from specc.ir.dims import Dim, Expr, equal
from specc.ir.types import DType, TensorType

Literal = bool | int | float | Expr | Hole
"""A number that meets a tensor: a Python number, or a size."""

_FLOATS = (DType.F16, DType.BF16, DType.F32, DType.F64)
_SIGNED = (DType.I8, DType.I32, DType.I64)


def result_dtype(left: DType, right: DType) -> DType:
    """The dtype that two tensors of rank 1 or more are brought to: ``torch.promote_types``.

    One case differs: u8 with i8 gives i32, since PyTorch's i16 is no dtype of the language.
    """
    if left is right:
        return left
    if left.is_float or right.is_float:
        if {left, right} == {DType.F16, DType.BF16}:
            return DType.F32  # neither holds the other's range and precision
        return max((d for d in (left, right) if d.is_float), key=_FLOATS.index)
    if DType.BOOL in (left, right):
        return right if left is DType.BOOL else left
    if DType.U8 in (left, right):
        other = right if left is DType.U8 else left
        return DType.I32 if other is DType.I8 else other
    return max(left, right, key=_SIGNED.index)


def promote(left: TensorType, right: TensorType) -> DType:
    """The dtype that two tensors are brought to: ``torch.result_type``.

    A scalar tensor (rank 0) that meets one with dims gives only its category: bool, integer, float.

    >>> promote(TensorType(DType.F64, ()), TensorType(DType.F32, (3,)))
    <DType.F32: 'f32'>
    """
    if (left.rank == 0) == (right.rank == 0):
        return result_dtype(left.dtype, right.dtype)
    scalar, tensor = (left, right) if left.rank == 0 else (right, left)
    if _category(scalar.dtype) <= _category(tensor.dtype):
        return tensor.dtype
    return scalar.dtype


def promote_all(types: Iterable[TensorType]) -> DType:
    """The dtype that any number of tensors are brought to, as ``torch.cat`` does.

    Tensors with dims are promoted among themselves first, scalars among themselves, then the two.
    """
    types = tuple(types)
    scalars = [t.dtype for t in types if t.rank == 0]
    tensors = [t.dtype for t in types if t.rank > 0]
    if not scalars or not tensors:
        return reduce(result_dtype, scalars or tensors)
    scalar, tensor = reduce(result_dtype, scalars), reduce(result_dtype, tensors)
    return tensor if _category(scalar) <= _category(tensor) else scalar


def literal_dtype(dtype: DType, literal: Literal) -> DType:
    """The dtype in which a tensor of ``dtype`` meets a number.

    A number never widens the tensor within its category: f16 with 2.5 is f16, i8 with 2 is i8. An
    int makes a bool tensor i64; a float makes an integer or bool tensor f32, PyTorch's default.
    """
    if isinstance(literal, bool) or dtype.is_float:
        return dtype
    if isinstance(literal, float):
        return DType.F32
    return DType.I64 if dtype is DType.BOOL else dtype


def _category(dtype: DType) -> int:
    return 2 if dtype.is_float else 0 if dtype is DType.BOOL else 1


INTEGER_RANGES = {
    DType.I8: (-(2**7), 2**7 - 1),
    DType.U8: (0, 2**8 - 1),
    DType.I32: (-(2**31), 2**31 - 1),
    DType.I64: (-(2**63), 2**63 - 1),
}
"""The least and the greatest value of each integer dtype."""


# ---- shapes --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BroadcastMismatch:
    """Two dims that do not broadcast: ``axis`` counts from the end (-1 is the last)."""

    axis: int
    left: Dim
    right: Dim

    @property
    def is_certain(self) -> bool:
        """Whether the sizes differ at every assignment of the symbols, rather than at some."""
        return equal(self.left, self.right) is False

    def position(self, left_rank: int, right_rank: int) -> str:
        """Where it is: "the last dim", "dim 1 of 3", or "dim -2" where the ranks differ."""
        if self.axis == -1:
            return "the last dim"
        if left_rank == right_rank:
            return f"dim {left_rank + self.axis} of {left_rank}"
        return f"dim {self.axis}"


def broadcast(left: tuple[Dim, ...], right: tuple[Dim, ...]) -> tuple[Dim, ...] | BroadcastMismatch:
    """The shape that two shapes broadcast to, or the last dim in which they do not.

    Aligned from the end; a missing dim counts as 1. A symbolic size broadcasts only with a size
    that is equal to it for certain and with the literal 1: N and 5 may agree at run time, but
    whether one of them is stretched must not depend on a size, so they do not broadcast.
    """
    result: list[Dim] = []
    pairs = zip_longest(reversed(left), reversed(right), fillvalue=1)
    for axis, (a, b) in enumerate(pairs, start=1):
        if b == 1 or equal(a, b) is True:
            result.append(a)
        elif a == 1:
            result.append(b)
        else:
            return BroadcastMismatch(-axis, a, b)
    return tuple(reversed(result))
