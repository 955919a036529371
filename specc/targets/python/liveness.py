"""Which values of a planned forward are needed after a place in it."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from specc.targets.python.items import (
    Append,
    Choice,
    Item,
    Moves,
    Repetition,
    Snapshot,
    Statement,
    Steps,
    read_by,
)

Range = tuple[int, int]


class Liveness:
    """The items of a forward numbered as they stand in the text, and where each value is read.

    ``at`` is the number of an item, for an ``if`` or ``while`` that of its first line; ``end`` is
    the number after all that such an item holds. What a loop reads from around it is read until its
    end, since the next turn may need it. Of an ``if``, one side alone runs, so from within ``then``
    nothing in ``otherwise`` follows, and nothing at all where ``then`` returns.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.at: dict[int, int] = {}  # by the identity of an item, as the others
        self.end: dict[int, int] = {}
        self.skipped: dict[int, Range] = {}
        self._reads: dict[int, list[int]] = {}
        self._made: dict[int, int] = {}
        self._position = 0
        self._loops: list[set[int]] = [set()]
        self._number(items)

    def is_needed(self, value: int, after: int, skipped: Sequence[Range]) -> bool:
        """Whether a value is read beyond ``after`` in what can run, without what is ``skipped``.

        ``skipped`` are the ranges that do not follow, inner ones first.
        """
        reads = self._reads.get(value, [])
        index = bisect_right(reads, after)
        for first, last in skipped:
            if index < len(reads) and first <= reads[index] <= last:
                index = bisect_right(reads, last)
        return index < len(reads)

    def is_read(self, value: int) -> bool:
        """Whether anything reads the value."""
        return value in self._reads

    def readers(self, value: int) -> list[int]:
        """The numbers of the items that read the value, in order."""
        return self._reads.get(value, [])

    def _next(self) -> int:
        self._position += 1
        return self._position

    def _read(self, values: Iterable[int], position: int) -> None:
        for value in values:
            reads = self._reads.setdefault(value, [])
            if not reads or reads[-1] != position:
                reads.append(position)
            self._loops[-1].add(value)

    def _number(self, items: Sequence[Item]) -> None:
        for item in items:
            at = self._next()
            self.at[id(item)] = at
            if isinstance(item, Repetition):
                self._loop(item, at)
                continue
            if isinstance(item, Steps):
                self._steps(item, at)
                continue
            self._read(read_by(item), at)
            if isinstance(item, Choice):
                self._number(item.then)
                first = self._position + 1
                self._number(item.otherwise)
                last = sys.maxsize if item.returns else self._position
                self.skipped[id(item)] = (first, last)
                self.end[id(item)] = self._next()
                self._made.update((result.id, self._position) for result in item.results)
            elif isinstance(item, Statement):
                self._made.update((result.id, at) for result in item.results or ())
            elif isinstance(item, Snapshot):
                self._made[item.result.id] = at
            elif isinstance(item, Append):
                self._read([item.target.id], at)

    def _loop(self, item: Repetition, at: int) -> None:
        node = item.node
        self._read(item.enter.sources, at)
        self._loops.append(set())
        for value in (*node.condition.inputs, *node.body.inputs):
            self._made[value.id] = at + 1
        self._number(item.before)
        # The carried variables outlast the condition: the body or what follows reads them.
        self._read([*read_by(item), *(value.id for value in node.condition.inputs)], self._next())
        self._number(item.body)
        end = self.end[id(item)] = self._next()
        inside = self._loops.pop()
        self._read((v for v in sorted(inside) if self._made.get(v, 0) <= at), end)
        self._made.update((result.id, end) for result in node.results)

    def _steps(self, item: Steps, at: int) -> None:
        """The states are set and the lists begun first, and then the sequences are read."""
        node = item.node
        self._read(item.enter.sources, at)
        self._made.update((result.id, at) for result in item.collected)
        self._read(read_by(item), self._next())
        self._loops.append(set())
        self._made.update((value.id, at + 1) for value in node.body.inputs)
        self._number(item.body)
        end = self.end[id(item)] = self._next()
        inside = self._loops.pop()
        self._read((v for v in sorted(inside) if self._made.get(v, 0) <= at), end)
        self._made.update((result.id, end) for result in item.enter.targets)


def moves_of(items: Sequence[Item]) -> Moves:
    """What the end of a side, or of a turn, assigns."""
    last = items[-1]
    assert isinstance(last, Moves)
    return last
