"""What operators' rules find wrong with shapes, dtypes and arguments."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact

# An operator's rule knows no places: it raises these with `operands` and `argument`, and the
# elaborator fills `where` and `because` in.


@dataclass(frozen=True, kw_only=True)
class OperatorFact(Fact):
    """What an operator's rule found. ``operands`` are the positions of the inputs at fault."""

    operator: str
    operands: tuple[int, ...] = (0,)
    argument: str | None = None


@dataclass(frozen=True, kw_only=True)
class RankMismatch(OperatorFact):
    """A tensor has too few or too many dims for what is done with it."""

    code = "rank-mismatch"
    expected: str
    found: str

    @property
    def message(self) -> str:
        return f"{self.operator} takes {self.expected}, not {self.found}"

    @property
    def label(self) -> str:
        return f"given {self.found}"


@dataclass(frozen=True, kw_only=True)
class ShapeMismatch(OperatorFact):
    """Two tensors whose sizes must agree do not. ``verb`` reads as in "cannot add A and B"."""

    code = "shape-mismatch"
    left: str
    right: str
    left_size: str
    right_size: str
    position: str = "the last dim"
    verb: str = "combine"
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.left_size} and {self.right_size} differ in {self.position}"

    @property
    def label(self) -> str:
        return f"cannot {self.verb} {self.left} and {self.right}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class SizeMismatch(OperatorFact):
    """A tensor's dim has another size than the one that is needed there."""

    code = "size-mismatch"
    what: str
    expected: str
    found: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.what} must be {self.expected}, not {self.found}"

    @property
    def label(self) -> str:
        return f"expected {self.expected}, found {self.found}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class DtypeMismatch(OperatorFact):
    """A tensor's dtype is not one that is taken there."""

    code = "dtype-mismatch"
    expected: str
    found: str

    @property
    def message(self) -> str:
        return f"{self.operator} takes {self.expected}, not {self.found}"

    @property
    def label(self) -> str:
        return f"given {self.found}"


@dataclass(frozen=True, kw_only=True)
class EmptySize(OperatorFact):
    """A size becomes zero or negative, for every input."""

    code = "empty-size"
    what: str
    size: str
    found: str

    @property
    def message(self) -> str:
        return f"{self.what} of {self.operator} would be {self.size}"

    @property
    def label(self) -> str:
        return f"the input is {self.found}"

    @property
    def help(self) -> str | None:
        return "a larger input, a smaller kernel or stride, or more padding leaves something over"


@dataclass(frozen=True, kw_only=True)
class UnknownSize(OperatorFact):
    """A size must be known when compiling, and it is symbolic here."""

    code = "unknown-size"
    what: str
    size: str

    @property
    def message(self) -> str:
        return f"{self.what} must be known when compiling, and {self.size} is not"

    @property
    def label(self) -> str:
        return f"{self.size} is symbolic"

    @property
    def help(self) -> str | None:
        return "write the size as a number in the net's header"


@dataclass(frozen=True, kw_only=True)
class BadArgument(OperatorFact):
    """An argument's value is outside what the operator takes."""

    code = "bad-argument"
    value: str
    requirement: str
    advice: str | None = None

    @property
    def help(self) -> str | None:
        return self.advice

    @property
    def message(self) -> str:
        return f"{self.argument} of {self.operator} must be {self.requirement}"

    @property
    def label(self) -> str:
        return f"this is {self.value}"
