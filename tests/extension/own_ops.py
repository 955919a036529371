"""Operators that a host might define, one of each form; a module, as a host's would be."""

from __future__ import annotations

from typing import Any

import torch
from onnx import helper
from torch import nn
from torch.nn import functional as F

import specc

# ---- a function, and standard nodes


def swish(x: torch.Tensor, beta: float) -> torch.Tensor:
    """x * sigmoid(beta * x), elementwise."""
    return x * torch.sigmoid(beta * x)


def swish_to_onnx(b: Any, s: Any) -> Any:
    scaled = b.op("Mul", s.x, b.constant(s["beta"], s.type.dtype))
    return b.op("Mul", s.x, b.op("Sigmoid", scaled))


swish2 = specc.op(
    "swish2(beta = 1.0)(x: [...]) -> [...]",
    torch=swish,
    onnx=swish_to_onnx,
    samples=[
        specc.sample("f32[N, 4]"),
        specc.sample("f32[2, 3]", beta=2.0),
        specc.sample("f64[N]", beta=-0.5),
        specc.sample("f16[2, T]"),
    ],
    rejects=[
        specc.reject("dtype-mismatch", "i64[3]"),
        specc.reject("bad-argument", "f32[3]", beta="steep"),
    ],
)


# ---- state, a size that follows from the input, and an ONNX function


def low_rank(
    x: torch.Tensor, down: torch.Tensor, up: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """x @ down @ up + bias, a linear layer of low rank."""
    y = x @ down @ up
    return y if bias is None else y + bias


_BODY = helper.make_function(
    "com.example",
    "LowRank",
    inputs=["x", "down", "up", "bias"],
    outputs=["y"],
    nodes=[
        helper.make_node("MatMul", ["x", "down"], ["h"]),
        helper.make_node("MatMul", ["h", "up"], ["z"]),
        helper.make_node("Add", ["z", "bias"], ["y"]),
    ],
    opset_imports=[helper.make_opsetid("", 18)],
)


def low_rank_to_onnx(b: Any, s: Any) -> Any:
    bias = s.state("bias")
    if bias is None:
        bias = b.constant([0.0] * s["features"], s.type.dtype)
    return b.function(_BODY, s.x, s.state("down"), s.state("up"), bias)


LowRank = specc.op(
    "LowRank(features: int, rank: int, bias = true)(x: [..., D]) -> [..., features]",
    torch=low_rank,
    onnx=low_rank_to_onnx,
    state=[
        "param down: [D, rank] ~ xavier_uniform",
        "param up: [rank, features] ~ normal(std=1 / rank ** 0.5)",
        "param bias: [features] ~ zeros if bias else none",
    ],
    samples=[
        specc.sample("f32[N, 4]", features=3, rank=2),
        specc.sample("f32[N, T, 6]", features=5, rank=1, bias=False),
        specc.sample("f64[4]", features=2, rank=2),
    ],
    rejects=[
        specc.reject("unknown-size", "f32[2, D]", features=3, rank=2),
        specc.reject("bad-argument", "f32[2, 4]", features=3, rank=0),
        specc.reject("rank-mismatch", "f32[]", features=3, rank=2),
    ],
)


# ---- a class, with a buffer, and a function that is the whole ONNX form


class Center(nn.Module):
    """x minus a running mean of each feature, which training updates."""

    mean: torch.Tensor

    def __init__(self, features: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(features))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.mean.lerp_(x.mean(0), self.momentum)
        return x - self.mean


center = specc.op(
    "Center(momentum = 0.25)(x: [N, features]) -> [N, features]",
    module=Center,
    onnx=helper.make_function(
        "com.example",
        "Center",
        inputs=["x", "mean"],
        outputs=["y"],
        nodes=[helper.make_node("Sub", ["x", "mean"], ["y"])],
        opset_imports=[helper.make_opsetid("", 17)],
    ),
    state=["buffer mean: [features] ~ zeros"],
    training_only=["momentum"],
    samples=[specc.sample("f32[N, 3]"), specc.sample("f32[2, 4]", momentum=0.75)],
    rejects=[specc.reject("dtype-mismatch", "f64[2, 3]"), specc.reject("rank-mismatch", "f32[2]")],
)


# ---- a node of a domain that is not ONNX's own, and a rule in Python


def pair_distance(x: torch.Tensor, y: torch.Tensor, power: float) -> torch.Tensor:
    """The distance of each row of x to each row of y in a power norm."""
    return torch.cdist(x, y, p=power)


distances = specc.op(
    "distances(power = 2.0)(x: [N, D], y: [M, D]) -> [N, M]",
    torch=pair_distance,
    onnx=specc.OnnxNode("com.example", "Distances", version=2),
    samples=[
        specc.sample("f32[N, 3]", "f32[M, 3]"),
        specc.sample("f32[2, 3]", "f32[4, 3]", power=1.0),
    ],
    rejects=[
        specc.reject("size-mismatch", "f32[2, 3]", "f32[2, 4]"),
        specc.reject("dtype-mismatch", "f32[2, 3]", "f64[2, 3]"),
    ],
)


def _halved(c: Any, x: Any) -> Any:
    c.require(x.rank >= 1, "x", "of one dim or more")
    return x.with_dim(-1, c.size(x.shape[-1] // 2, "half of the last dim"))


def glu(x: torch.Tensor) -> torch.Tensor:
    """The first half of the features, each as far as the other half lets it pass."""
    return F.glu(x)


def glu_to_onnx(b: Any, s: Any) -> Any:
    a, gate = b.op("Split", s.x, outputs=2, axis=-1, num_outputs=2 if b.opset >= 18 else None)
    return b.op("Mul", a, b.op("Sigmoid", gate))


gated = specc.op(
    "gated(x: [...])",
    torch=glu,
    infer=_halved,
    onnx=glu_to_onnx,
    samples=[specc.sample("f32[N, 6]"), specc.sample("f64[4, 2]")],
)

EVERY = [swish2, LowRank, center, distances, gated]
