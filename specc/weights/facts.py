"""What can be wrong with a weight file, or with an output file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from specc.frontend.diagnostics import Fact

_SHOWN = 10
"""Names of a kind that a message lists; the fact holds all."""


@dataclass(frozen=True, kw_only=True)
class UnreadableWeights(Fact):
    """A weight file that is missing, truncated, corrupt or hostile.

    Nothing of such a file is used. A download that broke off is the usual cause.
    """

    code = "unreadable-weights"
    path: str
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        """The headline."""
        return f"cannot read weights from {self.path}: {self.problem}"

    @property
    def help(self) -> str | None:
        """How to mend it."""
        return self.advice


@dataclass(frozen=True, kw_only=True)
class UnsafeWeights(Fact):
    """A weight file in a format built on pickle, which can run code when it is read.

    Only safetensors files are read. The help line shows a conversion that loads tensors alone, and
    runs nothing of what the file holds.
    """

    code = "unsafe-weights"
    path: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"{self.path} is not read: its format can hold code, which would run"

    @property
    def help(self) -> str | None:
        """The command that converts it without running what it holds."""
        return f"convert it: {conversion(self.path)}"


def conversion(path: str, target: str | None = None) -> str:
    """The command that makes a pickled file a safetensors file, beside it by default.

    >>> conversion("runs/my net.pt"), conversion("odd.safetensors")
    ("specc convert 'runs/my net.pt' -o 'runs/my net.safetensors'",
     'specc convert odd.safetensors -o odd.converted.safetensors')
    """
    beside = PurePath(path).with_suffix(".safetensors")
    if str(beside) == path:
        beside = beside.with_suffix(".converted.safetensors")
    return f"specc convert {shlex.quote(path)} -o {shlex.quote(target or str(beside))}"


class Unmatched(NamedTuple):
    """A name on one side alone, and the name most like it on the other, if any is."""

    name: str
    nearest: str | None


class Misshapen(NamedTuple):
    """A name whose type in the file, ``f32[3, 4]``, is not the one that the network has."""

    name: str
    expected: str
    found: str


class Disagreeing(NamedTuple):
    """Two names of one shared parameter under which the file holds different values."""

    alias: str
    owner: str


class Renaming(NamedTuple):
    """A rule that would make names fit, and patterns of those that nothing is there for then."""

    rule: tuple[str, str] | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WeightsDoNotFit(Fact):
    """Weights whose names or shapes are not those of the network.

    Nothing is loaded then. The message lists the names that are missing, unexpected and of another
    shape or dtype, each with the nearest name; names that share one parameter must agree.
    """

    code = "weights-do-not-fit"
    path: str
    missing: tuple[Unmatched, ...] = ()
    unexpected: tuple[Unmatched, ...] = ()
    misshapen: tuple[Misshapen, ...] = ()
    disagreeing: tuple[Disagreeing, ...] = ()
    renaming: Renaming | None = None
    convertible: bool = False

    @property
    def message(self) -> str:
        """The headline and, below it, the names."""
        kinds = (
            ("missing", [_unmatched(name, "file") for name in self.missing]),
            ("unexpected", [_unmatched(name, "network") for name in self.unexpected]),
            (
                "of another type",
                [f"{one.name} is {one.found}, not {one.expected}" for one in self.misshapen],
            ),
            (
                "in disagreement",
                [f"{one.alias} and {one.owner} are one parameter" for one in self.disagreeing],
            ),
        )
        counts = ", ".join(f"{len(names)} {kind}" for kind, names in kinds if names)
        lines = [f"the weights in {self.path} do not fit: {counts}"]
        for kind, names in kinds:
            lines += [f"  {kind}: {name}" for name in names[:_SHOWN]]
            if len(names) > _SHOWN:
                lines.append(f"  ... and {len(names) - _SHOWN} more {kind}")
        return "\n".join(lines)

    @property
    def help(self) -> str | None:
        """How to mend it, where one cause explains it."""
        if self.renaming is not None:
            return _renaming(self.renaming)
        if self.convertible:
            return "names and shapes fit: --cast (in Python, cast=True) converts the dtypes"
        return None


def _unmatched(name: Unmatched, where: str) -> str:
    return f"{name.name} (the {where} has {name.nearest})" if name.nearest else name.name


def _renaming(found: Renaming) -> str:
    parts = []
    if found.rule is not None:
        parts.append(f"{_option(*found.rule)} makes the names fit")
    if found.left:
        options = " ".join(_option(pattern, "") for pattern in found.left)
        leaves = "leaves" if len(found.left) == 1 else "leave"
        parts.append(
            f"{options} {leaves} out what this network has no place for, "
            "which is right for masks and wrong for weights"
        )
    rules = dict([found.rule] if found.rule is not None else []) | dict.fromkeys(found.left)
    return f"{'; '.join(parts)} (in Python, rename={rules!r})"


def _option(old: str, new: str) -> str:
    return f"--rename {shlex.quote(f'{old}={new}')}"


@dataclass(frozen=True, kw_only=True)
class BadRename(Fact):
    """A rule for the names of weights that matches none, or gives two tensors one name.

    `--rename FROM=TO`, in Python `rename={"FROM": "TO"}`, renames what a pattern matches; each star
    of the new name stands for what that of the old one matched. Rules apply in turn, each to the
    names that those before it left.
    """

    code = "bad-rename"
    path: str
    pattern: str
    problem: str
    advice: str | None = None

    @property
    def message(self) -> str:
        """The headline."""
        return f"cannot rename {self.pattern!r} in {self.path}: {self.problem}"

    @property
    def help(self) -> str | None:
        """The nearest name."""
        return self.advice


@dataclass(frozen=True, kw_only=True)
class CannotWrite(Fact):
    """An output file that the system does not let appear: no such folder, no space, no permission.

    What stood at its place before is untouched.
    """

    code = "cannot-write"
    path: str
    reason: str

    @property
    def message(self) -> str:
        """The headline."""
        return f"cannot write {self.path}: {self.reason}"
