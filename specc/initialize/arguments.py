"""The arguments of initializers: their types, defaults and bounds, and what a wrong one lacks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from specc.ir.initializer import ArgumentValue

Kind = Literal["int", "float", "number", "str"]
"""``number`` keeps an int an int; ``float`` turns it into a float."""


@dataclass(frozen=True)
class InitializerProblem:
    """Why an initializer cannot serve: a predicate that reads on after its name.

    ``f"{initializer.name} {problem.reason}"`` is a sentence. ``argument`` is set where one argument
    is at fault.
    """

    reason: str
    argument: str | None = None


@dataclass(frozen=True)
class Argument:
    """One argument: ``default`` is None where it must be given; bounds include their ends."""

    name: str
    kind: Kind
    default: ArgumentValue | None = None
    least: float | None = None
    greatest: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is None

    def converted(self, value: ArgumentValue) -> ArgumentValue:
        """The value as this argument keeps it: ints become floats where floats are meant."""
        return float(value) if self.kind == "float" and type(value) is int else value

    def problem(self, value: ArgumentValue) -> InitializerProblem | None:
        """What is wrong with the value: its type, finiteness, bounds or choice."""
        if not _is_a(value, self.kind):
            return self._says(_KIND_TEXT[self.kind])
        if isinstance(value, str):
            if self.choices and value not in self.choices:
                return self._says(f"one of {', '.join(map(repr, self.choices))}")
            return None
        if not _is_finite(value):
            return self._says("finite")
        if self.least is not None and value < self.least:
            return self._says(f"at least {self.least:g}")
        if self.greatest is not None and value > self.greatest:
            return self._says(f"at most {self.greatest:g}")
        return None

    def _says(self, text: str) -> InitializerProblem:
        return InitializerProblem(f"needs {self.name} to be {text}", self.name)


def _is_a(value: ArgumentValue, kind: Kind) -> bool:
    # bool is a subclass of int, and true is no number in the language.
    types = {"int": (int,), "float": (int, float), "number": (int, float), "str": (str,)}[kind]
    return isinstance(value, types) and not isinstance(value, bool)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the greatest float
        return False


_KIND_TEXT: dict[Kind, str] = {
    "int": "an int",
    "float": "a number",
    "number": "a number",
    "str": "a string",
}
