"""Names, and the arguments of calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from specc.frontend.diagnostics import Fact
from specc.frontend.facts import did_you_mean
from specc.frontend.facts.habits import INPUT_SIZES, WORKED_OUT


@dataclass(frozen=True, kw_only=True)
class DuplicateName(Fact):
    """Two definitions of one file, or two entries of one header, bear the same name."""

    code = "duplicate-name"
    name: str

    @property
    def message(self) -> str:
        return f"{self.name!r} is defined twice"

    @property
    def label(self) -> str:
        return "the second definition"


@dataclass(frozen=True, kw_only=True)
class RecursiveBlock(Fact):
    """A block or an initializer uses itself, directly or through others; neither recurses."""

    code = "recursive-block"
    name: str
    kind: str = "block"

    @property
    def message(self) -> str:
        return f"{self.kind} {self.name} uses itself"

    @property
    def label(self) -> str:
        return "used again here"

    @property
    def help(self) -> str | None:
        return "repeat a block with a `for` instead" if self.kind == "block" else None


@dataclass(frozen=True, kw_only=True)
class UnusedBinding(Fact):
    """A name is bound and never used. A warning; a name that begins with `_` is left alone."""

    code = "unused-binding"
    severity: Literal["error", "warning"] = "warning"
    name: str

    @property
    def message(self) -> str:
        return f"{self.name!r} is never used"

    @property
    def label(self) -> str:
        return "bound here"


@dataclass(frozen=True, kw_only=True)
class BadImport(Fact):
    """An imported file cannot be had: it is missing, leads out of the folder, or imports itself."""

    code = "bad-import"
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return self.problem

    @property
    def label(self) -> str:
        return "imported here"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class UnknownNet(Fact):
    """The file holds no net of that name, or several and none was picked."""

    code = "unknown-net"
    name: str | None
    nets: tuple[str, ...]

    @property
    def message(self) -> str:
        if self.name is not None:
            return f"there is no net {self.name!r} here"
        return "there is no net here" if not self.nets else "there are several nets here"

    @property
    def help(self) -> str | None:
        if not self.nets:
            return "a file that is compiled holds a `net`; a file of blocks alone is imported"
        if self.name is None:
            return f"pick one with FILE:NAME: {', '.join(self.nets)}"
        return did_you_mean(self.name, self.nets) or f"its nets are {', '.join(self.nets)}"


@dataclass(frozen=True, kw_only=True)
class NoInputs(Fact):
    """A net has no list of inputs, so nothing says of what shape they are."""

    code = "no-inputs"
    name: str

    @property
    def message(self) -> str:
        return f"net {self.name} has no list of inputs"

    @property
    def label(self) -> str:
        return "the shape of its input is not known"

    @property
    def help(self) -> str | None:
        return (
            "a block may be a layer alone, `block B = [...]`; a net says what it takes: "
            f"`net {self.name}(x: [N, 784]) = x |> [...]`"
        )


@dataclass(frozen=True, kw_only=True)
class UnknownArgument(Fact):
    """A call gives an argument, or a caller a setting, that the thing called does not have."""

    code = "unknown-argument"
    owner: str
    name: str
    known: tuple[str, ...]
    what: str = "argument"

    @property
    def message(self) -> str:
        return f"{self.owner} has no {self.what} {self.name!r}"

    @property
    def label(self) -> str:
        return f"not an {self.what} of {self.owner}"

    @property
    def help(self) -> str | None:
        if not self.known:
            return f"{self.owner} takes no {self.what}s"
        if self.name in INPUT_SIZES:
            return WORKED_OUT
        return did_you_mean(self.name, self.known) or f"it takes {', '.join(self.known)}"


@dataclass(frozen=True, kw_only=True)
class MissingArgument(Fact):
    """A call leaves out an argument that has no default."""

    code = "missing-argument"
    owner: str
    names: tuple[str, ...]
    advice: str | None = None

    @property
    def help(self) -> str | None:
        return self.advice

    @property
    def message(self) -> str:
        return f"{self.owner} needs {' and '.join(self.names)}"

    @property
    def label(self) -> str:
        return f"{', '.join(self.names)} missing"


@dataclass(frozen=True, kw_only=True)
class TooManyArguments(Fact):
    """A call gives more positional arguments than the thing called takes."""

    code = "too-many-arguments"
    owner: str
    most: int
    given: int

    @property
    def message(self) -> str:
        takes = "no positional argument" if not self.most else f"at most {self.most} by position"
        return f"{self.owner} takes {takes}, not {self.given}"

    @property
    def label(self) -> str:
        return "one too many"


@dataclass(frozen=True, kw_only=True)
class RepeatedArgument(Fact):
    """A call gives one argument twice."""

    code = "repeated-argument"
    owner: str
    name: str

    @property
    def message(self) -> str:
        return f"{self.owner} is given {self.name!r} twice"

    @property
    def label(self) -> str:
        return "the second time"


@dataclass(frozen=True, kw_only=True)
class WrongType(Fact):
    """A value is of another kind than the one that is wanted there."""

    code = "wrong-type"
    what: str
    expected: str
    found: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.what} must be {self.expected}, not {self.found}"

    @property
    def label(self) -> str:
        return f"this is {self.found}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class NotALayer(Fact):
    """Something that is no layer stands where one is applied."""

    code = "not-a-layer"
    found: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.found} cannot be applied to a tensor"

    @property
    def label(self) -> str:
        return f"this is {self.found}, not a layer"

    @property
    def help(self) -> str | None:
        return self.advice
