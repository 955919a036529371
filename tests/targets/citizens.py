"""Small nets that between them use what a module may be made of, and inputs for them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import torch

import specc

TEXTS = {
    "mlp": """
net MLP(x: [N, 8]) -> [N, 3] {
    x |> hidden: Linear(16) |> relu |> dropped: Dropout(0.5) |> out: Linear(3)
}
init { Linear.bias ~ zeros }
""",
    "convolutional": """
net Convolutional(x: [N, 1, H, W]) -> [N, 10] {
    x |> Conv(6, 5, padding=2) |> BatchNorm |> sigmoid |> AvgPool(2)
      |> Conv(8, 5)            |> BatchNorm |> sigmoid |> AvgPool(2)
      |> AdaptiveAvgPool(1) |> flatten |> Linear(10)
}
""",
    "residual": """
block Residual(channels: int, stride = 1)(x: [N, C, H, W]) -> [N, channels, H2, W2] {
    y = x |> conv1: Conv(channels, 3, stride=stride, padding=1, bias=false)
          |> bn1: BatchNorm |> relu
          |> conv2: Conv(channels, 3, padding=1, bias=false) |> bn2: BatchNorm
    if stride != 1 or C != channels {
        x = x |> downsample: [Conv(channels, 1, stride=stride, bias=false), BatchNorm]
    }
    return relu(x + y)
}
net Stages(x: [N, 3, H, W]) -> [N, 5] {
    x |> layer1: [Residual(4), Residual(4)] |> layer2: [Residual(8, stride=2), Residual(8)]
      |> AdaptiveAvgPool(1) |> flatten |> fc: Linear(5)
}
""",
    "shared": """
block Apply(inner: layer)(x: [N, D]) = x + inner(x)
net Shared(x: [N, 8], y: [N, 8]) -> (p: [N, 8], q: [N, 4]) {
    hidden = Linear(8)
    tower = [Linear(4), relu]
    a = x |> Apply(hidden) |> Apply(hidden)
    return a, tower(a) + tower(y)
}
""",
    "tied": """
net Tied(vocab = 20, width = 8)(x: i64[N, T]) -> [N, T, vocab] {
    const mask: [T, T] = tril(ones(T, T))
    const scale: [width] ~ uniform(1, 2)
    embed = Embedding(vocab, width, padding_idx=0)
    y = (mask @ embed(x)) * scale * (x > 0)[:, :, none]
    return y |> Linear(width) |> gelu |> head: Linear(vocab, bias=false, weight=embed.weight)
}
""",
}

SIZES = ({"N": 2, "T": 5, "H": 20, "W": 24}, {"N": 3, "T": 7, "H": 31, "W": 28})


@cache
def program(name: str) -> specc.Program:
    """``lenet``, or one of ``TEXTS``."""
    return specc.compile("std.lenet" if name == "lenet" else TEXTS[name])


def inputs(
    name: str, sizes: Mapping[str, int] = SIZES[0], seed: int = 0
) -> tuple[torch.Tensor, ...]:
    """Random inputs at these sizes, the same ones for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for port in program(name).inputs:
        shape = [dim if isinstance(dim, int) else sizes[dim] for dim in port.dims]
        if port.dtype == "i64":
            found.append(torch.randint(20, shape, generator=generator))
        else:
            found.append(torch.randn(shape, generator=generator))
    return tuple(found)


NAMES = ("lenet", *TEXTS)
