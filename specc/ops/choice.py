"""Operators that choose between elements: ``where``, the lesser, the greater, clamping."""

from __future__ import annotations

from dataclasses import replace

from specc.ir.types import DType, TensorType
from specc.ops.arguments import Argument, optional
from specc.ops.binary import (
    LITERAL,
    OPERANDS,
    broadcast_or_refuse,
    broadcast_shapes,
    convert,
    literal,
    require_equal_dtypes,
    require_held,
)
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Call, Code, Operand, X, Y, call
from specc.ops.operator import (
    CodeSite,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.promotion import literal_dtype
from specc.ops.tolerances import EXACT

_XY = (Input("x"), Input("y"))


def _chosen_dtype(c: Inference | Site, types: tuple[TensorType, ...]) -> DType:
    """The dtype of what ``where`` chooses from; two numbers meet as PyTorch's defaults do."""
    literals = [c[name] for name in ("left", "right") if c[name] is not None]
    if len(literals) < 2:
        return literal_dtype(types[1].dtype, literals[0]) if literals else types[1].dtype
    if any(isinstance(value, float) for value in literals):
        return DType.F32
    return DType.BOOL if all(isinstance(value, bool) for value in literals) else DType.I64


def _infer_where(c: Inference, *types: TensorType) -> TensorType:
    literals = [name for name in ("left", "right") if c[name] is not None]
    c.require(len(types) + len(literals) == 3, "right", "given where there is no tensor for it")
    if types[0].dtype is not DType.BOOL:
        c.wrong_dtype(0, "a bool condition")
    if not literals:
        require_equal_dtypes(c, 1, 2)
    dtype = _chosen_dtype(c, types)
    for name in literals:
        require_held(c, name, dtype)
    shape = types[0].shape
    for operand in range(1, len(types)):
        shape = broadcast_or_refuse(c, shape, types[operand].shape, (0, operand), "choose between")
    return TensorType(dtype, shape)


def _lower_where(b: Builder, s: Site) -> Handle:
    dtype = s.result.dtype
    tensors = iter(
        convert(b, x, t.dtype, dtype) for x, t in zip(s.inputs[1:], s.types[1:], strict=True)
    )
    x, y = (
        next(tensors) if s[name] is None else literal(b, s[name], dtype)
        for name in ("left", "right")
    )
    if dtype is DType.BOOL:  # onnxruntime chooses between numbers alone
        return b.op("Or", b.op("And", s.x, x), b.op("And", b.op("Not", s.x), y))
    return b.op("Where", s.x, x, y)


def _where_code(site: CodeSite) -> Code:
    tensors = iter(range(1, len(site.types)))
    choices = [
        Operand(next(tensors)) if site.attributes[name] is None else Attr(name)
        for name in ("left", "right")
    ]
    return Call("torch.where", (X, *choices))


def _infer_extremum(c: Inference, x: TensorType, y: TensorType) -> TensorType:
    require_equal_dtypes(c, 0, 1)
    return TensorType(x.dtype, broadcast_shapes(c, 0, 1, "compare"))


def _extremum(name: str, op_type: str, on_bools: str, summary: str) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        details="NaN where either is NaN; of equal elements each gets half of the gradient.",
        family="choice",
        tolerance=EXACT,
        inputs=_XY,
        promotes_from=0,
        infer=_infer_extremum,
        torch=Torch(call(f"torch.{name}", X, Y)),
        onnx={
            17: lambda b, s: b.op(on_bools if s.type.dtype is DType.BOOL else op_type, *s.inputs)
        },
        samples=(
            sample("f32[2, 3]", "f32[2, 3]"),
            sample("f32[2, 1]", "f32[3]"),
            sample("i64[4]", "i64[4]"),
            sample("u8[4]", "u8[4]"),
            sample("bool[4]", "bool[4]"),
        ),
        rejects=(
            reject("dtype-mismatch", "f32[3]", "i64[3]"),
            reject("shape-mismatch", "f32[2]", "f32[3]"),
        ),
    )


def _infer_clamp(c: Inference, x: TensorType) -> TensorType:
    bounds = [name for name in ("min", "max") if c[name] is not None]
    c.require(len(bounds) > 0, "min", "given where there is no max")
    if x.dtype is DType.BOOL:
        c.wrong_dtype(0, "numbers")
    dtype = x.dtype
    for name in bounds:
        dtype = literal_dtype(dtype, c[name])
    for name in bounds:
        require_held(c, name, dtype)
    return x.with_dtype(dtype)


def _lower_clamp(b: Builder, s: Site) -> Handle:
    """Max, then Min, so that the upper bound wins where the bounds cross; NaN stays."""
    dtype = s.result.dtype
    value = convert(b, s.x, s.type.dtype, dtype)
    if s["min"] is not None:
        value = b.op("Max", value, literal(b, s["min"], dtype))
    if s["max"] is not None:
        value = b.op("Min", value, literal(b, s["max"], dtype))
    return value


_CLAMP = Operator(
    name="clamp",
    summary="The elements, none below `min`, none above `max`.",
    details="Where min is above max, every element becomes max. NaN stays NaN.",
    family="choice",
    tolerance=EXACT,
    inputs=(Input("x"),),
    arguments=(
        Argument("min", optional(LITERAL), None),
        Argument("max", optional(LITERAL), None),
    ),
    infer=_infer_clamp,
    torch=Torch(call("torch.clamp", X, min="min", max="max")),
    onnx={17: _lower_clamp},
    samples=(
        sample("f32[2, 3]", min=0),
        sample("f32[2, 3]", max=0.5),
        sample("f32[2, 3]", min=1, max=-1),
        sample("i64[6]", min=-1, max=1),
        sample("i64[6]", min=0.5),
    ),
    rejects=(
        reject("bad-argument", "f32[3]"),
        reject("dtype-mismatch", "bool[3]", min=0),
        reject("bad-argument", "u8[3]", min=-1),
    ),
)

OPERATORS = (
    Operator(
        name="where",
        summary="x where the condition holds, y elsewhere.",
        details="`torch.masked_fill(x, mask, value)` is `where(mask, value, x)`.",
        family="choice",
        tolerance=EXACT,
        inputs=(Input("condition"), Input("x", optional=True), Input("y", optional=True)),
        arguments=OPERANDS,
        promotes_from=1,
        infer=_infer_where,
        torch=Torch(_where_code),
        onnx={17: _lower_where},
        samples=(
            sample("bool[2, 3]", "f32[2, 3]", "f32[2, 3]"),
            sample("bool[2, 1]", "f32[3]", "f32[]"),
            sample("bool[2, 3]", "f32[2, 3]", right=-1e9),
            sample("bool[2, 3]", "i64[3]", left=0.5),
            sample("bool[3]", left=1, right=0),
            sample("bool[3]", left=1.0, right=0),
            sample("bool[3]", "bool[3]", "bool[2, 3]"),
        ),
        rejects=(
            reject("dtype-mismatch", "f32[3]", "f32[3]", "f32[3]"),
            reject("dtype-mismatch", "bool[3]", "f32[3]", "i64[3]"),
            reject("shape-mismatch", "bool[3]", "f32[2]", "f32[2]"),
            reject("bad-argument", "bool[3]", "f32[3]"),
        ),
    ),
    _extremum("minimum", "Min", "And", "The lesser of x and y, element by element."),
    _extremum("maximum", "Max", "Or", "The greater of x and y, element by element."),
    _CLAMP,
    replace(_CLAMP, name="clip", summary="The same as `clamp`, as numpy calls it."),
)
