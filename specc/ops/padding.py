"""Padding: what is added around a tensor."""

from __future__ import annotations

from specc.ir.dims import Dim
from specc.ir.types import DType, TensorType
from specc.ops.arguments import INT, Argument, choice, number, several
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import X, call
from specc.ops.operator import (
    Drawn,
    Inference,
    Input,
    Operator,
    Torch,
    Values,
    reject,
    sample,
)
from specc.ops.parts import pad
from specc.ops.tolerances import EXACT


def _pairs(attributes: Values, rank: int) -> list[tuple[int, int]]:
    """What is added before and after each dim; the argument begins with the last one."""
    given = attributes["pad"]
    pairs = [(given[i], given[i + 1]) for i in range(0, len(given), 2)]
    return [(0, 0)] * (rank - len(pairs)) + pairs[::-1]


def _infer(c: Inference, x: TensorType) -> TensorType:
    given, mode, value = c["pad"], c["mode"], c["value"]
    c.require(len(given) % 2 == 0, "pad", "a list of pairs: before and after each dim")
    count = len(given) // 2
    if mode == "constant":
        c.rank(0, f"a tensor of at least {count} dims to pad", least=count)
        whole = x.dtype.is_float or value.is_integer()
        c.require(whole, "value", f"an integer, to fill a tensor of {x.dtype.value}")
        if x.dtype is DType.BOOL:
            c.wrong_dtype(0, "numbers")
    else:
        c.floating(0)
        c.require(value == 0, "value", 'left out unless the mode is "constant"')
        c.require(1 <= count <= 3, "pad", "a pair for each of the last one, two or three dims")
        c.require(min(given) >= 0, "pad", f'0 or more in mode "{mode}"')
        c.rank(0, f"[N, C, ...] with the {count} dims that are padded", count + 2)
    shape: list[Dim] = []
    for axis, (size, (before, after)) in enumerate(
        zip(x.shape, _pairs(c.attributes, x.rank), strict=True)
    ):
        spared = {"reflect": 0, "circular": 1}.get(mode)
        if spared is not None and max(before, after) > 0:
            # Taken from the input itself; a reflection leaves out the border.
            c.size(
                size - max(before, after) + spared, f"what {mode} padding of dim {axis} draws on"
            )
        cropped = min(before, 0) + min(after, 0)
        if cropped and before + after > cropped:  # else the result's own size says it
            c.size(size + cropped + 1, f"what cropping leaves of dim {axis}, and one")
        shape.append(c.size(size + before + after, f"dim {axis}"))
    return x.with_shape(tuple(shape))


def _to_onnx(b: Builder, s: Site) -> Handle:
    pairs = _pairs(s.attributes, s.type.rank)
    before, after = [left for left, _ in pairs], [right for _, right in pairs]
    if not any((*before, *after)):
        return b.op("Identity", s.x)  # of a scalar onnxruntime's Pad takes nothing, not even []
    filling = b.constant(s["value"], s.type.dtype) if s["value"] else None
    return pad(b, s.x, before, after, s["mode"], filling)


OPERATORS = (
    Operator(
        name="pad",
        summary="Adds elements around a tensor.",
        details=(
            "`pad` is as torch.nn.functional.pad takes it: before and after the last dim, then the "
            'last but one, and so on; in mode "constant" a negative number crops. The other modes '
            "take [N, C, ...] and pad all dims behind the channels."
        ),
        family="padding",
        tolerance=EXACT,
        inputs=(Input("x"),),
        arguments=(
            Argument("pad", several(INT)),
            Argument("mode", choice("constant", "reflect", "replicate", "circular"), "constant"),
            Argument("value", number(), 0.0),
        ),
        infer=_infer,
        torch=Torch(call("F.pad", X, "pad", mode="mode", value="value")),
        onnx={17: _to_onnx},
        samples=(
            sample("f32[N, 3, H, W]", pad=(1, 2)),
            sample("f32[N, 3, H, W]", pad=(1, 2, 0, 3), value=-1.5),
            sample("f32[N, T]", pad=(0, 0, 2, 1), value=float(2)),
            sample("f32[N, 8]", pad=(-2, 3)),
            sample("f32[N, H, 8]", pad=(-1, -1, 0, 0, 1, 0)),
            sample("f32[2, 3]", pad=()),
            sample("f32[]", pad=()),
            sample("i64[N, T]", pad=(1, 0), value=7),
            sample(Drawn("i32[N, 4]", 0, 9), pad=(1, -1)),
            sample("u8[N, 4]", pad=(1, 1), value=3),
            sample("f64[N, 4]", pad=(1, 1), value=0.1),
            sample("f16[N, 4]", pad=(1, 1)),
            sample("f32[N, 3, H, W]", pad=(1, 2, 3, 0), mode="reflect"),
            sample("f32[N, 3, H, W]", pad=(5, 0, 1, 1), mode="replicate"),
            sample("f32[N, 3, H, W]", pad=(2, 2, 0, 1), mode="circular"),
            sample("f32[N, 3, L]", pad=(2, 1), mode="circular"),
            sample("f32[N, 3, L]", pad=(2, 1), mode="reflect"),
            sample("f32[N, 2, D, 4, 5]", pad=(1, 0, 2, 1, 1, 1), mode="reflect"),
        ),
        rejects=(
            reject("bad-argument", "f32[2, 3]", pad=(1,)),
            reject("bad-argument", "f32[2, 3]", pad=(1, 0.5)),
            reject("bad-argument", "f32[2, 3, 4]", pad=(1, 1), mode="mirror"),
            reject("bad-argument", "f32[2, 3, 4]", pad=(1, 1), mode="reflect", value=1),
            reject("bad-argument", "f32[2, 3, 4]", pad=(-1, 1), mode="reflect"),
            reject("bad-argument", "f32[2, 3, 4]", pad=(), mode="circular"),
            reject("bad-argument", "i64[2, 3]", pad=(1, 1), value=0.5),
            reject("rank-mismatch", "f32[3]", pad=(1, 1, 1, 1)),
            reject("rank-mismatch", "f32[2, 3]", pad=(1, 1), mode="reflect"),
            reject("dtype-mismatch", "i64[2, 3, 4]", pad=(1, 1), mode="reflect"),
            reject("dtype-mismatch", "bool[2, 3]", pad=(1, 1)),
            reject("empty-size", "f32[2, 3]", pad=(-2, -1)),
            reject("empty-size", "f32[2, 3, 4]", pad=(4, 0), mode="reflect"),
            reject("empty-size", "f32[2, 3, 4]", pad=(5, 0), mode="circular"),
        ),
    ),
)
