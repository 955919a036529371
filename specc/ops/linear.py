"""Linear: y = x Wᵀ + b over the last dim."""

from __future__ import annotations

import math

from specc.ir.dims import Dim
from specc.ir.initializer import Initializer
from specc.ir.types import TensorType
from specc.ops.arguments import FLAG, SIZE, Argument
from specc.ops.builder import Builder, Handle, Site
from specc.ops.code import StateRef, X, call
from specc.ops.operator import (
    Inference,
    Input,
    Operator,
    StateSlot,
    Torch,
    Values,
    reject,
    sample,
)
from specc.ops.parts import reshape
from specc.ops.tolerances import SUMMED


def kaiming_weight() -> Initializer:
    """How ``nn.Linear`` and ``nn.Conv`` draw their weight: U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
    return Initializer(name="kaiming_uniform", arguments={"a": math.sqrt(5)})


def fan_in_bias(fan_in: int) -> Initializer:
    """How ``nn.Linear`` and ``nn.Conv`` draw their bias: U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
    bound = 1 / math.sqrt(fan_in)
    return Initializer(name="uniform", arguments={"a": -bound, "b": bound})


def _infer(c: Inference, x: TensorType) -> TensorType:
    c.rank(0, "a tensor of at least one dim", least=1)
    c.floating(0)
    c.derive("in_features", c.known(0, -1, "the last dim"))
    return x.with_dim(-1, c["features"])


def _to_onnx(b: Builder, s: Site) -> Handle:
    """Gemm reads the weight as it is stored.

    A MatMul would need its transpose, which onnxruntime folds into a second copy of a weight that
    an embedding shares. Reshapes cost nothing, and Gemm adds the bias in the same pass.
    """
    weight, bias = s.state("weight"), s.state("bias")
    if s.type.rank == 2:
        return b.op("Gemm", s.x, weight, bias, transB=1)
    rows = reshape(b, s.x, (-1, s["in_features"]))
    return reshape(b, b.op("Gemm", rows, weight, bias, transB=1), s.result.shape)


def _multiply_adds(attributes: Values, types: tuple[TensorType, ...], result: TensorType) -> Dim:
    total: Dim = attributes["in_features"]
    for dim in result.shape:
        total = total * dim
    return total


Linear = Operator(
    name="Linear",
    summary="A fully connected layer: x Wᵀ + b over the last dim.",
    details=(
        "Any number of leading dims; the size of the last one must be known when compiling. "
        "`weight` is [features, in_features], as in PyTorch."
    ),
    layer=True,
    inputs=(Input("x"),),
    arguments=(Argument("features", SIZE), Argument("bias", FLAG, True)),
    state=(
        StateSlot(
            "weight",
            lambda a: (a["features"], a["in_features"]),
            lambda a: kaiming_weight(),
        ),
        StateSlot(
            "bias",
            lambda a: (a["features"],),
            lambda a: fan_in_bias(a["in_features"]),
            when=lambda a: bool(a["bias"]),
        ),
    ),
    infer=_infer,
    torch=Torch(
        function=call("F.linear", X, StateRef("weight"), StateRef("bias")),
        module=call("nn.Linear", "in_features", "features", bias="bias"),
    ),
    onnx={17: _to_onnx},
    multiply_adds=_multiply_adds,
    tolerance=SUMMED,
    samples=(
        sample("f32[4, 3]", features=5),
        sample("f32[N, 8]", features=1),
        sample("f32[N, 8]", features=7, bias=False),
        sample("f32[N, T, 6]", features=4),
        sample("f32[N, 5, 6]", features=4, bias=False),
        sample("f32[6]", features=4),
        sample("f32[2, A, B, 3]", features=2),
        sample("f64[N, 8]", features=3),
        sample("f16[N, 8]", features=3),
        sample("bf16[N, T, 8]", features=3),
    ),
    rejects=(
        reject("rank-mismatch", "f32[]", features=3),
        reject("dtype-mismatch", "i64[2, 3]", features=3),
        reject("unknown-size", "f32[2, D]", features=3),
        reject("bad-argument", "f32[2, 3]", features=0),
        reject("empty-size", "f32[2, 0]", features=3),
        reject("bad-argument", "f32[2, 3]", features=True),
        reject("bad-argument", "f32[2, 3]", features=3, bias=1),
    ),
)

OPERATORS = (Linear,)
