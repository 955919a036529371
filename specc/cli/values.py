"""Values of options: how each is written, and what is said of one that is not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import fields

from specc.elaborate.bounds import Bounds
from specc.frontend.limits import Limits
from specc.weights.rules import rule_problem

_KEY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_SIZE = re.compile(r"([^\W\d]\w*)=([0-9]{1,18})")


def assignment(text: str) -> tuple[str, str]:
    """``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not _KEY.fullmatch(key):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def renaming(text: str) -> tuple[str, str | None]:
    """``FROM=TO``, where an empty ``TO`` stands for none."""
    old, equals, new = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM=TO")
    problem = rule_problem(old, new or None)
    if problem is not None:
        raise argparse.ArgumentTypeError(f"{text!r}: {problem}")
    return old, new or None


def own_name(text: str) -> str:
    """``MODULE:ATTRIBUTE``."""
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not MODULE:ATTRIBUTE")
    return text


def device_binding(text: str) -> tuple[str, str]:
    """``NAME=DEVICE``."""
    name, equals, device = text.partition("=")
    if not equals or not _KEY.fullmatch(name) or not device:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DEVICE")
    return name, device


def device_or_home(text: str) -> tuple[str, str]:
    """A device of the file; without a name, that of all that the file puts on none."""
    return device_binding(text) if "=" in text else ("", text)


def limit_names() -> list[str]:
    """What ``--limit`` can raise: bounds on the text, then bounds on what it expands to."""
    return list(dict.fromkeys(field.name for kind in (Limits, Bounds) for field in fields(kind)))


def limit(text: str) -> tuple[str, int]:
    """``NAME=N``, a bound and what it is raised to."""
    found = _SIZE.fullmatch(text)
    if found is None or found[1] not in limit_names() or int(found[2]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=N with one of the names")
    return found[1], int(found[2])


def size(text: str) -> tuple[str, int]:
    """``SYMBOL=SIZE``."""
    found = _SIZE.fullmatch(text)
    if found is None or int(found[2]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not SYMBOL=SIZE with a size of at least 1")
    return found[1], int(found[2])


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) or float(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return float(text)


def at_least(least: int) -> Callable[[str], int]:
    """A reader of integers of at least ``least``."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least {least}")
        return int(text)

    return number
