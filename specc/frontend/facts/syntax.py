"""What is wrong with a text before it has a meaning."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


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
    option: str  # the name by which `--limit` raises it

    @property
    def message(self) -> str:
        return f"more than {self.limit:,} {self.what}"

    @property
    def label(self) -> str:
        return "the limit is passed here"

    @property
    def help(self) -> str | None:
        return f"on the command line, `--limit {self.option}=N` raises it"
