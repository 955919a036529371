"""What is measured beside the loss, and how numbers of batches become those of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from specc.ir.graph import Network
from specc.ir.recipe import Choice
from specc.ops.operator import Operator
from specc.recipe.catalogue import LOSSES, Entry
from specc.targets.torch import module

Output = Tensor | tuple[Tensor, ...]
LossFunction = Callable[[Output, Tensor], Tensor]
"""From outputs and targets of a batch to its mean loss, a scalar."""


def brought(output: Output, device: torch.device) -> Output:
    """The outputs on a device; a net may leave them on another of its own."""
    if isinstance(output, tuple):
        return tuple(one.to(device) for one in output)
    return output.to(device)


def block_loss(
    loss: Network,
    device: torch.device,
    operators: Mapping[str, Operator] | None = None,
) -> LossFunction:
    """The function that a loss network is: the module of its emitted source."""
    block = module(loss, device=device, operators=operators)

    def value(output: Output, target: Tensor) -> Tensor:
        outputs = output if isinstance(output, tuple) else (output,)
        found: Tensor = block(*outputs, target)
        return found

    return value


def loss_function(choice: Choice) -> LossFunction:
    """The function of torch.nn.functional that a recipe's loss stands for."""
    function = getattr(F, LOSSES[choice.name].torch)

    def loss(output: Output, target: Tensor) -> Tensor:
        value: Tensor = function(output, target, **choice.arguments)
        return value

    return loss


# Each gives one number for every decision or element; their mean is the metric.


def _accuracy(output: Tensor, target: Tensor, threshold: float | None) -> Tensor:
    if threshold is None:
        return output.argmax(dim=1) == target
    return (output > threshold) == (target > 0.5)


def _squared_error(output: Tensor, target: Tensor, threshold: float | None) -> Tensor:
    return (output - target).square()


def _absolute_error(output: Tensor, target: Tensor, threshold: float | None) -> Tensor:
    return (output - target).abs()


_METRICS: Mapping[str, Callable[[Tensor, Tensor, float | None], Tensor]] = {
    "accuracy": _accuracy,
    "mse": _squared_error,
    "mae": _absolute_error,
}


class Averages:
    """Means over examples of the loss and the metrics, gathered batch by batch in float64."""

    def __init__(self, loss: Entry, metrics: Sequence[Choice]) -> None:
        self._metrics = [metric.name for metric in metrics]
        self._threshold = loss.threshold
        self._sums: dict[str, Tensor | float] = dict.fromkeys(["loss", *self._metrics], 0.0)
        self._examples = 0

    @torch.no_grad()
    def add(self, loss: Tensor, output: Output, target: Tensor) -> None:
        """Takes a batch in: its mean loss, its outputs [B, ...] and its targets [B, ...]."""
        size = len(target)
        self._examples += size
        self._sums["loss"] += loss.double() * size
        for name in self._metrics:
            assert isinstance(output, Tensor), "of several outputs nothing is measured"
            found = _METRICS[name](output, target, self._threshold)
            self._sums[name] += found.double().mean() * size

    def means(self) -> dict[str, float]:
        """The loss and each metric by name. At least one batch has been taken in."""
        assert self._examples, "no batch"
        return {name: float(total) / self._examples for name, total in self._sums.items()}
