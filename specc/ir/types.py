"""Dtypes and tensor types. A type is written as in the language: ``f32[N, 3, H // 2]``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from math import prod

from specc.ir.dims import Dim, parse_dim


class DType(Enum):
    """An element type, valued by its name in the language."""

    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"
    I8 = "i8"
    I32 = "i32"
    I64 = "i64"
    U8 = "u8"
    BOOL = "bool"

    @property
    def is_float(self) -> bool:
        """Whether this is a floating-point type."""
        return self in _FLOATS

    @property
    def is_integer(self) -> bool:
        """Whether this is an integer type (bool is not)."""
        return not self.is_float and self is not DType.BOOL

    @property
    def bytes(self) -> int:
        """The size of one element."""
        return _BYTES[self]


_FLOATS = frozenset({DType.F16, DType.BF16, DType.F32, DType.F64})
_BYTES = {
    DType.F16: 2,
    DType.BF16: 2,
    DType.F32: 4,
    DType.F64: 8,
    DType.I8: 1,
    DType.I32: 4,
    DType.I64: 8,
    DType.U8: 1,
    DType.BOOL: 1,
}


@dataclass(frozen=True)
class TensorType:
    """A dtype and a shape of static or symbolic dims."""

    dtype: DType
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        """The number of dims."""
        return len(self.shape)

    @cached_property
    def is_static(self) -> bool:
        """Whether every dim is known."""
        return all(isinstance(dim, int) for dim in self.shape)

    @property
    def elements(self) -> int:
        """The number of elements of a static shape."""
        assert self.is_static, self
        return prod(dim for dim in self.shape if isinstance(dim, int))

    def with_shape(self, shape: tuple[Dim, ...]) -> TensorType:
        """The same dtype in another shape."""
        return TensorType(self.dtype, shape)

    def with_dim(self, axis: int, dim: Dim) -> TensorType:
        """The same type with one dim changed."""
        shape = list(self.shape)
        shape[axis] = dim
        return TensorType(self.dtype, tuple(shape))

    def without_dim(self, axis: int) -> TensorType:
        """The type of one entry along a dim."""
        return self.with_shape((*self.shape[:axis], *self.shape[axis + 1 :]))

    def with_new_dim(self, axis: int, size: Dim) -> TensorType:
        """The type of entries that are stacked along a new dim."""
        return self.with_shape((*self.shape[:axis], size, *self.shape[axis:]))

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same shape in another dtype."""
        return TensorType(dtype, self.shape)

    @property
    def shape_text(self) -> str:
        """``[N, 3, 28]``"""
        return f"[{', '.join(str(dim) for dim in self.shape)}]"

    def __str__(self) -> str:
        return f"{self.dtype.value}{self.shape_text}"


def parse_type(text: str) -> TensorType:
    """The type that ``str(type)`` wrote. Raises ValueError where the text is no type.

    >>> str(parse_type("i64[N, 2*T]"))
    'i64[N, 2*T]'
    """
    name, bracket, rest = text.partition("[")
    if not bracket or not rest.endswith("]"):
        raise ValueError(f"not a tensor type: {text[:80]!r}")
    dtype = DType(name)
    body = rest[:-1].strip()
    return TensorType(dtype, tuple(parse_dim(dim) for dim in body.split(",")) if body else ())
