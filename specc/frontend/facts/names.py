"""Names that nothing bears, and patterns that match no name."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact
from specc.frontend.facts.habits import NAMES
from specc.frontend.facts.nearest import did_you_mean

_ELSEWHERE = (
    "a block of another file is imported; an operator of your own comes by --ops "
    "(in Python, ops=[...])"
)


@dataclass(frozen=True, kw_only=True)
class UnknownName(Fact):
    """A name that nothing in scope bears."""

    code = "unknown-name"
    name: str
    known: tuple[str, ...] = ()
    applied: bool = False  # or called, as layers and functions are

    @property
    def message(self) -> str:
        return f"unknown name {self.name!r}"

    @property
    def label(self) -> str:
        return "nothing here is called that"

    @property
    def help(self) -> str | None:
        return (
            NAMES.get(self.name)
            or did_you_mean(self.name, self.known)
            or (_ELSEWHERE if self.applied else None)
        )


@dataclass(frozen=True, kw_only=True)
class UnusedPattern(Fact):
    """A pattern matches no parameter: that of an `init` rule, of `freeze`, or of a selection.

    ``alias`` is a name that it does match, where that is another one of the parameter ``nearest``.
    """

    code = "unused-pattern"
    pattern: str
    nearest: str | None
    alias: str | None = None

    @property
    def message(self) -> str:
        return f"no parameter matches {self.pattern!r}"

    @property
    def label(self) -> str:
        return "matches nothing"

    @property
    def help(self) -> str | None:
        if self.alias is not None:
            return f"{self.alias!r} is shared, and starts as its owner {self.nearest!r} does"
        return f"the nearest is {self.nearest!r}" if self.nearest else None
