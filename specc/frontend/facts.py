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


def _did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
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
        return _did_you_mean(self.name, self.known)
