"""Division and powers: the operators ``/ // % **``, with PyTorch's results at every corner."""

from __future__ import annotations

from collections.abc import Callable

from specc.ir.types import DType, TensorType
from specc.ops.binary import (
    code_operands,
    convert,
    infix_operator,
    meeting_dtype,
    operand_type,
    operands,
    require_nonzero,
)
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Call, Code, Infix, Lit, Operand
from specc.ops.operator import (
    CodeSite,
    Drawn,
    Inference,
    reject,
    sample,
)


def _away_from_zero(type_: str) -> Drawn:
    return Drawn(type_, low=1, high=9)


def _infer_div(c: Inference, *types: TensorType) -> TensorType:
    result = operand_type(c, "divide")
    return result if result.dtype.is_float else result.with_dtype(DType.F32)


def _lower_div(b: Builder, s: Site) -> Handle:
    return b.op("Div", *operands(b, s, s.result.dtype))


def _infer_modular(verb: str) -> Callable[..., TensorType]:
    def infer(c: Inference, *types: TensorType) -> TensorType:
        result = operand_type(c, verb)
        if result.dtype is DType.BOOL:
            c.wrong_dtype(0, "numbers")
        require_nonzero(c, result.dtype)
        return result

    return infer


def _signs_differ(b: Builder, remainder: Handle, divisor: Handle, dtype: DType) -> Handle:
    """Where a truncated remainder is not zero and has not the divisor's sign."""
    zero = b.constant(0, dtype)
    negative = b.op("Xor", b.op("Less", remainder, zero), b.op("Less", divisor, zero))
    return b.op("And", b.op("Not", b.op("Equal", remainder, zero)), negative)


def _lower_floor_div(b: Builder, s: Site) -> Handle:
    dtype = meeting_dtype(s)
    x, y = operands(b, s, dtype)
    if dtype.is_float:
        return _float_floor_div(b, x, y, dtype)
    quotient = b.op("Div", x, y)  # truncates
    if dtype is DType.U8:
        return quotient
    remainder = b.op("Sub", x, b.op("Mul", quotient, y))
    return b.op("Sub", quotient, b.cast(_signs_differ(b, remainder, y, dtype), dtype))


def _differentiable(site: CodeSite) -> tuple[Code, Code]:
    """The operands, a number on the left as a tensor: PyTorch cannot differentiate by x else."""
    left, right = code_operands(site)
    if site.types[0].dtype.is_float and not isinstance(left, Operand):
        return Call("torch.full_like", (right, left)), right
    return left, right


def _floor_div_code(site: CodeSite) -> Code:
    """torch.div with the same rounding, since ``//`` on tensors has no derivative in PyTorch."""
    left, right = _differentiable(site)
    if not site.types[0].dtype.is_float:
        return Infix("//", left, right)
    return Call("torch.div", (left, right), (("rounding_mode", Lit("floor")),))


def _mod_code(site: CodeSite) -> Code:
    return Infix("%", *_differentiable(site))


def _float_floor_div(b: Builder, x: Handle, y: Handle, dtype: DType) -> Handle:
    """Python's ``//`` on floats, as c10::div_floor_floating computes it.

    The floor of the rounded quotient is wrong where rounding reaches an integer: 1.0 // 0.1 is 9.
    So the exact remainder is taken off first, and what is left is rounded to the nearest integer.
    """
    remainder = b.op("Mod", x, y, fmod=1)
    quotient = b.op("Div", b.op("Sub", x, remainder), y)
    off_by_one = b.cast(_signs_differ(b, remainder, y, dtype), dtype)
    quotient = b.op("Sub", quotient, off_by_one)
    floor = b.op("Floor", quotient)
    too_low = b.op("Greater", b.op("Sub", quotient, floor), b.constant(0.5, dtype))
    floor = b.op("Add", floor, b.cast(too_low, dtype))
    by_zero = b.op("Equal", y, b.constant(0, dtype))
    return b.op("Where", by_zero, b.op("Div", x, y), floor)


def _lower_mod(b: Builder, s: Site) -> Handle:
    dtype = meeting_dtype(s)
    x, y = operands(b, s, dtype)
    if not dtype.is_float:
        return b.op("Mod", x, y)  # of integers, it has the divisor's sign as in Python
    remainder = b.op("Mod", x, y, fmod=1)
    differ = _signs_differ(b, remainder, y, dtype)
    return b.op("Where", differ, b.op("Add", remainder, y), remainder)


def _infer_pow(c: Inference, *types: TensorType) -> TensorType:
    result = operand_type(c, "raise")
    if result.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    exponent = c["right"]
    if result.dtype.is_integer and isinstance(exponent, int):
        c.require(exponent >= 0, "right", "at least 0 where an integer is raised to it")
    return result


def _lower_pow(b: Builder, s: Site) -> Handle:
    dtype = meeting_dtype(s)
    if dtype.is_float:
        if isinstance(s["right"], float) and abs(s["right"]) == 0.5:
            # PyTorch takes the root, which differs from the power at -0.0 and at -inf.
            root = b.op("Sqrt", convert(b, s.x, s.type.dtype, dtype))
            return root if s["right"] > 0 else b.op("Reciprocal", root)
        return b.op("Pow", *operands(b, s, dtype))
    if isinstance(s["right"], int):
        return _power(b, convert(b, s.x, s.type.dtype, dtype), int(s["right"]), dtype)
    x, y = operands(b, s, DType.I64)
    one, zero = b.constant(1, DType.I64), b.constant(0, DType.I64)
    power = b.op("Pow", x, b.op("Abs", y))
    unit = b.op("Equal", b.op("Abs", x), one)  # 1 and -1 alone have integer reciprocals
    vanishes = b.op("And", b.op("Less", y, zero), b.op("Not", unit))
    return convert(b, b.op("Where", vanishes, zero, power), DType.I64, dtype)


def _power(b: Builder, x: Handle, exponent: int, dtype: DType) -> Handle:
    """An integer power by squaring, which wraps as PyTorch's does; Pow goes through doubles."""
    if exponent == 0:
        return b.op("Add", b.op("Mul", x, b.constant(0, dtype)), b.constant(1, dtype))
    result = None
    while exponent:
        if exponent & 1:
            result = x if result is None else b.op("Mul", result, x)
        exponent >>= 1
        if exponent:
            x = b.op("Mul", x, x)
    return b.op("Identity", result) if result is x else result


OPERATORS = (
    infix_operator(
        "div",
        "/",
        "The true quotient `x / y`; of integers and bools it is f32.",
        "division",
        _infer_div,
        _lower_div,
        (
            sample("f32[2, 3]", _away_from_zero("f32[3]")),
            sample("f32[2, 3]", right=2),
            sample(_away_from_zero("f32[2, 3]"), left=1),
            sample("i64[4]", _away_from_zero("i64[4]")),
            sample("i32[4]", right=3),
            sample(_away_from_zero("u8[4]"), left=2.5),
            sample("bool[4]", right=2),
        ),
    ),
    infix_operator(
        "floor_div",
        "//",
        "The quotient `x // y`, rounded down.",
        "division",
        _infer_modular("divide"),
        _lower_floor_div,
        (
            sample("f32[2, 3]", _away_from_zero("f32[3]")),
            sample("f32[6]", right=-0.3),
            sample(_away_from_zero("f32[6]"), left=7),
            sample(Drawn("i64[8]", low=-9, high=9), _away_from_zero("i64[8]")),
            sample(Drawn("i64[8]", low=-9, high=9), right=-4),
            sample(Drawn("i32[8]", low=-9, high=9), right=2.5),
            sample(Drawn("i8[8]", low=-9, high=9), right=3),
            sample("u8[8]", right=3),
            sample("bool[4]", right=2),
        ),
        (
            reject("dtype-mismatch", "bool[3]", "bool[3]"),
            reject("bad-argument", "i64[3]", right=0),
        ),
        details=(
            "As in Python, `-7 // 2` is -4 and `1.0 // 0.1` is 9. A float divided by 0 is inf or "
            "NaN."
        ),
        torch=_floor_div_code,
    ),
    infix_operator(
        "mod",
        "%",
        "The remainder `x % y`, which has the sign of y.",
        "division",
        _infer_modular("divide"),
        _lower_mod,
        (
            sample("f32[2, 3]", _away_from_zero("f32[3]")),
            sample("f32[6]", right=-0.75),
            sample(_away_from_zero("f32[6]"), left=-7),
            sample(Drawn("i64[8]", low=-9, high=9), _away_from_zero("i64[8]")),
            sample(Drawn("i64[8]", low=-9, high=9), right=-4),
            sample(Drawn("i32[8]", low=-9, high=9), right=2.5),
            sample(Drawn("i8[8]", low=-9, high=9), right=3),
            sample("u8[8]", right=3),
            sample("bool[4]", right=2),
        ),
        (
            reject("dtype-mismatch", "bool[3]", "bool[3]"),
            reject("bad-argument", "i64[3]", right=0),
        ),
        details="`torch.remainder`: `-7 % 3` is 2.",
        torch=_mod_code,
    ),
    infix_operator(
        "pow",
        "**",
        "The power `x ** y`.",
        "division",
        _infer_pow,
        _lower_pow,
        (
            sample(Drawn("f32[2, 3]", low=0.5, high=2), "f32[3]"),
            sample("f32[2, 3]", right=2),
            sample("f32[2, 3]", right=3.0),
            sample(Drawn("f32[2, 3]", low=0.5, high=2), right=-0.5),
            sample("f32[3]", left=2.0),
            sample(Drawn("i64[8]", low=-3, high=3), Drawn("i64[8]", low=-3, high=3)),
            sample(Drawn("i64[8]", low=-9, high=9), right=5),
            sample(Drawn("i64[8]", low=-9, high=9), right=0),
            sample(Drawn("i32[8]", low=0, high=9), left=2),
            sample(Drawn("i8[4]", low=-3, high=3), right=3),
            sample(Drawn("i32[8]", low=1, high=9), right=0.5),
            sample("bool[4]", right=2),
        ),
        (
            reject("dtype-mismatch", "bool[3]", "bool[3]"),
            reject("bad-argument", "i64[3]", right=-1),
        ),
        details=(
            "An integer raised to a negative integer tensor is 0, but for 1 and -1. A power of "
            "integers whose exponent is a tensor is exact in ONNX up to 2**53."
        ),
    ),
)
