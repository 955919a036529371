"""Softmax and its like: normalized along one dim."""

from __future__ import annotations

from typing import Any

from specc.ir.types import TensorType
from specc.ops.activation_entry import activation, node
from specc.ops.arguments import INT, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.operator import Inference, reject, sample

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

log_softmax = activation(
    "log_softmax",
    "log(softmax(x)) along dim, computed without underflow",
    module="LogSoftmax",
    onnx=node("LogSoftmax", axis="dim"),
    **_SOFTMAX,
)


def _softmin_to_onnx(b: Builder, s: Site) -> Handle:
    return b.op("Softmax", b.op("Neg", s.x), axis=s["dim"])


softmin = activation(
    "softmin", "softmax(-x) along dim", module="Softmin", onnx=_softmin_to_onnx, **_SOFTMAX
)
