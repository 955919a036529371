"""Reductions that compare: the greatest, the least, where they are, whether all or any are true."""

from __future__ import annotations

from collections.abc import Callable

from specc.ir.types import DType, TensorType
from specc.ops.axes import int64
from specc.ops.builder import Builder, Handle, Site
from specc.ops.operator import Inference, reject
from specc.ops.reducing import ONE_DIM, reduce_over, reduced, reduced_axes, reduction
from specc.ops.tolerances import EXACT


def _same(c: Inference, x: TensorType) -> TensorType:
    return reduced(c, x, x.dtype)


def _bools(c: Inference, x: TensorType) -> TensorType:
    if x.dtype is not DType.BOOL:
        c.wrong_dtype(0, "bools")
    return reduced(c, x, x.dtype)


def _places(c: Inference, x: TensorType) -> TensorType:
    if x.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    return reduced(c, x, DType.I64)


def extremum(
    b: Builder, op_type: str, x: Handle, dtype: DType, axes: list[int] | None, keepdim: bool
) -> Handle:
    """ReduceMax or ReduceMin as PyTorch has them.

    ONNX leaves NaN open, and onnxruntime drops it in most places, so it is put back.
    """
    if dtype is DType.BOOL:  # which the reductions take since opset 20 only
        numbers = b.cast(x, DType.I32)
        return b.cast(reduce_over(b, op_type, numbers, axes, keepdim), DType.BOOL)
    found = reduce_over(b, op_type, x, axes, keepdim)
    if not dtype.is_float:
        return found
    nan = b.constant(float("nan"), dtype)
    return b.op("Where", _any_nan(b, x, axes, keepdim), nan, found)


def _lower_extremum(op_type: str) -> Callable[[Builder, Site], Handle]:
    def lower(b: Builder, s: Site) -> Handle:
        return extremum(b, op_type, s.x, s.type.dtype, reduced_axes(s), s["keepdim"])

    return lower


def _any_nan(b: Builder, x: Handle, axes: list[int] | None, keepdim: bool) -> Handle:
    flags = b.cast(b.op("IsNaN", x), DType.I32)
    return b.cast(reduce_over(b, "ReduceMax", flags, axes, keepdim), DType.BOOL)


def _lower_place(op_type: str) -> Callable[[Builder, Site], Handle]:
    """The first NaN where there is one, as in PyTorch; onnxruntime passes over it."""

    def lower(b: Builder, s: Site) -> Handle:
        if s["dim"] is not None:
            return _place(b, op_type, s.x, s["dim"] % s.type.rank, s["keepdim"], s.type.dtype)
        flat = b.op("Reshape", s.x, int64(b, [-1]))
        place = _place(b, op_type, flat, 0, False, s.type.dtype)
        return b.op("Reshape", place, int64(b, [1] * s.type.rank)) if s["keepdim"] else place

    return lower


def _place(b: Builder, op_type: str, x: Handle, axis: int, keepdim: bool, dtype: DType) -> Handle:
    place = b.op(op_type, x, axis=axis, keepdims=int(keepdim))
    if not dtype.is_float:
        return place
    flags = b.cast(b.op("IsNaN", x), DType.I32)
    first_nan = b.op("ArgMax", flags, axis=axis, keepdims=int(keepdim))
    return b.op("Where", _any_nan(b, x, [axis], keepdim), first_nan, place)


_NO_BOOLS = (reject("dtype-mismatch", "bool[3]"),)
_NO_NUMBERS = (reject("dtype-mismatch", "f32[3]"),)
_DTYPES = ("f32", "i64", "i32", "u8")

OPERATORS = (
    reduction(
        "max",
        "The greatest element; NaN where there is one.",
        _same,
        _lower_extremum("ReduceMax"),
        function="torch.amax",
        dtypes=(*_DTYPES, "bool"),
        tolerance=EXACT,
        details="torch.amax: several greatest elements share the gradient.",
    ),
    reduction(
        "min",
        "The least element; NaN where there is one.",
        _same,
        _lower_extremum("ReduceMin"),
        function="torch.amin",
        dtypes=(*_DTYPES, "bool"),
        tolerance=EXACT,
        details="torch.amin: several least elements share the gradient.",
    ),
    reduction(
        "argmax",
        "Where the greatest element is: its index along `dim`, or in the flattened tensor.",
        _places,
        _lower_place("ArgMax"),
        dim=ONE_DIM,
        dtypes=_DTYPES,
        rejects=_NO_BOOLS,
        details="The first of several; NaN counts as the greatest.",
    ),
    reduction(
        "argmin",
        "Where the least element is: its index along `dim`, or in the flattened tensor.",
        _places,
        _lower_place("ArgMin"),
        dim=ONE_DIM,
        dtypes=_DTYPES,
        rejects=_NO_BOOLS,
        details="The first of several; NaN counts as the least.",
    ),
    reduction(
        "all",
        "Whether all are true.",
        _bools,
        _lower_extremum("ReduceMin"),
        dtypes=("bool",),
        rejects=_NO_NUMBERS,
    ),
    reduction(
        "any",
        "Whether any is true.",
        _bools,
        _lower_extremum("ReduceMax"),
        dtypes=("bool",),
        rejects=_NO_NUMBERS,
    ),
)
