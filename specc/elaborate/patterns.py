"""Patterns of parameter names."""

from __future__ import annotations

import re


def pattern_matches(pattern: str, name: str) -> bool:
    """Whether a pattern stands for a name: ``*`` stays within one part of it, ``**`` crosses dots.

    ``**.`` stands for any number of whole parts, none included. The time is that of the product of
    both lengths, whatever the pattern.

    >>> pattern_matches("**.weight", "features.0.weight"), pattern_matches("**.weight", "weight")
    (True, True)
    >>> pattern_matches("*.weight", "features.0.weight"), pattern_matches("o*.weight", "out.weight")
    (False, True)
    """
    # The positions in `name` that what was read of the pattern can end at.
    ends = {0}
    for token in _TOKEN.findall(pattern):
        if token == "**.":
            ends = {
                end
                for end in range(min(ends, default=1), len(name) + 1)
                if _starts(name, end, ends)
            }
        elif token.startswith("**"):
            ends = set(range(min(ends, default=len(name) + 1), len(name) + 1))
        elif token == "*":
            reached: set[int] = set()
            for start in sorted(ends):
                end = start
                while end not in reached:
                    reached.add(end)
                    if end == len(name) or name[end] == ".":
                        break
                    end += 1
            ends = reached
        else:
            ends = {end + len(token) for end in ends if name.startswith(token, end)}
    return len(name) in ends


_TOKEN = re.compile(r"\*\*+\.|\*+|[^*]+")


def _starts(name: str, end: int, starts: set[int]) -> bool:
    """Whether ``**.`` reaches from one of ``starts`` to ``end``, where a part of a name begins."""
    begins = end == 0 or name[end - 1] == "."
    return begins and (end in starts or end > min(starts))
