"""Activations that are linear in pieces."""

from __future__ import annotations

from typing import Any

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import SizeMismatch
from specc.ir.initializer import Initializer
from specc.ir.types import DType, TensorType
from specc.ops.activation_entry import ToOnnx, activation, node
from specc.ops.arguments import FLOAT, SIZE, Argument, number
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import StateRef, X, call
from specc.ops.operator import Inference, Input, Operator, StateSlot, Torch, reject, sample
from specc.ops.tolerances import ELEMENTWISE


def _clip(low: str | float, high: str | float) -> ToOnnx:
    """Clip between two numbers, or between the arguments that are named."""

    def to_onnx(b: Builder, s: Site) -> Handle:
        bounds = (s[bound] if isinstance(bound, str) else bound for bound in (low, high))
        return b.op("Clip", s.x, *(b.constant(bound, s.type.dtype) for bound in bounds))

    return to_onnx


relu = activation(
    "relu", "max(x, 0)", module="ReLU", onnx=node("Relu"), overwrites=("BatchNorm", "add")
)

relu6 = activation("relu6", "min(max(x, 0), 6)", module="ReLU6", onnx=_clip(0.0, 6.0))

leaky_relu = activation(
    "leaky_relu",
    "x where x > 0, else negative_slope * x",
    module="LeakyReLU",
    arguments=(Argument("negative_slope", FLOAT, 0.01),),
    onnx=node("LeakyRelu", alpha="negative_slope"),
    samples=(sample("f32[N, 5]", negative_slope=0.3),),
    rejects=(reject("bad-argument", "f32[2]", negative_slope=True),),
)


def _infer_hardtanh(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    c.require(c["min_val"] < c["max_val"], "max_val", f"greater than min_val, {c['min_val']:g}")
    return x


hardtanh = activation(
    "hardtanh",
    "x, clipped to min_val and max_val",
    module="Hardtanh",
    arguments=(Argument("min_val", FLOAT, -1.0), Argument("max_val", FLOAT, 1.0)),
    infer=_infer_hardtanh,
    onnx=_clip("min_val", "max_val"),
    samples=(sample("f32[N, 9]", min_val=-0.2), sample("f32[N, 9]", max_val=0.3)),
    rejects=(reject("bad-argument", "f32[2]", min_val=2.0),),
)


def _threshold_to_onnx(b: Builder, s: Site) -> Handle:
    dtype = s.type.dtype
    replaced = b.op("LessOrEqual", s.x, b.constant(s["threshold"], dtype))
    return b.op("Where", replaced, b.constant(s["value"], dtype), s.x)


threshold = activation(
    "threshold",
    "value where x <= threshold, else x",
    module="Threshold",
    arguments=(Argument("threshold", FLOAT, 0.0), Argument("value", FLOAT, 0.0)),
    always=("threshold", "value"),
    onnx=_threshold_to_onnx,
    samples=(
        sample("f32[N, 9]", threshold=0.5),
        sample("f32[N, 9]", threshold=-0.1, value=-2.5),
    ),
    rejects=(reject("bad-argument", "f32[2]", value=False),),
)


def _prelu_infer(c: Inference, x: TensorType) -> TensorType:
    c.floating(0)
    count = c["num_parameters"]
    if count > 1:
        c.rank(0, "[N, C, ...] where it has a slope for each channel", least=2)
        mismatch = SizeMismatch(
            operator="PReLU",
            operands=(0,),
            argument="num_parameters",
            what="the number of channels",
            expected=str(count),
            found=str(x.shape[1]),
        )
        c.same_size(x.shape[1], count, Fault(mismatch), "PReLU has a slope for each channel")
    return x


def _prelu_to_onnx(b: Builder, s: Site) -> Handle:
    """PRelu broadcasts the slopes from the last dim, so they are lined up with dim 1."""
    slope = s.state("weight")
    if s["num_parameters"] > 1 and s.type.rank > 2:
        shape = [s["num_parameters"], *[1] * (s.type.rank - 2)]
        slope = b.op("Reshape", slope, b.constant(shape, DType.I64))
    elif s.type.rank == 0:
        slope = b.op("Reshape", slope, b.constant([], DType.I64))
    return b.op("PRelu", s.x, slope)


PReLU = Operator(
    name="PReLU",
    summary="x where x > 0, else weight * x, with a learned slope.",
    details="One slope for all, or with `num_parameters` one for each channel, dim 1.",
    layer=True,
    inputs=(Input("x"),),
    arguments=(Argument("num_parameters", SIZE, 1), Argument("init", FLOAT, 0.25)),
    state=(
        StateSlot(
            "weight",
            lambda a: (a["num_parameters"],),
            lambda a: Initializer(name="constant", arguments={"val": a["init"]}),
        ),
    ),
    infer=_prelu_infer,
    torch=Torch(
        function=call("F.prelu", X, StateRef("weight")),
        module=call("nn.PReLU", num_parameters="num_parameters", init="init"),
    ),
    onnx={17: _prelu_to_onnx},
    tolerance=ELEMENTWISE,
    samples=(
        sample("f32[N, 5]"),
        sample("f32[N, 3, H, W]", num_parameters=3),
        sample("f32[N, 3]", num_parameters=3, init=0.5),
        sample("f32[7]"),
        sample("f16[N, 3, 4]", num_parameters=3),
    ),
    rejects=(
        reject("dtype-mismatch", "i64[2, 4]"),
        reject("rank-mismatch", "f32[4]", num_parameters=4),
        reject("size-mismatch", "f32[2, 4]", num_parameters=3),
        reject("bad-argument", "f32[2, 4]", num_parameters=0),
        reject("bad-argument", "f32[2, 4]", init="big"),
    ),
)


# ---- shrinkage -----------------------------------------------------------------------------------


_LAMBD = Argument("lambd", number(minimum=0.0), 0.5)
_SHRINK: dict[str, Any] = {
    "arguments": (_LAMBD,),
    "samples": (sample("f32[N, 9]", lambd=0.8), sample("f32[N, 9]", lambd=0.0)),
    "rejects": (reject("bad-argument", "f32[2]", lambd=-1.0),),
}


def _hardshrink_to_onnx(b: Builder, s: Site) -> Handle:
    return _shrunk(b, s, s.x)


def _softshrink_to_onnx(b: Builder, s: Site) -> Handle:
    step = b.op("Mul", b.op("Sign", s.x), b.constant(s["lambd"], s.type.dtype))
    return _shrunk(b, s, b.op("Sub", s.x, step))


def _shrunk(b: Builder, s: Site, kept: Handle) -> Handle:
    """``kept``, and 0 where |x| <= lambd; a Shrink node would make 0 of NaN."""
    dtype = s.type.dtype
    small = b.op("LessOrEqual", b.op("Abs", s.x), b.constant(s["lambd"], dtype))
    return b.op("Where", small, b.constant(0, dtype), kept)


softshrink = activation(
    "softshrink",
    "x moved towards 0 by lambd, and 0 where |x| <= lambd",
    module="Softshrink",
    onnx={17: _softshrink_to_onnx},
    **_SHRINK,
)

hardshrink = activation(
    "hardshrink",
    "x, and 0 where |x| <= lambd",
    module="Hardshrink",
    onnx={17: _hardshrink_to_onnx},
    **_SHRINK,
)
