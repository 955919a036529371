"""Operators that make a tensor from nothing, and the triangles that masks are cut from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from specc.ir.dims import Dim, Expr
from specc.ir.types import DType, TensorType
from specc.ops.arguments import DIM, DTYPE, INT, Argument, optional, several
from specc.ops.axes import spread
from specc.ops.binary import LITERAL, convert, literal
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import Attr, Call, Code, DeviceOf, Splat, Training, X, call
from specc.ops.operator import (
    CodeSite,
    Inference,
    Input,
    Operator,
    Torch,
    reject,
    sample,
)
from specc.ops.promotion import INTEGER_RANGES
from specc.ops.tolerances import EXACT

_DTYPE = Argument("dtype", DTYPE, DType.F32, keyword_only=True)
_PLACE = (("dtype", Attr("dtype")), ("device", DeviceOf()))


def _require_positive(c: Inference, argument: str, sizes: Sequence[Dim]) -> tuple[Dim, ...]:
    for size in sizes:
        c.require(not isinstance(size, int) or size >= 1, argument, "at least 1")
        if isinstance(size, Expr):
            c.size(size, "a size")
    return tuple(sizes)


# ---- ones, zeros, full ---------------------------------------------------------------------------


def _infer_filled(c: Inference) -> TensorType:
    return TensorType(c["dtype"], _require_positive(c, "sizes", c["sizes"]))


def _filled(b: Builder, value: Handle, sizes: Sequence[Dim]) -> Handle:
    """A scalar in every place."""
    return b.op("Expand", value, b.sizes(sizes)) if sizes else b.op("Identity", value)


def _lower_constant(value: int) -> Callable[[Builder, Site], Handle]:
    return lambda b, s: _filled(b, b.constant(value, s["dtype"]), s["sizes"])


def _constant(name: str, summary: str, value: int) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        family="create",
        tolerance=EXACT,
        inputs=(),
        arguments=(Argument("sizes", several(DIM), variadic=True), _DTYPE),
        infer=_infer_filled,
        torch=Torch(lambda site: Call(f"torch.{name}", (spread(site, "sizes"),), _PLACE)),
        onnx={17: _lower_constant(value)},
        samples=(
            sample(sizes=(2, 3)),
            sample(sizes=(4,), dtype=DType.I64),
            sample(sizes=(1, 2), dtype=DType.BOOL),
            sample(sizes=(2,), dtype=DType.F16),
            sample(sizes=()),
        ),
        rejects=(
            reject("bad-argument", sizes=(2, 0)),
            reject("bad-argument", sizes=(-1,)),
        ),
    )


def _infer_full(c: Inference) -> TensorType:
    value, dtype = c["value"], c["dtype"]
    if dtype in INTEGER_RANGES:
        low, high = INTEGER_RANGES[dtype]
        fits = not isinstance(value, float) and (isinstance(value, Expr) or low <= value <= high)
        c.require(fits, "value", f"an int from {low} to {high} for {dtype.value}")
    return _infer_filled(c)


def _lower_full(b: Builder, s: Site) -> Handle:
    return _filled(b, literal(b, s["value"], s["dtype"]), s["sizes"])


# ---- arange, eye ---------------------------------------------------------------------------------


def _range(bounds: tuple[Any, ...]) -> tuple[Dim, Dim, Dim]:
    """Start, end and step, as Python's range takes them."""
    if len(bounds) == 1:
        return 0, bounds[0], 1
    start, end, *step = bounds
    return start, end, step[0] if step else 1


def _infer_arange(c: Inference) -> TensorType:
    bounds = c["bounds"]
    c.require(1 <= len(bounds) <= 3, "bounds", "an end, a start and an end, or these and a step")
    start, end, step = _range(bounds)
    c.require(isinstance(step, int) and step != 0, "bounds", "numbers with a known, nonzero step")
    count = -((start - end) // step)
    return TensorType(c["dtype"], _require_positive(c, "bounds", (count,)))


def _lower_arange(b: Builder, s: Site) -> Handle:
    values = b.op("Range", *(b.size(bound) for bound in _range(s["bounds"])))
    return convert(b, values, DType.I64, s["dtype"])


def _infer_eye(c: Inference) -> TensorType:
    shape = (c["n"], c["n"] if c["m"] is None else c["m"])
    return TensorType(c["dtype"], _require_positive(c, "n", shape))


def _eye_code(site: CodeSite) -> Code:
    sizes = (Attr("n"),) if site.attributes["m"] is None else (Attr("n"), Attr("m"))
    return Call("torch.eye", sizes, _PLACE)


def _lower_eye(b: Builder, s: Site) -> Handle:
    dtype = s["dtype"]
    made = dtype if dtype in (DType.F32, DType.F64, DType.I32, DType.I64) else DType.F32
    zeros = _filled(b, b.constant(0, made), s.result.shape)
    return convert(b, b.op("EyeLike", zeros), made, dtype)


# ---- tril, triu ----------------------------------------------------------------------------------

_TRILU_LACKS = {DType.I8: DType.I32, DType.U8: DType.I32, DType.BF16: DType.F32}


def _infer_triangle(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "matrices", least=2)
    return x


def _lower_triangle(upper: bool) -> Callable[[Builder, Site], Handle]:
    def lower(b: Builder, s: Site) -> Handle:
        dtype = s.type.dtype
        made = _TRILU_LACKS.get(dtype, dtype)  # the dtypes that onnxruntime's Trilu takes
        x = convert(b, s.x, dtype, made)
        triangle = b.op("Trilu", x, b.constant(s["diagonal"], DType.I64), upper=int(upper))
        return convert(b, triangle, made, dtype)

    return lower


def _triangle(name: str, summary: str, *, upper: bool) -> Operator:
    return Operator(
        name=name,
        summary=summary,
        details="Of the last two dims; `diagonal` moves the border up (above 0) or down.",
        family="create",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(Argument("diagonal", INT, 0),),
        infer=_infer_triangle,
        torch=Torch(call(f"torch.{name}", X, diagonal="diagonal")),
        onnx={17: _lower_triangle(upper)},
        samples=(
            sample("f32[3, 3]"),
            sample("f32[2, 3, 4]", diagonal=1),
            sample("f32[4, 3]", diagonal=-1),
            sample("i64[3, 3]"),
            sample("u8[3, 3]"),
            sample("bool[3, 3]", diagonal=1),
        ),
        rejects=(reject("rank-mismatch", "f32[3]"),),
    )


# `training` of the language: a branch on it is emitted as one on `self.training`.
_training = Operator(
    name="training",
    notation=lambda attributes: "training",
    summary="Whether the module trains: true in train mode, false in eval mode and in ONNX.",
    details="Written without a call: `if training { ... }`.",
    family="create",
    tolerance=EXACT,
    inputs=(),
    infer=lambda c: TensorType(DType.BOOL, ()),
    torch=Torch(Call("torch.tensor", (Training(),), (("device", DeviceOf()),))),
    onnx={17: lambda b, s: b.constant(False, DType.BOOL)},
    samples=(sample(), sample()),
)

OPERATORS = (
    _training,
    _constant("ones", "A tensor of ones.", 1),
    _constant("zeros", "A tensor of zeros.", 0),
    Operator(
        name="full",
        summary="A tensor that holds `value` everywhere.",
        details="The sizes are a list: `full([2, 3], 0.5)`.",
        family="create",
        tolerance=EXACT,
        inputs=(),
        arguments=(Argument("sizes", several(DIM)), Argument("value", LITERAL), _DTYPE),
        infer=_infer_full,
        torch=Torch(
            Call(
                "torch.full",
                (Attr("sizes"), Attr("value")),
                (("dtype", Attr("dtype", always=True)), ("device", DeviceOf())),
            )
        ),
        onnx={17: _lower_full},
        samples=(
            sample(sizes=(2, 3), value=0.5),
            sample(sizes=(2,), value=7, dtype=DType.I64),
            sample(sizes=(2,), value=True, dtype=DType.BOOL),
            sample(sizes=(), value=3),
        ),
        rejects=(
            reject("bad-argument", sizes=(2,), value=0.5, dtype=DType.I64),
            reject("bad-argument", sizes=(2,), value=300, dtype=DType.U8),
            reject("bad-argument", sizes=(0,), value=1),
        ),
    ),
    Operator(
        name="arange",
        summary="The integers from a start (0) up to an end, which is not among them.",
        details="`arange(end)`, `arange(start, end)` or `arange(start, end, step)`.",
        family="create",
        tolerance=EXACT,
        inputs=(),
        arguments=(
            Argument("bounds", several(DIM), variadic=True),
            Argument("dtype", DTYPE, DType.I64, keyword_only=True),
        ),
        infer=_infer_arange,
        torch=Torch(Call("torch.arange", (Splat(Attr("bounds")),), _PLACE)),
        onnx={17: _lower_arange},
        samples=(
            sample(bounds=(5,)),
            sample(bounds=(2, 7)),
            sample(bounds=(2, 8, 3), dtype=DType.F32),
            sample(bounds=(5, 0, -2)),
            sample(bounds=(4,), dtype=DType.I32),
        ),
        rejects=(
            reject("bad-argument", bounds=(0,)),
            reject("bad-argument", bounds=(3, 2)),
            reject("bad-argument", bounds=(0, 4, 0)),
            reject("bad-argument", bounds=()),
        ),
    ),
    Operator(
        name="eye",
        summary="The identity matrix with n rows and m columns (n, where m is left out).",
        family="create",
        tolerance=EXACT,
        inputs=(),
        arguments=(Argument("n", DIM), Argument("m", optional(DIM), None), _DTYPE),
        infer=_infer_eye,
        torch=Torch(_eye_code),
        onnx={17: _lower_eye},
        samples=(
            sample(n=3),
            sample(n=2, m=4),
            sample(n=3, dtype=DType.I64),
            sample(n=2, dtype=DType.BOOL),
        ),
        rejects=(reject("bad-argument", n=0), reject("bad-argument", n=2, m=-1)),
    ),
    _triangle("tril", "The lower triangle; what lies above is 0.", upper=False),
    _triangle("triu", "The upper triangle; what lies below is 0.", upper=True),
)
