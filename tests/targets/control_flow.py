"""Networks with run-time loops and branches, and the same computations written by hand in PyTorch.

Each function takes the network's inputs and its weights by name. Each network gives beside its
answer how many turns its loops took.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Tensors = Mapping[str, torch.Tensor]
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Example:
    """A spec, what it computes, and how its inputs are drawn."""

    text: str
    by_hand: Callable[..., torch.Tensor | tuple[torch.Tensor, ...]]
    draw: Callable[[np.random.Generator], Inputs]


def _normal(shape: tuple[int, ...], scale: float = 1.0) -> Callable[[np.random.Generator], Inputs]:
    """One input ``x``; its magnitude differs from draw to draw, and with it the turns."""

    def draw(random: np.random.Generator) -> Inputs:
        rows = int(random.integers(1, 6))
        magnitude = scale * float(10 ** random.uniform(-2, 1.5))
        x = random.standard_normal((rows, *shape)) * magnitude
        return {"x": x.astype(np.float32)}

    return draw


# ---- the showcase --------------------------------------------------------------------------------

FIXED_HIDDEN = """
net FixedHidden(x: [N, 20]) -> (sum: [], turns: i64[]) {
    const rand_weight: [20, 20] ~ uniform(0, 1)
    linear = Linear(20)
    x = linear(x)
    x = relu(x @ rand_weight + 1)
    x = linear(x)
    turns = full([], 0, dtype=i64)
    while sum(abs(x)) > 1 {
        x = x / 2
        turns = turns + 1
    }
    return sum(x), turns
}

# So that a hidden layer of zeros, as a very negative one is, takes no turn.
init { Linear.bias ~ uniform(-0.01, 0.01) }
"""


def fixed_hidden(x: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    weight, bias = weights["linear.weight"], weights["linear.bias"]
    x = F.linear(x, weight, bias)
    x = F.relu(x @ weights["rand_weight"] + 1)
    x = F.linear(x, weight, bias)
    turns = 0
    while x.abs().sum() > 1:
        x = x / 2
        turns += 1
    return x.sum(), torch.tensor(turns)


# ---- a loop and nothing else: 0 turns are common ------------------------------------------------

HALVE = """
net Halve(x: [N, 3]) -> (y: [N, 3], turns: i64[]) {
    turns = full([], 0, dtype=i64)
    while max(abs(x)) > 0.5 {
        x = x / 2
        turns = turns + 1
    }
    return x, turns
}
"""


def halve(x: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    turns = 0
    while x.abs().max() > 0.5:
        x = x / 2
        turns += 1
    return x, torch.tensor(turns)


# ---- layers in branches in a loop in a block, the block applied twice ---------------------------

SETTLE = """
block Settle(limit: float)(x: [N, C], turns: i64[]) -> ([N, C], i64[]) {
    step = Linear(C)
    other = Linear(C)
    while mean(abs(x)) > limit {
        if mean(x) > 0 {
            x = tanh(step(x)) * mean(abs(x)) / 2
        } else if mean(x[:, 0]) > 0 {
            x = other(x) |> tanh |> step
            x = x / (mean(abs(x)) + 2)
        } else {
            x = x / 4
        }
        turns = turns + 1
    }
    return x, turns
}

net Settled(x: [N, 6]) -> (y: [N, 6], turns: i64[]) {
    settle = Settle(0.5)
    x, turns = settle(x, full([], 0, dtype=i64))
    return settle(x * 7, turns)
}
"""


def settle(x: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    def step(x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights["settle.step.weight"], weights["settle.step.bias"])

    def other(x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights["settle.other.weight"], weights["settle.other.bias"])

    turns = 0
    for factor in (1, 7):
        x = x * factor
        while x.abs().mean() > 0.5:
            if x.mean() > 0:
                x = torch.tanh(step(x)) * x.abs().mean() / 2
            elif x[:, 0].mean() > 0:
                x = step(torch.tanh(other(x)))
                x = x / (x.abs().mean() + 2)
            else:
                x = x / 4
            turns += 1
    return x, torch.tensor(turns)


# ---- loops in loops, and one in a condition ------------------------------------------------------

NESTED = """
block Small(x: [N, C]) -> bool[] {
    while sum(abs(x)) > 8 { x = x / 3 }
    return sum(abs(x)) < 4
}

net Nested(x: [N, 5]) -> (y: [N, 5], turns: i64[], inner: i64[]) {
    turns = full([], 0, dtype=i64)
    inner = full([], 0, dtype=i64)
    small = Small()
    while small(x) and turns < 9 {
        y = x
        while sum(abs(y)) < 3 + turns {
            y = y * 2 + N
            inner = inner + 1
        }
        x = y + 0.5
        turns = turns + 1
    }
    return x, turns, inner
}
"""


def nested(x: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    def small(x: torch.Tensor) -> bool:
        while x.abs().sum() > 8:
            x = x / 3
        return bool(x.abs().sum() < 4)

    turns = inner = 0
    while small(x) and turns < 9:
        y = x
        while y.abs().sum() < 3 + turns:
            y = y * 2 + x.shape[0]
            inner += 1
        x = y + 0.5
        turns += 1
    return x, torch.tensor(turns), torch.tensor(inner)


# ---- carried values that trade places; a branch that gives values of the outside -----------------

SWAP = """
net Swap(x: [N, 4], count: i64[]) -> (a: [N, 4], b: [N, 4], turns: i64[]) {
    a = x
    b = x * 2
    turns = full([], 0, dtype=i64)
    while turns < count {
        t = a
        a = b
        b = t + 1
        turns = turns + 1
    }
    if mean(a) > mean(b) { a, b = (b, a) }
    return a, b, turns
}
"""


def swap(x: torch.Tensor, count: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    a, b, turns = x, x * 2, 0
    while turns < count:
        a, b = b, a + 1
        turns += 1
    if a.mean() > b.mean():
        a, b = b, a
    return a, b, torch.tensor(turns)


def _draw_swap(random: np.random.Generator) -> Inputs:
    x = random.standard_normal((int(random.integers(1, 4)), 4)).astype(np.float32)
    return {"x": x, "count": np.asarray(random.integers(0, 9), np.int64)}


# ---- results that are returned early, and choices between values --------------------------------

EXITS = """
block Exits(x: [N, 3], turns: i64[]) -> ([N, 3], i64[]) {
    step = Linear(3)
    if mean(x) > 0.5 { return x * 2, turns } else if min(x) < -8 { x = x + 1 }
    for i in 1..3 {
        x = step(x) if sum(x) > 0 else (tanh(x) if mean(x) < -0.3 else x)
        if i < 2 {
            if max(abs(x)) < 0.5 { return x - i, turns + i }
        } else {
            if max(x) < 0.7 { x = x / 2 } else { return x, turns }
        }
    }
    return x |> Linear(3), turns
}

net Out(x: [N, 3]) -> (y: [N, 3], turns: i64[]) {
    turns = full([], 0, dtype=i64)
    while max(abs(x)) > 9 {
        x = x / 2
        turns = turns + 2
    }
    Exits()(x, turns)
}
"""


def exits(x: torch.Tensor, weights: Tensors) -> tuple[torch.Tensor, ...]:
    def layer(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights[f"exits1.{name}.weight"], weights[f"exits1.{name}.bias"])

    turns = 0
    while x.abs().max() > 9:
        x = x / 2
        turns += 2
    if x.mean() > 0.5:
        return x * 2, torch.tensor(turns)
    if x.min() < -8:
        x = x + 1
    for i in (1, 2):
        if x.sum() > 0:
            x = layer("step", x)
        elif x.mean() < -0.3:
            x = torch.tanh(x)
        if i < 2:
            if x.abs().max() < 0.5:
                return x - i, torch.tensor(turns + i)
        elif x.max() < 0.7:
            x = x / 2
        else:
            return x, torch.tensor(turns)
    return layer("linear1", x), torch.tensor(turns)


EXAMPLES: dict[str, Example] = {
    "fixed hidden": Example(FIXED_HIDDEN, fixed_hidden, _normal((20,))),
    "halve": Example(HALVE, halve, _normal((3,), 0.5)),
    "settle": Example(SETTLE, settle, _normal((6,))),
    "nested": Example(NESTED, nested, _normal((5,), 0.3)),
    "exits": Example(EXITS, exits, _normal((3,), 3.0)),
    "swap": Example(SWAP, swap, _draw_swap),
}
