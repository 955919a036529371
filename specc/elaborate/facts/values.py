"""Compile-time values, inputs and results."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


@dataclass(frozen=True, kw_only=True)
class BadOperands(Fact):
    """An operator of the language is given values that it does not work on."""

    code = "bad-operands"
    operator: str
    left: str
    right: str | None = None

    @property
    def message(self) -> str:
        if self.right is None:
            return f"`{self.operator}` does not work on {self.left}"
        return f"`{self.operator}` does not work on {self.left} and {self.right}"


@dataclass(frozen=True, kw_only=True)
class BadValue(Fact):
    """A compile-time computation has no result: a division by zero, an index out of range."""

    code = "bad-value"
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.problem

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class UndecidedCondition(Fact):
    """A compile-time condition depends on a size that is not known when compiling."""

    code = "undecided-condition"
    condition: str

    @property
    def message(self) -> str:
        return f"{self.condition} cannot be decided when compiling"

    @property
    def label(self) -> str:
        return "depends on a symbolic size"

    @property
    def help(self) -> str | None:
        return (
            "write the size as a number in the net's header, or say what must hold in an `assert`"
        )


@dataclass(frozen=True, kw_only=True)
class BadLoss(Fact):
    """A block cannot be the loss of a recipe.

    A loss takes the outputs of the net and the target, gives one real number, and owns nothing.
    """

    code = "bad-loss"
    name: str
    problem: str

    @property
    def message(self) -> str:
        return f"{self.name} cannot be the loss: it {self.problem}"

    @property
    def label(self) -> str:
        return "chosen here"

    @property
    def help(self) -> str | None:
        return "a loss takes the outputs of the net and the target, and gives one number"


@dataclass(frozen=True, kw_only=True)
class AssertionFailed(Fact):
    """An `assert` of the spec does not hold for the use that is made of it."""

    code = "assertion-failed"
    text: str

    @property
    def message(self) -> str:
        return self.text

    @property
    def label(self) -> str:
        return "this does not hold"


@dataclass(frozen=True, kw_only=True)
class WrongInputCount(Fact):
    """A layer is given more or fewer tensors than it takes."""

    code = "wrong-input-count"
    owner: str
    expected: str
    found: int

    @property
    def message(self) -> str:
        return f"{self.owner} takes {self.expected}, not {self.found}"

    @property
    def label(self) -> str:
        return f"given {self.found} here"


@dataclass(frozen=True, kw_only=True)
class WrongResultCount(Fact):
    """A body gives more or fewer results than its header says, or than there are names for them."""

    code = "wrong-result-count"
    owner: str
    expected: int
    found: int

    @property
    def message(self) -> str:
        return f"{self.owner} gives {self.found}, not {self.expected}"

    @property
    def label(self) -> str:
        return f"{self.expected} wanted here"


@dataclass(frozen=True, kw_only=True)
class TypeMismatch(Fact):
    """An input or result is not of the shape or dtype that the header says."""

    code = "type-mismatch"
    owner: str
    what: str
    expected: str
    found: str
    problem: str

    @property
    def message(self) -> str:
        return f"{self.what} of {self.owner} is {self.found}, not {self.expected}: {self.problem}"

    @property
    def label(self) -> str:
        return f"{self.expected} wanted, {self.found} given"


@dataclass(frozen=True, kw_only=True)
class NoResult(Fact):
    """A body ends without a result."""

    code = "no-result"
    owner: str

    @property
    def message(self) -> str:
        return f"{self.owner} has no result"

    @property
    def label(self) -> str:
        return "no `return`, and the last line is no expression"

    @property
    def help(self) -> str | None:
        return "end the body with an expression or a `return`"
