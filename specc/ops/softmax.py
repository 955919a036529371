"""Softmax and its like: normalized along one dim."""

from __future__ import annotations

from typing import Any

from specc.ir.types import DType, TensorType
from specc.ops.activation_entry import activation, node
from specc.ops.arguments import INT, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.operator import Inference, reject, sample
from specc.ops.reducing import reduce_over

DIM = Argument("dim", INT, -1)


def infer_along_dim(c: Inference, x: TensorType) -> TensorType:
    """The rule of what works along ``dim``: any float tensor that has it gives one like it."""
    c.rank(0, "a tensor of at least one dim", least=1)
    c.floating(0)
    c.axis("dim", c["dim"], x.rank)
    return x


_SOFTMAX: dict[str, Any] = {
    "arguments": (DIM,),
    "always": ("dim",),  # without it PyTorch guesses the dim, and warns
    "infer": infer_along_dim,
    "samples": (
        sample("f32[N, 3, H, W]", dim=1),
        sample("f32[N, 6]", dim=0),
        sample("f64[2, T]", dim=-2),
    ),
    "rejects": (
        reject("rank-mismatch", "f32[]"),
        reject("bad-argument", "f32[2, 3]", dim=2),
        reject("bad-argument", "f32[2, 3]", dim=1.5),
    ),
}

softmax = activation(
    "softmax",
    "exp(x) / sum(exp(x)) along dim",
    module="Softmax",
    onnx=node("Softmax", axis="dim"),
    **_SOFTMAX,
)


def _log_softmax_to_onnx(b: Builder, s: Site) -> Handle:
    """log(exp(x - m) / sum(exp(x - m))), with the greatest element m."""
    if s.type.dtype is not DType.F64:
        return b.op("LogSoftmax", s.x, axis=s["dim"])
    # Of f64 along an inner dim onnxruntime's LogSoftmax spreads a NaN over other rows.
    axes = [s["dim"] % s.type.rank]
    moved = b.op("Sub", s.x, reduce_over(b, "ReduceMax", s.x, axes, True))
    total = reduce_over(b, "ReduceSum", b.op("Exp", moved), axes, True)
    return b.op("Sub", moved, b.op("Log", total))


log_softmax = activation(
    "log_softmax",
    "log(softmax(x)) along dim, computed without underflow",
    module="LogSoftmax",
    onnx=_log_softmax_to_onnx,
    onnx_note="It is `LogSoftmax`, but in f64, where onnxruntime's spreads NaN too far.",
    **_SOFTMAX,
)


def _softmin_to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Softmax", b.op("Neg", s.x), axis=s["dim"])


softmin = activation(
    "softmin", "softmax(-x) along dim", module="Softmin", onnx=_softmin_to_onnx, **_SOFTMAX
)
