"""Names, sharing and initial values of parameters; limits."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact


@dataclass(frozen=True, kw_only=True)
class NameClaimedTwice(Fact):
    """Two layers or parameters of one block claim the same name."""

    code = "name-claimed-twice"
    name: str

    @property
    def message(self) -> str:
        return f"two layers claim the name {self.name!r}"

    @property
    def label(self) -> str:
        return "the second claim"

    @property
    def help(self) -> str | None:
        return 'in a `for`, build the label: `"layer{i}": ...`'


@dataclass(frozen=True, kw_only=True)
class ReservedName(Fact):
    """A layer or parameter bears a name that torch.nn.Module needs for itself, or no valid name."""

    code = "reserved-name"
    name: str
    reason: str

    @property
    def message(self) -> str:
        return f"{self.name!r} cannot name a layer or parameter: {self.reason}"

    @property
    def label(self) -> str:
        return "choose another name"


@dataclass(frozen=True, kw_only=True)
class BadInitializer(Fact):
    """An initializer or an edit is wrong, or does not fit the parameter's shape or dtype."""

    code = "bad-initializer"
    problem: str
    detail: str = ""

    @property
    def message(self) -> str:
        return self.problem

    @property
    def label(self) -> str:
        return self.detail


@dataclass(frozen=True, kw_only=True)
class SharingFault(Fact):
    """A layer or parameter cannot be shared in this way."""

    code = "bad-sharing"
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.problem

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class LimitExceeded(Fact):
    """The file asks for more than the compiler is willing to build."""

    code = "limit-exceeded"
    what: str
    limit: int
    option: str | None = None  # the name by which `--limit` raises it, where it can be raised

    @property
    def message(self) -> str:
        return f"more than {self.limit:,} {self.what}"

    @property
    def label(self) -> str:
        return "the limit is reached here"

    @property
    def help(self) -> str | None:
        return f"on the command line, `--limit {self.option}=N` raises it" if self.option else None
