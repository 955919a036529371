"""What a setting or an argument may be: kinds of values, with their bounds.

A kind turns a compile-time value into a setting's value, or raises ValueError with a text that
completes "must be ...".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from specc.ir.devices import problem_with_device
from specc.ir.recipe import Scalar, SettingValue


@dataclass(frozen=True)
class Kind:
    """A kind of value; ``name`` is how documentation and diagnostics call it."""

    name: str
    accept: Callable[[object], SettingValue]


def integer(minimum: int, maximum: int | None = None) -> Kind:
    """An int from ``minimum`` to ``maximum``, both included."""
    name = f"an int of at least {minimum}"
    if maximum is not None:
        name = f"an int from {minimum} to {maximum}"

    def accept(value: object) -> SettingValue:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(name)
        if value < minimum or (maximum is not None and value > maximum):
            raise ValueError(name)
        return value

    return Kind(name, accept)


def number(
    *,
    above: float | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
) -> Kind:
    """A finite float within bounds, of which ``above`` and ``below`` are themselves excluded.

    An int is taken as a float.
    """
    bounds = {"above": above, "of at least": minimum, "of at most": maximum, "below": below}
    limits = [f"{text} {bound:g}" for text, bound in bounds.items() if bound is not None]
    name = " ".join(["a number", " and ".join(limits)]).strip()

    def accept(value: object) -> SettingValue:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(name)
        try:
            found = float(value)
        except OverflowError:  # an int beyond the greatest float
            found = math.inf
        if not math.isfinite(found):
            raise ValueError("a finite number")
        if (
            (above is not None and not found > above)
            or (minimum is not None and not found >= minimum)
            or (maximum is not None and not found <= maximum)
            or (below is not None and not found < below)
        ):
            raise ValueError(name)
        return found

    return Kind(name, accept)


def several(kind: Kind, *, least: int = 1, most: int = 1024) -> Kind:
    """A list of ``least`` to ``most`` values of one kind."""
    count = f"{least}" if least == most else f"{least} to {most}"
    name = f"a list of {count}, each {kind.name}"

    def accept(value: object) -> SettingValue:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            raise ValueError(name)
        try:
            return tuple(_scalar(kind.accept(item)) for item in value)
        except ValueError:
            raise ValueError(name) from None

    return Kind(name, accept)


def _scalar(value: SettingValue) -> Scalar:
    assert not isinstance(value, tuple), value
    return value


def optional(kind: Kind) -> Kind:
    """``none``, or what ``kind`` takes."""
    name = f"{kind.name}, or none"

    def accept(value: object) -> SettingValue:
        try:
            return None if value is None else kind.accept(value)
        except ValueError:
            raise ValueError(name) from None

    return Kind(name, accept)


def _flag(value: object) -> SettingValue:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _path(value: object) -> SettingValue:
    """Any path that a file can have."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a path in quotes")
    return value


def leads_outside(path: str) -> bool:
    """Whether a path, read as any system's, is absolute or climbs out of its folder."""
    # A Windows anchor covers C:x, which is relative to another drive's folder, and /x.
    return bool(PureWindowsPath(path).anchor) or climbs_out(path)


def climbs_out(path: str) -> bool:
    """Whether a path, read as any system's, has a step upwards."""
    return ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts


def _patterns(value: object) -> SettingValue:
    """Patterns of names; whether a network has such names is asked later."""
    if not isinstance(value, list | tuple) or len(value) > MAX_PATTERNS:
        raise ValueError(PATTERNS.name)
    if not all(isinstance(item, str) and item for item in value):
        raise ValueError(PATTERNS.name)
    return tuple(value)


def _devices(value: object) -> SettingValue:
    """Devices by name, none for any; whether a machine has them is asked when a run begins."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or len(names) > MAX_DEVICES:
        raise ValueError(DEVICES.name)
    for name in names:
        if not isinstance(name, str):
            raise ValueError(DEVICES.name)
        one = name.removesuffix(":*")
        problem = problem_with_device(one)
        if problem is not None or (one != name and (":" in one or one == "cpu")):
            raise ValueError(DEVICES.name)
    return tuple(names)


MAX_DEVICES = 128
DEVICES = Kind("a device such as cuda:0, all of a kind, cuda:*, or a list in quotes", _devices)
MAX_PATTERNS = 1024
PATTERNS = Kind("a list of patterns in quotes", _patterns)
FLAG = Kind("true or false", _flag)
PATH = Kind("a path in quotes", _path)
