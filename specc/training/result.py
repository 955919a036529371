"""What a run is, what happens during it and what it leaves, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import nn

Outcome = Literal["finished", "interrupted"]


@dataclass(frozen=True)
class Run:
    """A run that is about to begin.

    ``batch`` counts examples, ``parameters`` the elements that are trained, ``frozen`` those that
    the recipe leaves as they are.
    """

    network: str
    device: str
    parameters: int
    train_examples: int
    test_examples: int
    batch: int
    epochs: int
    steps: int
    frozen: int = 0


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples: means of the loss and the metrics, by name.

    ``train`` is measured on each batch before its update, in train mode; ``test`` on the held-out
    examples after the last, in eval mode. ``step`` counts updates since the run began, ``seconds``
    is this epoch's time, ``learning_rate`` that of its last update.
    """

    epoch: int
    step: int
    train: Mapping[str, float]
    test: Mapping[str, float]
    learning_rate: float
    seconds: float

    def flat(self) -> dict[str, float]:
        """A line of ``metrics.jsonl``: ``train_loss``, ``test_accuracy`` and so on."""
        numbers: dict[str, float] = {"epoch": self.epoch, "step": self.step}
        numbers |= {f"train_{name}": value for name, value in self.train.items()}
        numbers |= {f"test_{name}": value for name, value in self.test.items()}
        return numbers | {"learning_rate": self.learning_rate, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Result:
    """What training gave.

    The numbers of an ``interrupted`` run end with its last whole epoch; its module holds the
    weights at the moment of the interruption. ``paths`` names the files written: ``weights``,
    ``metrics``, ``curves``. The module is in eval mode.
    """

    outcome: Outcome
    epochs: tuple[Epoch, ...]
    seconds: float
    module: nn.Module
    paths: Mapping[str, Path]

    @property
    def final(self) -> Mapping[str, float]:
        """Loss and metrics on the held-out examples after the last whole epoch."""
        return self.epochs[-1].test if self.epochs else {}


class Progress(Protocol):
    """Whoever watches a run. Calls come in this order, and ``ended`` in any case."""

    def started(self, run: Run) -> None:
        """The data are loaded and the first update is next."""

    def stepped(self, epoch: int, examples: int, loss: float) -> None:
        """An update on so many examples, and their mean loss before it."""

    def epoch_ended(self, epoch: Epoch) -> None:
        """The held-out examples are evaluated."""

    def ended(self, outcome: Outcome | None) -> None:
        """There will be no more updates. The outcome is None where the run failed."""


class Silent:
    """Watches and says nothing."""

    def started(self, run: Run) -> None:
        """Nothing."""

    def stepped(self, epoch: int, examples: int, loss: float) -> None:
        """Nothing."""

    def epoch_ended(self, epoch: Epoch) -> None:
        """Nothing."""

    def ended(self, outcome: Outcome | None) -> None:
        """Nothing."""
