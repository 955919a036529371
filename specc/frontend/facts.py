"""Every fact that a check can find, and how it reads: the one place where facts become text.

Groups: syntax · names and arguments · shapes and types · naming · settings and weights · limits. A
class's docstring is its entry in ``docs/errors.md``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``name``, where one is like it enough to be worth a question."""
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The question that a help line asks."""
    close = nearest(name, candidates)
    return f"did you mean {close!r}?" if close else None


# ---- syntax --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SyntaxFault(Fact):
    """The text does not follow the grammar at this place."""

    code = "syntax"
    problem: str
    detail: str = ""
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.problem

    @property
    def label(self) -> str:
        return self.detail

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class UnexpectedCharacter(SyntaxFault):
    """A character that no token begins with, such as ``$``, a no-break space or a single quote."""

    code = "unexpected-character"


@dataclass(frozen=True, kw_only=True)
class UnfinishedString(SyntaxFault):
    """A string whose closing quote is missing from its line."""

    code = "unfinished-string"


@dataclass(frozen=True, kw_only=True)
class InvalidString(SyntaxFault):
    """An escape or a pair of braces in a string that means nothing."""

    code = "invalid-string"


@dataclass(frozen=True, kw_only=True)
class ReservedWord(SyntaxFault):
    """A keyword where a name has to stand. As a label it may be quoted."""

    code = "reserved-word"


@dataclass(frozen=True, kw_only=True)
class UnclosedBracket(SyntaxFault):
    """A bracket without its partner, or with another kind's."""

    code = "unclosed-bracket"


@dataclass(frozen=True, kw_only=True)
class MisplacedParameter(SyntaxFault):
    """Inputs and hyperparameters in one list, or in each other's."""

    code = "misplaced-parameter"


@dataclass(frozen=True, kw_only=True)
class InvalidTarget(SyntaxFault):
    """Something on the left of ``=`` or ``~`` that cannot be given a value there."""

    code = "invalid-target"


@dataclass(frozen=True, kw_only=True)
class NotText(SyntaxFault):
    """A file that is not UTF-8 text, or that holds control characters."""

    code = "not-text"


@dataclass(frozen=True, kw_only=True)
class TooLarge(Fact):
    """More of something than one text may hold: bytes, levels of nesting, digits."""

    code = "too-large"
    what: str
    limit: int

    @property
    def message(self) -> str:
        return f"more than {self.limit:,} {self.what}"

    @property
    def label(self) -> str:
        return "the limit is passed here"


@dataclass(frozen=True, kw_only=True)
class NotSupported(Fact):
    """The text is valid, but this version of the compiler does not build it yet."""

    code = "not-supported"
    feature: str

    @property
    def message(self) -> str:
        return f"{self.feature}: not supported yet"

    @property
    def label(self) -> str:
        return "this version of specc cannot build it"


# ---- names and arguments -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UnknownName(Fact):
    """A name that nothing in scope bears."""

    code = "unknown-name"
    name: str
    known: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        return f"unknown name {self.name!r}"

    @property
    def label(self) -> str:
        return "nothing here is called that"

    @property
    def help(self) -> str | None:
        return did_you_mean(self.name, self.known)


# ---- shapes and types ----------------------------------------------------------------------------
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
        return f"this is {self.found}"


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
        return f"this is {self.found}"


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

    @property
    def message(self) -> str:
        return f"{self.argument} of {self.operator} must be {self.requirement}"

    @property
    def label(self) -> str:
        return f"this is {self.value}"
