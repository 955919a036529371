"""Boxes that say the same, or follow each other, become one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from specc.ir.flatten import FlatValue
from specc.picture.boxes import Box


def folded(boxes: list[Box]) -> list[Box]:
    """Equal blocks that follow each other, each fed by the last alone, become one with a count."""
    uses = _uses(boxes)
    kept: list[Box] = []
    for box in boxes:
        last = kept[-1] if kept else None
        if last is not None and _repeats(last, box, uses):
            last.count += box.count
            last.title = f"{last.title.partition(' … ')[0]} … {box.title}"
            last.rows = [replace(row, name=last.title) for row in last.rows]
            last.outputs = box.outputs
            continue
        kept.append(box)
    return kept


def _repeats(last: Box, box: Box, uses: Mapping[FlatValue, list[Box]]) -> bool:
    if box.kind != "block" or last.kind != "block" or box.signature != last.signature:
        return False
    handed = [value for value in box.inputs if value in last.outputs]
    others = [value for value in box.inputs if value not in last.outputs]
    before = [value for value in last.inputs if value not in others]
    elsewhere = any(
        user not in (last, box) for value in last.outputs for user in uses.get(value, ())
    )
    return len(handed) == 1 and len(before) == 1 and not elsewhere


def merged(boxes: list[Box]) -> list[Box]:
    """Rows that follow each other, each fed by the last alone, become one box."""
    uses = _uses(boxes)
    source = {value: box for box in boxes for value in box.outputs}
    joined: dict[Box, Box] = {}
    kept: list[Box] = []
    for box in boxes:
        before = {source[value] for value in box.inputs if value in source}
        previous = next(iter(before)) if len(before) == 1 else None
        if previous is not None and box.kind == "rows" and previous.kind == "rows":
            users = {user for value in previous.outputs for user in uses.get(value, ())}
            if users == {box}:
                target = joined.get(previous, previous)
                target.rows += box.rows
                target.outputs = box.outputs
                joined[box] = target
                continue
        kept.append(box)
    return kept


def _uses(boxes: Sequence[Box]) -> dict[FlatValue, list[Box]]:
    uses: dict[FlatValue, list[Box]] = {}
    for box in boxes:
        for value in box.inputs:
            uses.setdefault(value, []).append(box)
    return uses
