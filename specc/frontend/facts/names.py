"""Names that nothing bears."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact
from specc.frontend.facts.nearest import did_you_mean


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
