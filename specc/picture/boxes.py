"""What a picture consists of, before anything has a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from specc.ir.flatten import FlatValue

BoxKind = Literal["input", "output", "rows", "block", "region"]


@dataclass(frozen=True)
class Row:
    """One layer or operation. ``name`` is empty where it has none, ``note`` says what it shares.

    ``family`` is what its colour stands for, ``tip`` its full name.
    """

    name: str
    text: str
    family: str
    shape: str
    note: str = ""
    tip: str = ""


@dataclass(eq=False)
class Box:
    """One box: rows, or the figures inside (a block has one, a loop or branch one a region).

    ``inputs`` are values from outside, ``outputs`` those that are used outside, or may be.
    """

    kind: BoxKind
    title: str = ""
    detail: str = ""
    rows: list[Row] = field(default_factory=list)
    figures: list[tuple[str, Figure]] = field(default_factory=list)
    inputs: list[FlatValue] = field(default_factory=list)
    outputs: list[FlatValue] = field(default_factory=list)
    count: int = 1
    signature: object = None  # equal for boxes that differ by their name alone


@dataclass(eq=False)
class Figure:
    """Boxes in computing order. What ``inputs`` and ``outputs`` name has boxes of its own."""

    boxes: list[Box]

    def arrows(self) -> Iterator[tuple[Box, Box, FlatValue]]:
        """Which box hands which value to which other."""
        source: dict[FlatValue, Box] = {}
        for box in self.boxes:
            for value in box.inputs:
                if value in source:
                    yield source[value], box, value
            source.update(dict.fromkeys(box.outputs, box))
