"""The lines of a forward: run-time ``if`` and ``while``, and the loops over lists of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from specc.ir.graph import Operation
from specc.targets.python import expressions as py
from specc.targets.python.expressions import ATOM, Expression
from specc.targets.python.items import (
    Append,
    Choice,
    Item,
    Moves,
    Operand,
    Repetition,
    Set,
    Snapshot,
    Statement,
    Steps,
    Tree,
)
from specc.targets.python.layout import INDENT, SOFT, Doc, Group, IfBroken, Indented
from specc.targets.python.loops import Run

if TYPE_CHECKING:
    from specc.targets.python.body import Forward


@dataclass(frozen=True)
class Line:
    """A line at its margin. ``trees`` are what it computes, where that may be divided."""

    margin: int
    doc: Doc
    trees: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class _If(Line):
    """The first line of an ``if`` that has ``length`` lines in all."""

    length: int = 0


class Printer:
    """Prints planned items, runs of layers that keep one variable as loops over their list."""

    def __init__(self, forward: Forward, runs: Sequence[Run]) -> None:
        self._forward = forward
        self._names = forward.names
        self._run_of = {run[0].results[0].id: run for run in runs}
        self._layer = forward.unique("layer") if runs else ""

    def lines(self, items: Sequence[Item], margin: int) -> Iterator[Line]:
        """The lines of the items, in order."""
        position = 0
        while position < len(items):
            item = items[position]
            run = self._run(item)
            if run:
                yield from self._over_layers(run, margin)
                position += len(run)
                continue
            parts = self._unpacked(items, position)
            if parts:
                yield self._unpacking(parts, margin)
                position += len(parts)
                continue
            yield from self._item(item, margin)
            position += 1

    def _item(self, item: Item, margin: int) -> Iterator[Line]:
        match item:
            case Statement():
                yield Line(margin, self._forward.statement(item), item.trees)
            case Snapshot(result, path):
                kept = py.call(py.attribute(self._forward.read(path), "clone"))
                yield Line(margin, (self._names[result.id], " = ", kept.doc))
            case Set():
                yield self._set(item, margin)
            case Moves():
                yield from self._moves(item, margin)
            case Choice():
                yield from self._choice(item, margin)
            case Repetition():
                yield from self._repetition(item, margin)
            case Append(target, value):
                receiver = py.attribute(py.name(self._names[target.id]), "append")
                yield Line(margin, py.call(receiver, [self._forward.operand(value)]).doc)
            case Steps():
                yield from self._steps(item, margin)

    def _set(self, item: Set, margin: int) -> Line:
        # In place, so that the buffer keeps its dtype, its device and its identity.
        value = py.call(py.attribute(self._forward.operand(item.value), "detach"))
        buffer = self._forward.read(item.buffer)
        return Line(margin, py.call(py.attribute(buffer, "copy_"), [value]).doc, (item.value,))

    def _moves(self, moves: Moves, margin: int) -> Iterator[Line]:
        """Assignments, on one line where one of them overwrites what a later one reads."""
        pairs = []
        for target, source in zip(moves.targets, moves.sources, strict=True):
            name, value = self._names[target.id], self._forward.operand(source)
            if value.text != name:
                pairs.append((name, value))
        names = {name for name, _ in pairs}
        if any(value.text in names for _, value in pairs) and len(pairs) > 1:
            targets = py.bare_tuple([py.name(name) for name, _ in pairs])
            values = py.bare_tuple([value for _, value in pairs])
            yield Line(margin, (targets.doc, " = ", values.doc))
        else:
            for name, value in pairs:
                yield Line(margin, (name, " = ", value.doc))

    # ---- if and while ----------------------------------------------------------------------------

    def _choice(self, item: Choice, margin: int) -> Iterator[Line]:
        then = list(self.lines(item.then, margin + INDENT))
        otherwise = list(self.lines(item.otherwise, margin + INDENT))
        condition = self._condition(item.condition)
        if not then:
            condition, then, otherwise = py.prefix("not", condition), otherwise, []
        if not then:
            return  # neither side does anything
        trees = () if item.condition is None else (item.condition,)
        if otherwise and isinstance(otherwise[0], _If) and otherwise[0].length == len(otherwise):
            first, *rest = (replace(line, margin=line.margin - INDENT) for line in otherwise)
            otherwise = [replace(first, doc=("el", first.doc)), *rest]
        elif otherwise:
            otherwise = [Line(margin, "else:"), *otherwise]
        length = 1 + len(then) + len(otherwise)
        yield _If(margin, ("if ", parenthesized(condition), ":"), trees, length)
        yield from then
        yield from otherwise

    def _repetition(self, item: Repetition, margin: int) -> Iterator[Line]:
        yield from self._moves(item.enter, margin)
        before = list(self.lines(item.before, margin + INDENT))
        condition = self._condition(item.condition)
        body = list(self.lines(item.body, margin + INDENT))
        trees = () if item.condition is None else (item.condition,)
        if before:
            yield Line(margin, "while True:")
            yield from before
            stop = parenthesized(py.prefix("not", condition))
            yield Line(margin + INDENT, ("if ", stop, ":"), trees)
            yield Line(margin + 2 * INDENT, "break")
        else:
            yield Line(margin, ("while ", parenthesized(condition), ":"), trees)
        yield from body
        if not (before or body):
            yield Line(margin + INDENT, "pass")

    def _steps(self, item: Steps, margin: int) -> Iterator[Line]:
        node = item.node
        yield from self._moves(item.enter, margin)
        collected = [py.name(self._names[result.id]) for result in item.collected]
        for variable in collected:
            yield Line(margin, (variable.doc, " = []"))
        entries = node.body.inputs[: len(node.sequences)]
        targets = py.bare_tuple([py.name(self._names[entry.id]) for entry in entries])
        dim = py.literal(node.dim)
        walked = [
            py.call(py.attribute(self._forward.operand(sequence), "unbind"), [dim])
            for sequence in node.sequences
        ]
        if node.backward:
            walked = [py.call(py.name("reversed"), [sequence]) for sequence in walked]
        over = walked[0]
        if len(walked) > 1:
            over = py.call(py.name("zip"), walked, [("strict", py.literal(True))])
        yield Line(margin, ("for ", targets.doc, " in ", over.doc, ":"))
        body = list(self.lines(item.body, margin + INDENT))
        yield from body or [Line(margin + INDENT, "pass")]
        for variable in collected:
            ordered = variable
            if node.backward:  # the first to be collected is the last
                ordered = py.subscript(variable, [py.slice_of(None, None, py.literal(-1))])
            stacked = self._forward.function("torch.stack", [ordered], [("dim", dim)])
            yield Line(margin, (variable.doc, " = ", stacked.doc))

    def _condition(self, operand: Operand | None) -> Expression:
        if operand is None:
            return py.attribute(py.SELF, "training")
        if isinstance(operand, Tree) and isinstance(operand.node, Operation):
            inner = operand.operands[0] if operand.operands else operand
            if operand.node.operator == "logical_not" and _is_training(inner):
                return py.prefix("not", self._condition(None))
        return self._forward.operand(operand)

    # ---- a tensor taken apart --------------------------------------------------------------------

    def _unpacked(self, items: Sequence[Item], start: int) -> list[Statement]:
        """Statements that take a tensor apart along its first dim: ``q = x[0]``, ``k = x[1]``."""
        whole, parts = None, []
        for index in range(len(items) - start):
            item = items[start + index]
            tensor = _indexed(item, index)
            if tensor is None or (whole is not None and tensor != whole):
                break
            whole = tensor
            assert isinstance(item, Statement)
            parts.append(item)
        if whole is None or len(parts) < 2:
            return []
        return parts if self._forward.type_of(whole).shape[0] == len(parts) else []

    def _unpacking(self, parts: Sequence[Statement], margin: int) -> Line:
        targets = [py.name(self._names[part.results[0].id]) for part in parts if part.results]
        (tree,) = parts[0].trees
        assert isinstance(tree, Tree)
        whole = self._forward.operand(tree.operands[0])
        return Line(margin, (py.bare_tuple(targets).doc, " = ", whole.doc))

    # ---- lists of layers -------------------------------------------------------------------------

    def _run(self, item: Item) -> Run:
        """The run that begins with an item and keeps one variable throughout."""
        if not isinstance(item, Statement) or not item.results:
            return []
        run = self._run_of.get(item.results[0].id, [])
        variables = {self._names.get(node.inputs[0], "") for node in run}
        variables |= {self._names.get(node.results[0].id, "") for node in run}
        return run if len(variables) == 1 else []

    def _over_layers(self, run: Run, margin: int) -> Iterator[Line]:
        variable = py.name(self._names[run[0].results[0].id])
        path, _, _ = run[0].layer.rpartition(".")
        yield Line(margin, ("for ", self._layer, " in ", self._forward.container(path), ":"))
        shared = [self._forward.operand(value) for value in run[0].inputs[1:]]
        arguments = [variable, *shared, *self._forward.handed(run[0])]
        call = py.call(py.name(self._layer), arguments)
        yield Line(margin + INDENT, (variable.doc, " = ", call.doc))


def _indexed(item: Item, index: int) -> int | None:
    """The variable that an item takes the entry of this index from, where it does no more."""
    if not isinstance(item, Statement) or not item.results or len(item.trees) != 1:
        return None
    (tree,) = item.trees
    if not isinstance(tree, Tree) or not isinstance(tree.node, Operation):
        return None
    is_entry = tree.node.attributes.get("items") == (("index", index),)
    (tensor,) = tree.operands if len(tree.operands) == 1 else (None,)
    return tensor if is_entry and isinstance(tensor, int) else None


def _is_training(operand: Operand) -> bool:
    node = operand.node if isinstance(operand, Tree) else None
    return isinstance(node, Operation) and node.operator == "training"


def parenthesized(value: Expression) -> Doc:
    """An operator's expression goes in parentheses where it takes more than a line."""
    if value.level >= ATOM or value.level < 0:
        return value.doc
    return Group((IfBroken("("), Indented((SOFT, value.doc)), SOFT, IfBroken(")")))
