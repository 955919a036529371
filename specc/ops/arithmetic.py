"""Arithmetic: the operators ``+ - *``, the sign, and casts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from specc.ir.types import DType, TensorType
from specc.ops.arguments import DTYPE, Argument
from specc.ops.binary import (
    infix_operator,
    meeting_dtype,
    operand_type,
    operands,
)
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Method, Prefix, X
from specc.ops.operator import (
    Inference,
    Input,
    Operator,
    Sample,
    Torch,
    reject,
    sample,
)
from specc.ops.tolerances import ELEMENTWISE

# ---- + - * ---------------------------------------------------------------------------------------


def _rule(verb: str, *, takes_bool: bool) -> Callable[..., TensorType]:
    """Same dtype out as in; bools only where PyTorch has a meaning for them."""

    def infer(c: Inference, *types: TensorType) -> TensorType:
        if types[0].dtype is DType.BOOL and not takes_bool:
            c.wrong_dtype(0, "numbers")
        return operand_type(c, verb)

    return infer


def _arithmetic(op_type: str, on_bools: str | None = None) -> Callable[[Builder, Site], Handle]:
    def lower(b: Builder, s: Site) -> Handle:
        dtype = meeting_dtype(s)
        op = on_bools if dtype is DType.BOOL else op_type
        assert op is not None
        return b.op(op, *operands(b, s, dtype))

    return lower


def _samples(*extra: Sample, takes_bool: bool) -> Sequence[Sample]:
    """Both tensors, both literals, broadcasting and every kind of dtype."""
    bools = (
        sample("bool[2, 3]", "bool[3]"),
        sample("bool[3]", right=True),
        sample("bool[3]", right=2),
    )
    return (
        sample("f32[2, 3]", "f32[2, 3]"),
        sample("f32[2, 1, 3]", "f32[4, 1]"),
        sample("f32[]", "f32[3]"),
        sample("f32[2, 3]", right=2.5),
        sample("f32[2, 3]", left=-2),
        sample("i64[4]", right=3),
        sample("i64[4]", left=0.5),
        sample("i32[3]", "i32[2, 3]"),
        sample("i8[4]", "i8[4]"),
        sample("u8[4]", right=7),
        *(bools if takes_bool else ()),
        *extra,
    )


# ---- one operand ---------------------------------------------------------------------------------


def _infer_neg(c: Inference, x: TensorType) -> TensorType:
    if x.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    return x


def _lower_neg(b: Builder, s: Site) -> Handle:
    if s.type.dtype is DType.U8:  # wraps; Neg takes no unsigned integers
        return b.op("Sub", b.constant(0, DType.U8), s.x)
    return b.op("Neg", s.x)


def _lower_cast(b: Builder, s: Site) -> Handle:
    return b.op("Identity", s.x) if s["dtype"] is s.type.dtype else b.cast(s.x, s["dtype"])


OPERATORS = (
    infix_operator(
        "add",
        "+",
        "The sum `x + y`, element by element.",
        "arithmetic",
        _rule("add", takes_bool=True),
        _arithmetic("Add", on_bools="Or"),
        _samples(takes_bool=True),
        details="On bools it is the logical or, as in PyTorch.",
    ),
    infix_operator(
        "sub",
        "-",
        "The difference `x - y`, element by element.",
        "arithmetic",
        _rule("subtract", takes_bool=False),
        _arithmetic("Sub"),
        _samples(sample("f32[3]", left=1), takes_bool=False),
        (
            reject("dtype-mismatch", "bool[3]", "bool[3]"),
            reject("dtype-mismatch", "bool[3]", right=1),
        ),
        details="Bools are refused, as in PyTorch.",
    ),
    infix_operator(
        "mul",
        "*",
        "The product `x * y`, element by element.",
        "arithmetic",
        _rule("multiply", takes_bool=True),
        _arithmetic("Mul", on_bools="And"),
        _samples(takes_bool=True),
        details="On bools it is the logical and, as in PyTorch.",
    ),
    Operator(
        name="neg",
        summary="The negative `-x`.",
        details="Bools are refused; u8 wraps, as in PyTorch.",
        family="arithmetic",
        tolerance=ELEMENTWISE,
        inputs=(Input("x"),),
        infer=_infer_neg,
        torch=Torch(Prefix("-", X)),
        onnx={17: _lower_neg},
        samples=(sample("f32[2, 3]"), sample("i64[4]"), sample("u8[4]"), sample("f32[]")),
        rejects=(reject("dtype-mismatch", "bool[3]"),),
    ),
    Operator(
        name="cast",
        summary="The tensor in another dtype.",
        details=(
            "A float becomes an integer by dropping its fraction, and a bool by asking whether it "
            "is other than 0. What lies outside an integer's range is undefined, as in PyTorch."
        ),
        family="arithmetic",
        tolerance=ELEMENTWISE,
        inputs=(Input("x"),),
        arguments=(Argument("dtype", DTYPE),),
        infer=lambda c, x: x.with_dtype(c["dtype"]),
        torch=Torch(Method(X, "to", (Attr("dtype"),))),
        onnx={17: _lower_cast},
        samples=(
            sample("f32[2, 3]", dtype=DType.F64),
            sample("f32[2, 3]", dtype=DType.I64),
            sample("f32[2, 3]", dtype=DType.F16),
            sample("f32[2, 3]", dtype=DType.BOOL),
            sample("i64[4]", dtype=DType.F32),
            sample("i64[4]", dtype=DType.U8),
            sample("bool[4]", dtype=DType.I32),
            sample("f32[3]", dtype=DType.F32),
        ),
        rejects=(reject("bad-argument", "f32[3]", dtype="float"),),
    ),
)
