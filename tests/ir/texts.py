"""Specs that between them use all of the language, for tests that need real networks."""

from __future__ import annotations

from tests.ir.devices import DEVICES
from tests.ir.regions import CONTROL, SCANNED

RESIDUAL = """
block Residual(channels: int, stride = 1)(x: [N, C, H, W]) -> [N, channels, H2, W2] {
    y = x |> conv1: Conv(channels, 3, stride=stride, padding=1, bias=false)
          |> bn1: BatchNorm |> relu
          |> conv2: Conv(channels, 3, padding=1, bias=false)                |> bn2: BatchNorm
    if stride != 1 or C != channels {
        x = x |> downsample: [Conv(channels, 1, stride=stride, bias=false), BatchNorm]
    }
    return relu(x + y)
}

net Stages(x: [N, 3, H, W]) -> [N, 10] {
    x |> "layer1": [Residual(8), Residual(8)]
      |> "layer2": [Residual(16, 2), Residual(16)]
      |> mean(dim=[2, 3]) |> fc: Linear(10)
}
"""

SHARED = """
net Shared(x: [N, 8]) -> [N, 8] {
    inner = Linear(8)
    x |> inner |> relu |> inner |> tanh |> inner
}
"""

TIED = """
net Tied(vocab = 30, width = 6)(x: i64[N, T]) -> [N, T, vocab] {
    embed = Embedding(vocab, width)
    return embed(x) |> Linear(width) |> gelu |> Linear(vocab, bias=false, weight=embed.weight)
}
"""

HANDED = """
block Twice(inner: layer)(x: [N, D]) -> [N, D] { x |> inner |> relu |> inner }

net Handed(x: [N, 6]) -> [N, 6] {
    core = Linear(6)
    x |> first: Twice(core) |> second: Twice(core) |> core
}
"""

HANDED_LIST = """
block Before(inner: layer)(x: [N, D]) -> [N, D] { x |> [inner, relu] }

net HandedList(x: [N, 4]) -> [N, 4] {
    shared = [Linear(4), tanh]
    x |> Before(shared) |> Before(shared) |> shared
}
"""

LISTS = """
block Stack(convs: int, channels: int) =
    [*[Conv(channels, 3, padding=1), relu] for i in 0..convs, MaxPool(2)]

net Lists(norm = true)(x: [N, 3, 16, 16]) -> [N, 5] {
    x |> features: [Stack(1, 4), Stack(2, 6), BatchNorm if norm]
      |> flatten |> head: [hidden: Linear(7), relu, Dropout(0.2), Linear(5)]
}
"""

BRANCHES = """
block Inception(narrow: int, wide: int)(x: [N, C, H, W]) -> [N, _, H, W] {
    x |> (a: Conv(narrow, 1), b: [Conv(wide, 3, padding=1), relu],
          c: [MaxPool(3, stride=1, padding=1), Conv(narrow, 1)]) |> concat(dim=1)
}

net Branches(x: [N, 3, H, W]) -> [N, 2] {
    x |> Inception(4, 6) |> Inception(5, 8) |> mean(dim=[2, 3]) |> Linear(2)
}
"""

ATTENTION = """
block Heads(heads: int)(x: [N, T, D]) -> [N, T, D] {
    assert D % heads == 0, "width {D} cannot be split into {heads} heads"
    q = x |> q: Linear(D) |> reshape(N, T, heads, D // heads) |> transpose(1, 2)
    k = x |> k: Linear(D) |> reshape(N, T, heads, D // heads) |> transpose(1, 2)
    v = x |> v: Linear(D) |> reshape(N, T, heads, D // heads) |> transpose(1, 2)
    scores = (q @ transpose(k, 2, 3)) / (D // heads) ** 0.5
    y = softmax(scores, dim=3) @ v
    return y |> transpose(1, 2) |> reshape(N, T, D) |> proj: Linear(D)
}

net Encoder(depth = 2)(x: [N, T, 12]) -> [N, T, 12] {
    for i in 0..depth {
        x = x + (x |> "norm{i}": LayerNorm |> "attention{i}": Heads(3))
    }
    return x
}
"""

STATE = """
block MyLinear(units: int)(x: [N, D]) -> [N, units] {
    param weight: [D, units] ~ normal
    param bias: [units] ~ zeros
    return relu(x @ weight + bias)
}

net State(x: [N, 20]) -> [] {
    const fixed: [20, 20] ~ uniform(0, 1)
    linear = Linear(20)
    x = x |> linear |> MyLinear(20)
    x = relu(x @ fixed + 1) |> linear |> MyLinear(4)
    return sum(x)
}
"""

SYMBOLIC = """
net Symbolic(image: [N, 3, H, W], scale: [W]) -> (logits: [N, 4], pooled: [N, 4, _, _]) {
    y = image * scale |> Conv(4, 5, stride=2) |> AvgPool(2)
    return mean(y, dim=[2, 3]), y[:, :, 1:]
}
"""

RECIPE = """
def half(n: int) = n // 2

net Recipe(width = 16, bias = true)(x: [N, 8, 8]) -> [N, 10] {
    init { "hidden.weight" ~ normal(std = 0.5 / width) }
    x |> flatten |> hidden: Linear(width, bias=bias) |> relu
      |> out: Linear(10, bias ~ constant(0.5))
      |> log_softmax(dim=1) |> half_width: Linear(half(width), bias=false) |> Linear(10)
}

init {
    Linear.weight ~ xavier_uniform(gain=2)
    "out.*" ~ uniform(-1, 1)
}

train {
    data      = digits(resize=8)
    loss      = cross_entropy
    optimizer = adam(lr=5e-3, betas=[0.8, 0.9])
    epochs    = 3
    metrics   = [accuracy]
}
"""

CREATED = """
net Created(x: [N, T, 4]) -> [N, T, T] {
    const mask: [T, T] = tril(ones(T, T))
    scores = x @ transpose(x, 1, 2)
    return softmax(scores * mask - 1e9 * (1 - mask), dim=2)
}
"""

INTEGERS = """
net Integers(x: i64[N, T], y: f64[N, 1]) -> (best: i64[N], flags: bool[N, T], sum: f64[N, T]) {
    return argmax(x, dim=1), x > 3, x + y
}
"""

TEXTS = {
    "residual": RESIDUAL,
    "shared": SHARED,
    "tied": TIED,
    "handed": HANDED,
    "handed-list": HANDED_LIST,
    "lists": LISTS,
    "branches": BRANCHES,
    "attention": ATTENTION,
    "state": STATE,
    "symbolic": SYMBOLIC,
    "recipe": RECIPE,
    "created": CREATED,
    "integers": INTEGERS,
    "control": CONTROL,
    "scanned": SCANNED,
    "devices": DEVICES,
}
