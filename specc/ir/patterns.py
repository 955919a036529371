"""Patterns of parameter names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from specc.frontend.facts import nearest

_TOKEN = re.compile(r"\*\*+\.|\*+|[^*]+")


def pattern_matches(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a name: ``*`` stays within one part of it, ``**`` crosses dots.

    ``**.`` stands for any number of whole parts, none included. The time is that of the product of
    both lengths, whatever the pattern.

    >>> pattern_matches("**.weight", "features.0.weight"), pattern_matches("**.weight", "weight")
    (True, True)
    >>> pattern_matches("*.weight", "features.0.weight"), pattern_matches("o*.weight", "out.weight")
    (False, True)
    """
    if "*" not in pattern:
        return pattern == name
    ends = {0}  # the positions in `name` that what was read of the pattern can end at
    for token in _TOKEN.findall(pattern):
        if not token.startswith("*"):
            ends = {end + len(token) for end in ends if name.startswith(token, end)}
        elif token == "*":
            ends = _within_parts(name, ends)
        else:
            ends = _across_parts(name, ends, whole=token.endswith("."))
        if not ends:
            return False
    return len(name) in ends


def nearest_to_pattern(pattern: str, names: Sequence[str]) -> str | None:
    """The name that a pattern which matches none of ``names`` was probably meant for.

    >>> nearest_to_pattern("**.wieght", ["conv1.weight", "conv1.bias"])
    'conv1.weight'
    >>> nearest_to_pattern("featuers.**", ["conv1.weight", "features.0.weight"])
    'features.0.weight'
    """
    bare = pattern.replace("*", "")
    last = bare.rpartition(".")[2]
    return (
        nearest(pattern, names)
        or _with_nearest_beginning(pattern, names)
        or nearest(bare, names)
        or next((name for name in names if last and name.endswith(last)), None)
        or (names[0] if names else None)
    )


def _with_nearest_beginning(pattern: str, names: Sequence[str]) -> str | None:
    """The first name whose parts are most like those of the pattern before its first ``*``."""
    beginning = pattern.partition("*")[0].rpartition(".")[0]
    parts = beginning.count(".") + 1
    if not beginning:
        return None
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(".".join(name.split(".")[:parts]), name)
    close = nearest(beginning, first)
    return first[close] if close else None


def _within_parts(name: str, starts: set[int]) -> set[int]:
    """The positions that ``*`` reaches: up to the next dot."""
    ends: set[int] = set()
    for start in sorted(starts):
        end = start
        while end not in ends:
            ends.add(end)
            if end == len(name) or name[end] == ".":
                break
            end += 1
    return ends


def _across_parts(name: str, starts: set[int], *, whole: bool) -> set[int]:
    """The positions that ``**`` reaches; with a dot behind it, those where a part begins."""
    ends = set(range(min(starts), len(name) + 1))
    return {end for end in ends if end == 0 or name[end - 1] == "."} if whole else ends
