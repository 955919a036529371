"""Comparisons, and logic on bools."""

from __future__ import annotations

from collections.abc import Callable

from specc.ir.types import DType, TensorType
from specc.ops.binary import (
    broadcast_shapes,
    infix_operator,
    meeting_dtype,
    operand_type,
    operands,
)
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Infix, Prefix, X, Y, call
from specc.ops.operator import (
    Drawn,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.tolerances import EXACT

_XY = (Input("x"), Input("y"))


# ---- == != < <= > >= -----------------------------------------------------------------------------


def _infer_comparison(c: Inference, *types: TensorType) -> TensorType:
    return operand_type(c, "compare").with_dtype(DType.BOOL)


def _comparison(op_type: str, *, negated: bool = False) -> Callable[[Builder, Site], Handle]:
    """Compares in the dtype in which the operands meet. ONNX orders no bools: they become i32."""

    def lower(b: Builder, s: Site) -> Handle:
        dtype = meeting_dtype(s)
        if dtype is DType.BOOL and op_type != "Equal":
            x, y = (b.cast(value, DType.I32) for value in operands(b, s, dtype))
        else:
            x, y = operands(b, s, dtype)
        result = b.op(op_type, x, y)
        return b.op("Not", result) if negated else result

    return lower


def _digits(type_: str) -> Drawn:
    return Drawn(type_, low=0, high=3)  # few values, so that some are equal


def _compare(
    name: str, symbol: str, summary: str, lower: Callable[[Builder, Site], Handle]
) -> Operator:
    return infix_operator(
        name,
        symbol,
        summary,
        "comparison",
        _infer_comparison,
        lower,
        (
            sample("f32[2, 3]", "f32[3]"),
            sample("f32[2, 3]", right=0),
            sample(_digits("i64[6]"), left=1),
            sample(_digits("i64[6]"), _digits("i64[6]")),
            sample(_digits("i32[6]"), right=1.5),
            sample(_digits("u8[6]"), right=2),
            sample("bool[6]", "bool[6]"),
            sample("bool[6]", right=True),
            sample("bool[6]", right=1),
        ),
        details="The result is bool. NaN is unequal to everything, itself included.",
    )


# ---- and, or, not --------------------------------------------------------------------------------


def _require_bools(c: Inference) -> None:
    for operand, type_ in enumerate(c.types):
        if type_.dtype is not DType.BOOL:
            c.wrong_dtype(operand, "bools")


def _infer_logical(c: Inference, x: TensorType, y: TensorType) -> TensorType:
    _require_bools(c)
    return TensorType(DType.BOOL, broadcast_shapes(c, 0, 1))


def _infer_not(c: Inference, x: TensorType) -> TensorType:
    _require_bools(c)
    return x


def _logical(name: str, symbol: str, op_type: str, summary: str) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        family="comparison",
        tolerance=EXACT,
        inputs=_XY,
        infer=_infer_logical,
        torch=Torch(Infix(symbol, X, Y)),
        onnx={17: lambda b, s: b.op(op_type, *s.inputs)},
        samples=(sample("bool[2, 3]", "bool[2, 3]"), sample("bool[2, 1]", "bool[3]")),
        rejects=(
            reject("dtype-mismatch", "f32[3]", "bool[3]"),
            reject("dtype-mismatch", "bool[3]", "i64[3]"),
            reject("shape-mismatch", "bool[2]", "bool[3]"),
        ),
    )


# ---- isnan, isinf --------------------------------------------------------------------------------


def _infer_test(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    return x.with_dtype(DType.BOOL)


def _is_infinite(b: Builder, s: Site) -> Handle:
    """Not IsInf, which takes no f16 before opset 20."""
    return b.op("Equal", b.op("Abs", s.x), b.constant(float("inf"), s.type.dtype))


def _is_finite(b: Builder, s: Site) -> Handle:
    """No NaN is less than anything."""
    return b.op("Less", b.op("Abs", s.x), b.constant(float("inf"), s.type.dtype))


def _test(name: str, summary: str, lower: Callable[[Builder, Site], Handle]) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        family="comparison",
        tolerance=EXACT,
        inputs=(Input("x"),),
        infer=_infer_test,
        torch=Torch(call(f"torch.{name}", X)),
        onnx={17: lower},
        samples=(sample("f32[2, 3]"), sample("f64[3]")),
        rejects=(reject("dtype-mismatch", "i64[3]"),),
    )


OPERATORS = (
    _compare("eq", "==", "Whether `x == y`, element by element.", _comparison("Equal")),
    _compare(
        "ne", "!=", "Whether `x != y`, element by element.", _comparison("Equal", negated=True)
    ),
    _compare("lt", "<", "Whether `x < y`, element by element.", _comparison("Less")),
    _compare("le", "<=", "Whether `x <= y`, element by element.", _comparison("LessOrEqual")),
    _compare("gt", ">", "Whether `x > y`, element by element.", _comparison("Greater")),
    _compare("ge", ">=", "Whether `x >= y`, element by element.", _comparison("GreaterOrEqual")),
    _logical("logical_and", "&", "And", "Whether both are true: `x and y`."),
    _logical("logical_or", "|", "Or", "Whether either is true: `x or y`."),
    _logical("logical_xor", "^", "Xor", "Whether one of them is true: `x != y`."),
    Operator(
        name="logical_not",
        summary="Whether it is false: `not x`.",
        family="comparison",
        tolerance=EXACT,
        inputs=(Input("x"),),
        infer=_infer_not,
        torch=Torch(Prefix("~", X)),
        onnx={17: lambda b, s: b.op("Not", s.x)},
        samples=(sample("bool[2, 3]"), sample("bool[]")),
        rejects=(reject("dtype-mismatch", "f32[3]"),),
    ),
    _test("isnan", "Which elements are NaN.", lambda b, s: b.op("IsNaN", s.x)),
    _test("isinf", "Which elements are infinite, of either sign.", _is_infinite),
    _test("isfinite", "Which elements are neither infinite nor NaN.", _is_finite),
)
