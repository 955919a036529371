"""What a planned forward consists of: its statements, and the expressions that they compute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from specc.ir.graph import Application, Loop, Operation, Scan, Transfer, Value


@dataclass(frozen=True, eq=False)
class Tree:
    """A node whose operands are variables (by value id), or nodes computed on the same line."""

    node: Operation | Application | Transfer
    operands: tuple[Operand, ...]
    borrowed: Mapping[str, Operand]
    depth: int

    def leaves(self) -> Iterator[int]:
        """The variables that the expression reads, in order."""
        for operand in (*self.operands, *self.borrowed.values()):
            if isinstance(operand, Tree):
                yield from operand.leaves()
            else:
                yield operand

    def children(self) -> list[Tree]:
        """The operands that are computed on the same line."""
        everything = (*self.operands, *self.borrowed.values())
        return [operand for operand in everything if isinstance(operand, Tree)]


Operand: TypeAlias = "Tree | int"


@dataclass(frozen=True, eq=False)
class Statement:
    """``results = tree``, or what is returned where ``results`` is None."""

    results: tuple[Value, ...] | None
    trees: tuple[Operand, ...]

    def leaves(self) -> Iterator[int]:
        """The variables that the statement reads."""
        return _leaves(self.trees)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """``result = self.path.clone()``: what a buffer holds, kept while the buffer may change."""

    result: Value
    path: str


@dataclass(frozen=True, eq=False)
class Set:
    """A buffer is set."""

    buffer: str
    value: Operand


@dataclass(frozen=True, eq=False)
class Moves:
    """``targets = sources``, all at once."""

    targets: tuple[Value, ...]
    sources: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Choice:
    """An ``if``. ``results`` are those of the node that something reads; both sides set them.

    Where ``condition`` is None, the choice is by ``self.training``. Where it ``returns``, ``then``
    ends the forward, there are no results, and what is done otherwise follows as items.
    """

    condition: Operand | None
    results: tuple[Value, ...]
    then: Sequence[Item]
    otherwise: Sequence[Item]
    returns: bool = False


@dataclass(frozen=True, eq=False)
class Repetition:
    """A ``while``. ``enter`` sets the carried variables before it, the last of ``body`` in it.

    ``before`` is what has to be computed for the condition, beyond the expression itself.
    """

    node: Loop
    enter: Moves
    before: Sequence[Item]
    condition: Operand | None
    body: Sequence[Item]


@dataclass(frozen=True, eq=False)
class Append:
    """``target.append(value)``: one entry of what a scan collects."""

    target: Value
    value: int


@dataclass(frozen=True, eq=False)
class Steps:
    """A ``for`` over the entries of sequences.

    ``enter`` sets the states before it, the last of ``body`` in it. ``collected`` are the results
    that something reads among those that are stacked behind it.
    """

    node: Scan
    enter: Moves
    collected: tuple[Value, ...]
    body: Sequence[Item]


Item: TypeAlias = Statement | Snapshot | Set | Moves | Append | Choice | Repetition | Steps


def _leaves(operands: Iterable[Operand | None]) -> Iterator[int]:
    for operand in operands:
        if isinstance(operand, Tree):
            yield from operand.leaves()
        elif operand is not None:
            yield operand


def read_by(item: Item) -> Iterator[int]:
    """The variables that an item itself reads, those of the items inside it left out."""
    match item:
        case Statement():
            return item.leaves()
        case Set():
            return _leaves([item.value])
        case Choice() | Repetition():
            return _leaves([item.condition])
        case Moves():
            return iter(item.sources)
        case Append():
            return iter((item.value,))
        case Steps():
            return iter(item.node.sequences)
        case Snapshot():
            return iter(())
