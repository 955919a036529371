"""Run-time loops and branches."""

from __future__ import annotations

from dataclasses import dataclass

from specc.frontend.diagnostics import Fact, Label
from specc.frontend.source import Span


@dataclass(frozen=True, kw_only=True)
class NotDetermined(Fact):
    """A name is used that has no one value: behind a run-time `if` or `while`, or before a draw."""

    code = "not-determined"
    name: str
    advice: str | None = None

    @property
    def message(self) -> str:
        return f"{self.name!r} has no value here"

    @property
    def label(self) -> str:
        return "used here"

    @property
    def help(self) -> str | None:
        elsewhere = f"give {self.name!r} a tensor before the `if` or `while`, or in both branches"
        return self.advice or elsewhere


@dataclass(frozen=True, kw_only=True)
class CarriedMismatch(Fact):
    """A tensor changes its shape or dtype in a loop or `scan`, or has another in each branch.

    It is the result where it has no ``name``.
    """

    code = "carried-mismatch"
    name: str
    first: str
    second: str
    where_to: str

    @property
    def message(self) -> str:
        what = repr(self.name) if self.name else "the result"
        return f"{what} is {self.first} {self.where_to} {self.second}"

    @property
    def label(self) -> str:
        return f"this is {self.second}"

    @property
    def help(self) -> str | None:
        return "what a run-time `if` or `while` assigns, and a state, keeps its shape and dtype"


@dataclass(frozen=True, kw_only=True)
class LayerMadeInLoop(Fact):
    """A layer is constructed inside a run-time loop, which would make a new one at each turn.

    Where it has no ``kind``, it is no layer but a parameter, buffer or constant.
    """

    code = "layer-in-loop"
    kind: str | None

    @property
    def message(self) -> str:
        return f"this {self.kind or 'state'} is made inside a `while`"

    @property
    def label(self) -> str:
        return "a new layer at each turn" if self.kind else "new at each turn"

    @property
    def help(self) -> str | None:
        if self.kind is None:
            return "declare it before the loop"
        return "bind the layer to a name before the loop and apply it inside"


@dataclass(frozen=True, kw_only=True)
class MisplacedReturn(Fact):
    """A `return` stands where a run-time loop or branch would have to be left through it."""

    code = "misplaced-return"
    reason: str = "it would leave a run-time `if` and what is around it"
    advice: str | None = "give the result a name, and return it at the end of the body"

    @property
    def message(self) -> str:
        return f"a `return` cannot stand here: {self.reason}"

    @property
    def help(self) -> str | None:
        return self.advice


def return_in_loop(where: Span, loop: Span) -> MisplacedReturn:
    """The fact that a ``return`` would leave a run-time loop."""
    return MisplacedReturn(
        where=where,
        because=(Label(Span(loop.file, loop.start, loop.start + len("while")), "the loop"),),
        reason="it would leave a run-time loop",
        advice="let the loop's condition end it, and return behind it",
    )
