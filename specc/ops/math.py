"""Functions of each element: roots, exponentials, angles, rounding."""

from __future__ import annotations

import math
from collections.abc import Callable

from specc.ir.types import DType, TensorType
from specc.ops.binary import convert
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import Drawn, Inference, Input, Operator, Torch, reject, sample
from specc.ops.tolerances import ELEMENTWISE

OnFloats = Callable[[Builder, Handle, DType], Handle]


def _to_float(c: Inference, x: TensorType) -> TensorType:
    """Floats stay; integers and bools become f32, PyTorch's default dtype."""
    return x if x.dtype.is_float else x.with_dtype(DType.F32)


def _function(
    name: str,
    summary: str,
    lower: str | OnFloats,
    *,
    low: float | None = None,
    high: float | None = None,
    details: str = "",
) -> Operator:
    """A function on floats. ``low`` and ``high`` bound its samples to where it is defined."""

    def to_onnx(b: Builder, s: Site) -> Handle:
        dtype = s.result.dtype
        x = convert(b, s.x, s.type.dtype, dtype)
        return b.op(lower, x) if isinstance(lower, str) else lower(b, x, dtype)

    positive = low is not None and low > 0
    others = [sample(Drawn("i64[4]", low=1 if positive else 0, high=1 if high else 4))]
    if low is not None and high is None:
        high = 4.0
    if not positive:
        others.append(sample("bool[4]"))
    return Operator(
        name=name,
        summary=summary,
        details=" ".join(filter(None, [details, "Integers and bools give f32."])),
        family="math",
        inputs=(Input("x"),),
        infer=_to_float,
        torch=Torch(call(f"torch.{name}", X)),
        onnx={17: to_onnx},
        samples=(
            sample(Drawn("f32[2, 3]", low, high)),
            sample(Drawn("f32[]", low, high)),
            *others,
        ),
        tolerance=ELEMENTWISE,
    )


def _reciprocal_root(b: Builder, x: Handle, dtype: DType) -> Handle:
    return b.op("Reciprocal", b.op("Sqrt", x))


def _expm1(b: Builder, x: Handle, dtype: DType) -> Handle:
    """exp(x) - 1 = tanh(x / 2) * (exp(x) + 1), which loses no digits near 0."""
    half = b.op("Mul", x, b.constant(0.5, dtype))
    return b.op("Mul", b.op("Tanh", half), b.op("Add", b.op("Exp", x), b.constant(1, dtype)))


def _log1p(b: Builder, x: Handle, dtype: DType) -> Handle:
    """log(u) * x / (u - 1) with u = 1 + x rounded: the errors of log(u) and u - 1 cancel.

    From D. Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic,
    theorem 4. Where u rounds to 1 it is x; above 1 plain log(u) is exact enough, and finite at inf.
    """
    one = b.constant(1, dtype)
    u = b.op("Add", x, one)
    log = b.op("Log", u)
    corrected = b.op("Div", b.op("Mul", log, x), b.op("Sub", u, one))
    small = b.op("Where", b.op("Equal", u, one), x, corrected)
    return b.op("Where", b.op("Less", x, one), small, log)


def _logarithm_to(base: float) -> OnFloats:
    """log(x) / log(base)."""
    return lambda b, x, dtype: b.op("Div", b.op("Log", x), b.constant(math.log(base), dtype))


def _power_of_two(b: Builder, x: Handle, dtype: DType) -> Handle:
    return b.op("Pow", b.constant(2.0, dtype), x)


# ---- functions that keep the dtype ---------------------------------------------------------------


def _numbers(c: Inference, x: TensorType) -> TensorType:
    if x.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    return x


def _keeping(
    name: str, summary: str, lower: Callable[[Builder, Site], Handle], details: str = ""
) -> Operator:
    """A function whose result has the dtype of x, which may be any number."""
    return Operator(
        name=name,
        summary=summary,
        details=details,
        family="math",
        inputs=(Input("x"),),
        infer=_numbers,
        torch=Torch(call(f"torch.{name}", X)),
        onnx={17: lower},
        samples=(
            sample("f32[2, 3]"),
            sample(Drawn("f32[8]", low=-4, high=4)),
            sample("f32[]"),
            sample(Drawn("i64[6]", low=-9, high=9)),
            sample(Drawn("i32[6]", low=-9, high=9)),
            sample("u8[4]"),
        ),
        rejects=(reject("dtype-mismatch", "bool[3]"),),
        tolerance=ELEMENTWISE,
    )


def _rounding(op_type: str) -> Callable[[Builder, Site], Handle]:
    return lambda b, s: b.op(op_type if s.type.dtype.is_float else "Identity", s.x)


def _lower_trunc(b: Builder, s: Site) -> Handle:
    """floor(x) above 0, ceil(x) below."""
    if not s.type.dtype.is_float:
        return b.op("Identity", s.x)
    below = b.op("Less", s.x, b.constant(0.0, s.type.dtype))
    return b.op("Where", below, b.op("Ceil", s.x), b.op("Floor", s.x))


def _lower_sign(b: Builder, s: Site) -> Handle:
    sign = b.op("Sign", s.x)
    if not s.type.dtype.is_float:
        return sign
    return b.op("Where", b.op("IsNaN", s.x), b.constant(0, s.type.dtype), sign)


OPERATORS = (
    _keeping("abs", "The absolute value `|x|`.", lambda b, s: b.op("Abs", s.x)),
    _keeping("sign", "-1, 0 or 1, the sign of x.", _lower_sign, "The sign of NaN is 0."),
    _keeping("square", "The square `x * x`.", lambda b, s: b.op("Mul", s.x, s.x)),
    _keeping("floor", "The greatest integer that is not above x.", _rounding("Floor")),
    _keeping("ceil", "The least integer that is not below x.", _rounding("Ceil")),
    _keeping("trunc", "The integer part: x rounded towards 0.", _lower_trunc),
    _keeping(
        "round",
        "The nearest integer.",
        _rounding("Round"),
        "Halves are rounded to the even neighbour: 0.5 to 0, 1.5 to 2.",
    ),
    _function("sqrt", "The square root.", "Sqrt", low=0.0, details="NaN below 0."),
    _function("rsqrt", "The reciprocal of the square root.", _reciprocal_root, low=0.1),
    _function("reciprocal", "The reciprocal `1 / x`.", "Reciprocal", low=0.1),
    _function("exp", "The exponential `e**x`.", "Exp"),
    _function("exp2", "The power `2**x`.", _power_of_two),
    _function("expm1", "`exp(x) - 1`, precise near 0.", _expm1),
    _function("log", "The natural logarithm.", "Log", low=0.1),
    _function("log2", "The logarithm to base 2.", _logarithm_to(2.0), low=0.1),
    _function("log10", "The logarithm to base 10.", _logarithm_to(10.0), low=0.1),
    _function("log1p", "`log(1 + x)`, precise near 0.", _log1p, low=-0.5),
    _function("sin", "The sine of x in radians.", "Sin"),
    _function("cos", "The cosine of x in radians.", "Cos"),
    _function("tan", "The tangent of x in radians.", "Tan", low=-1.5, high=1.5),
    _function("asin", "The arc sine, in radians.", "Asin", low=-1.0, high=1.0),
    _function("acos", "The arc cosine, in radians.", "Acos", low=-1.0, high=1.0),
    _function("atan", "The arc tangent, in radians.", "Atan"),
    _function("sinh", "The hyperbolic sine.", "Sinh"),
    _function("cosh", "The hyperbolic cosine.", "Cosh"),
    _function("asinh", "The inverse of sinh.", "Asinh"),
    _function("acosh", "The inverse of cosh, at 0 and above.", "Acosh", low=1.1),
    _function("atanh", "The inverse of tanh.", "Atanh", low=-0.9, high=0.9),
    _function("erf", "The error function: `2 / sqrt(pi)` times the integral of exp(-t**2).", "Erf"),
)
