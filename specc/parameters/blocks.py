"""Histograms drawn with characters."""

from __future__ import annotations

from specc.parameters.statistics import Histogram

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_PLAIN = " .:-=+*#@"
"""For a terminal that has no block elements; as dense as the blocks are high."""


def fits(encoding: str) -> bool:
    """Whether an encoding has the block elements."""
    try:
        _EIGHTHS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def line(found: Histogram, *, blocks: bool = True) -> str:
    """A histogram in one line, a character a bin; whatever is not 0 is seen.

    >>> line(Histogram(0, 1, (0, 1, 4, 8, 2)))
    ' ▁▄█▂'
    """
    return drawn(found, 1, blocks=blocks)[0]


def drawn(found: Histogram, height: int, *, blocks: bool = True) -> list[str]:
    """A histogram over ``height`` lines, the highest first.

    >>> drawn(Histogram(0, 1, (0, 1, 4, 8, 2)), 2)
    ['   █ ', ' ▂██▄']
    """
    marks = _EIGHTHS if blocks else _PLAIN
    most = max(found.counts) or 1
    levels = [max(1, round(8 * height * count / most)) if count else 0 for count in found.counts]
    return [
        "".join(marks[min(8, max(0, level - 8 * below))] for level in levels)
        for below in reversed(range(height))
    ]
