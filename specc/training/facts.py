"""What can go wrong when a network is trained, and how it reads.

A class's docstring is its entry in ``docs/errors.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact, Fault


class RunFailed(Fault):
    """A run that had begun and cannot go on; the spec may be right."""


@dataclass(frozen=True, kw_only=True)
class BadData(Fact):
    """A data file is missing, damaged, or holds something other than the arrays that are wanted.

    Arrays of Python objects are refused without being read, since reading them could run code.
    """

    code = "bad-data"
    data: str
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.data} cannot be used: {self.problem}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class DataMismatch(Fact):
    """The data and the network do not fit together: a shape, a dtype, the number of classes."""

    code = "data-mismatch"
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.problem

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class NothingToTrain(Fact):
    """The network has no parameter that a gradient could change, or the recipe freezes all."""

    code = "nothing-to-train"
    network: str
    frozen: int = 0

    @property
    def message(self) -> str:
        return f"{self.network} has no parameters to train"

    @property
    def help(self) -> str | None:
        return "`freeze` leaves none of them: freeze fewer" if self.frozen else None


@dataclass(frozen=True, kw_only=True)
class UpdateFailed(Fact):
    """The network could not compute on a batch: too little memory, an index out of range, a size.

    The message ends with PyTorch's own.
    """

    code = "update-failed"
    reason: str
    epoch: int
    step: int

    @property
    def message(self) -> str:
        return f"training stopped in epoch {self.epoch}, update {self.step}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class NonFiniteLoss(Fact):
    """The loss became infinite or NaN, and training stopped before it could spoil the weights."""

    code = "non-finite-loss"
    loss: float
    epoch: int
    step: int
    rate: float

    @property
    def message(self) -> str:
        return f"the loss became {self.loss} in epoch {self.epoch}, update {self.step}"

    @property
    def help(self) -> str | None:
        return f"a learning rate below {self.rate:g} or smaller initial values often mend it"
