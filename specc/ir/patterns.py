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
    return pattern == name if "*" not in pattern else _reached(pattern, name) is not None


def stars(pattern: str) -> tuple[str, ...]:
    """The ``*`` and ``**`` of a pattern, in order.

    >>> stars("**.attn.*"), stars("weight")
    (('**', '*'), ())
    """
    return tuple(token.rstrip(".")[:2] for token in _TOKEN.findall(pattern) if token[0] == "*")


def matched(pattern: str, name: str) -> tuple[str, ...] | None:
    """What each star of a pattern stands for in a name; None where the pattern does not match.

    Where there is a choice, an earlier star takes as much as it can.

    >>> matched("h.*.**", "h.0.attn.bias"), matched("**.bias", "h.0.bias"), matched("*", "a.b")
    (('0', 'attn.bias'), ('h.0',), None)
    """
    if "*" not in pattern:
        return () if pattern == name else None
    reached = _reached(pattern, name)
    if reached is None:
        return None
    found: list[str] = []
    end = len(name)
    for token, starts in reversed(reached):
        if token[0] != "*":
            end -= len(token)
            continue
        inner = "." if token == "*" else ""
        start = max(s for s in starts if s <= end and not (inner and inner in name[s:end]))
        text = name[start:end]
        found.append(text.removesuffix(".") if token.endswith(".") else text)
        end = start
    return tuple(reversed(found))


def filled(pattern: str, texts: Sequence[str]) -> str:
    """A name that a pattern stands for: the one with ``texts`` in the places of its stars.

    ``**.`` with an empty text is nothing, as where it matches.

    >>> filled("transformer.**", ["wte.weight"]), filled("**.weight", [""])
    ('transformer.wte.weight', 'weight')
    """
    rest = iter(texts)
    parts = []
    for token in _TOKEN.findall(pattern):
        if token[0] != "*":
            parts.append(token)
        elif text := next(rest):
            parts.append(f"{text}." if token.endswith(".") else text)
    return "".join(parts)


def _reached(pattern: str, name: str) -> list[tuple[str, set[int]]] | None:
    """Each token of the pattern with the positions in the name that it can start at."""
    reached: list[tuple[str, set[int]]] = []
    ends = {0}  # the positions in `name` that what was read of the pattern can end at
    for token in _TOKEN.findall(pattern):
        reached.append((token, ends))
        if not token.startswith("*"):
            ends = {end + len(token) for end in ends if name.startswith(token, end)}
        elif token == "*":
            ends = _within_parts(name, ends)
        else:
            ends = _across_parts(name, ends, whole=token.endswith("."))
        if not ends:
            return None
    return reached if len(name) in ends else None


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
