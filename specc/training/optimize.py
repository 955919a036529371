"""Optimizers and learning rates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import nn

from specc.ir.recipe import Choice
from specc.recipe.catalogue import OPTIMIZERS

Rate = Callable[[int], float]
"""The learning rate of update 0, 1, 2, ..."""


def optimizer(choice: Choice, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of torch.optim that a recipe names."""
    kind = getattr(torch.optim, OPTIMIZERS[choice.name].torch)
    made: torch.optim.Optimizer = kind(parameters, **choice.arguments)
    return made


def learning_rate(schedule: Choice, base: float, *, steps: int, steps_per_epoch: int) -> Rate:
    """The learning rate at each update of a run of ``steps``, a function of the update alone.

    >>> rate = learning_rate(Choice(name="cosine", arguments={"eta_min": 0.0}), 1.0,
    ...                      steps=100, steps_per_epoch=10)
    >>> rate(0), round(rate(50), 3)
    (1.0, 0.5)
    """
    arguments = schedule.arguments
    if schedule.name == "cosine":
        least = _number(arguments["eta_min"])
        return lambda step: least + (base - least) * (1 + math.cos(math.pi * step / steps)) / 2
    if schedule.name == "step":
        gamma, size = _number(arguments["gamma"]), _number(arguments["step_size"])
        return lambda step: base * gamma ** (step // steps_per_epoch // size)
    assert schedule.name == "constant", schedule.name
    return lambda step: base


def _number(value: object) -> float:
    assert isinstance(value, int | float), value
    return value
