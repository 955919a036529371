"""Two small nets with recipes, and what tests ask of their runs."""

from __future__ import annotations

from pathlib import Path

import torch

import specc
from specc.training import Result

DROPOUT_NET = """
net Digits(x: [N, 64]) -> [N, 10] {
    x |> Linear(16) |> BatchNorm |> relu |> Dropout(0.3) |> Linear(10)
}
train {
    data = digits
    loss = cross_entropy
    optimizer = adam(lr=5e-3)
    epochs = 2
    batch = 64
    metrics = [accuracy]
}
"""

LINE = """
net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }
train {
    data = synthetic_regression(examples=100)
    loss = mse
    optimizer = sgd(lr=0.05)
    epochs = 3
    batch = 16
    metrics = [mae, mse]
}
"""


def trained(text: str, out: Path | None = None, seed: int | None = None, **settings: str) -> Result:
    program = specc.compile(text, settings=settings)
    return specc.train(program, out, seed=seed, device="cpu")


def state(result: Result) -> dict[str, torch.Tensor]:
    return result.module.state_dict()


def same(one: Result, other: Result) -> bool:
    return all(torch.equal(a, state(other)[name]) for name, a in state(one).items())


def numbers(result: Result) -> list[dict[str, float]]:
    return [{k: v for k, v in e.flat().items() if k != "seconds"} for e in result.epochs]
