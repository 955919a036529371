"""What elaboration can find wrong, and how it reads.

Groups: names · arguments · values · inputs and results · parameter names · initializers · limits.
A class's docstring is its entry in ``docs/errors.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from specc.frontend.diagnostics import Fact
from specc.frontend.facts import did_you_mean

# ---- names ---------------------------------------------------------------------------------------


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
    """A block uses itself, directly or through others; blocks do not recurse."""

    code = "recursive-block"
    name: str

    @property
    def message(self) -> str:
        return f"block {self.name} uses itself"

    @property
    def label(self) -> str:
        return "used again here"

    @property
    def help(self) -> str | None:
        return "repeat a block with a `for` instead"


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


# ---- arguments -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UnknownArgument(Fact):
    """A call gives an argument, or a caller a setting, that the thing called does not have."""

    code = "unknown-argument"
    owner: str
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"{self.owner} has no argument {self.name!r}"

    @property
    def label(self) -> str:
        return f"not an argument of {self.owner}"

    @property
    def help(self) -> str | None:
        if not self.known:
            return f"{self.owner} takes no arguments"
        return did_you_mean(self.name, self.known) or f"it takes {', '.join(self.known)}"


@dataclass(frozen=True, kw_only=True)
class MissingArgument(Fact):
    """A call leaves out an argument that has no default."""

    code = "missing-argument"
    owner: str
    names: tuple[str, ...]

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


# ---- values --------------------------------------------------------------------------------------


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
class NotDetermined(Fact):
    """A name is used that a run-time `if` or `while` leaves without one value."""

    code = "not-determined"
    name: str

    @property
    def message(self) -> str:
        return f"{self.name!r} has no value here"

    @property
    def label(self) -> str:
        return "used here"

    @property
    def help(self) -> str | None:
        return f"give {self.name!r} a tensor before the `if` or `while`, or in both branches"


@dataclass(frozen=True, kw_only=True)
class CarriedMismatch(Fact):
    """A tensor changes its shape or dtype in a loop, or has another in each branch of an `if`."""

    code = "carried-mismatch"
    name: str
    first: str
    second: str
    where_to: str

    @property
    def message(self) -> str:
        return f"{self.name!r} is {self.first} {self.where_to} {self.second}"

    @property
    def label(self) -> str:
        return f"this is {self.second}"

    @property
    def help(self) -> str | None:
        return "what a run-time `if` or `while` assigns keeps its shape and dtype"


@dataclass(frozen=True, kw_only=True)
class LayerMadeInLoop(Fact):
    """A layer is constructed inside a run-time loop, which would make a new one at each turn."""

    code = "layer-in-loop"
    kind: str

    @property
    def message(self) -> str:
        return f"this {self.kind} is made inside a `while`"

    @property
    def label(self) -> str:
        return "a new layer at each turn"

    @property
    def help(self) -> str | None:
        return "bind the layer to a name before the loop and apply it inside"


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


# ---- inputs and results --------------------------------------------------------------------------


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


# ---- parameter names -----------------------------------------------------------------------------


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


# ---- initializers --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BadInitializer(Fact):
    """An initializer's arguments are wrong, or it cannot serve the parameter's shape."""

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
class UnusedPattern(Fact):
    """An `init` rule's pattern matches no parameter."""

    code = "unused-pattern"
    pattern: str
    nearest: str | None

    @property
    def message(self) -> str:
        return f"no parameter matches {self.pattern!r}"

    @property
    def label(self) -> str:
        return "matches nothing"

    @property
    def help(self) -> str | None:
        return f"the nearest is {self.nearest!r}" if self.nearest else None


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


# ---- limits --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LimitExceeded(Fact):
    """The file asks for more than the compiler is willing to build."""

    code = "limit-exceeded"
    what: str
    limit: int

    @property
    def message(self) -> str:
        return f"more than {self.limit:,} {self.what}"

    @property
    def label(self) -> str:
        return "the limit is reached here"
