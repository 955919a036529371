"""What can be wrong with a recipe, and how it reads.

A class's docstring is its entry in ``docs/errors.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from specc.frontend.diagnostics import Fact
from specc.frontend.facts import did_you_mean


@dataclass(frozen=True, kw_only=True)
class UnknownSetting(Fact):
    """A recipe has a setting, a choice or an argument that does not exist.

    ``owner`` reads as in "a recipe has no setting 'epoch'", "there is no optimizer 'adan'" or "adam
    has no argument 'rate'".
    """

    code = "unknown-setting"
    problem: str
    name: str
    known: tuple[str, ...]

    @property
    def message(self) -> str:
        return f"{self.problem} {self.name!r}"

    @property
    def label(self) -> str:
        return "nothing is called that here"

    @property
    def help(self) -> str | None:
        if not self.known:
            return "it takes no arguments"
        return did_you_mean(self.name, self.known) or f"there are {', '.join(self.known)}"


@dataclass(frozen=True, kw_only=True)
class BadSetting(Fact):
    """A setting or an argument of a recipe has a value that it cannot take."""

    code = "bad-setting"
    what: str
    requirement: str
    found: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.what} must be {self.requirement}, not {self.found}"

    @property
    def label(self) -> str:
        return f"this is {self.found}"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class RepeatedSetting(Fact):
    """A recipe gives a setting, or a choice in it an argument, twice."""

    code = "repeated-setting"
    name: str

    @property
    def message(self) -> str:
        return f"{self.name} is set twice"

    @property
    def label(self) -> str:
        return "the second time"


@dataclass(frozen=True, kw_only=True)
class MissingSetting(Fact):
    """A recipe, or a choice in it, leaves out something that has no default."""

    code = "missing-setting"
    owner: str
    names: tuple[str, ...]
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.owner} needs {', '.join(self.names)}"

    @property
    def label(self) -> str:
        return f"{', '.join(self.names)} missing"

    @property
    def help(self) -> str | None:
        return self.advice


@dataclass(frozen=True, kw_only=True)
class IncompleteRecipe(MissingSetting):
    """A recipe leaves out what a run needs. A warning; `specc train` refuses to start."""

    code = "incomplete-recipe"
    severity: Literal["error", "warning"] = "warning"


@dataclass(frozen=True, kw_only=True)
class ConflictingSettings(Fact):
    """Two settings of a recipe contradict each other."""

    code = "conflicting-settings"
    problem: str
    detail: str
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
class PathLeadsOutside(Fact):
    """A recipe names a file outside the folder of its spec.

    A spec that was received from someone else may read what came with it and nothing more. Set the
    path from outside to allow it: `--set 'train.data=npz("/data/x.npz")'`.
    """

    code = "path-outside"
    path: str

    @property
    def message(self) -> str:
        return f'"{self.path}" leads out of the folder of this spec'

    @property
    def label(self) -> str:
        return "a recipe reads only files beside or below its spec"

    @property
    def help(self) -> str | None:
        return f"allow it from outside: --set 'train.data=npz(\"{self.path}\")'"
