"""Text in columns, as wide as a terminal shows it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

GAP = "  "


def aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """A line a row, each column as wide as its widest cell; those marked ``right`` end together.

    >>> aligned([["name", "size"], ["w", "6"], ["bias", "12"]], [False, True])
    ['name  size', 'w        6', 'bias    12']
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            padded(cell, width, right=at_right)
            for cell, width, at_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]


def padded(text: str, width: int, *, right: bool) -> str:
    """A cell filled with spaces up to ``width``; one that is wider stays as it is."""
    space = " " * max(0, width - cell_len(text))
    return space + text if right else text + space
