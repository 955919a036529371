"""Run-time ``if``, and ``a if c else b``: what either side gives is brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeAlias

from specc.elaborate.context import Frame, OutOfBounds
from specc.elaborate.control import Run, always_returns, assigned_names, condition_tensor
from specc.elaborate.facts import (
    BadValue,
    CarriedMismatch,
    LimitExceeded,
    MisplacedReturn,
    NoResult,
    WrongType,
    return_in_loop,
)
from specc.elaborate.instances import Activation
from specc.elaborate.nothing import NOTHING, Nothing, Returned
from specc.elaborate.operands import is_tensor, tensors_in
from specc.elaborate.operate import as_tensor, current
from specc.elaborate.placement import bring
from specc.elaborate.raw import RawBranch, RawNode, RawRegion
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    POISON,
    Poison,
    Tensor,
    Undetermined,
    Value,
    describe,
    is_poisoned,
)
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.ir.graph import HERE
from specc.ir.types import TensorType

MAX_BRANCHES = 50
"""Run-time branches inside one another: Python indents 100 deep."""

Fill: TypeAlias = Callable[[Frame], Value]
"""What a side does, in a frame of its own."""


def _filler(run: Run, statements: tuple[syntax.Statement, ...]) -> Fill:
    return lambda inner: run(inner, statements)


class _Side:
    """One branch after it ran: its nodes, what it bound, and the value that it ends with."""

    def __init__(self, frame: Frame, activation: Activation, fill: Fill) -> None:
        self.frame = frame.within(Scope(frame.scope))
        self.returned: Span | None = None
        self.nodes: list[RawNode] = []
        with activation.region() as nodes:
            try:
                self.value = fill(self.frame)
            except Returned as returned:
                self.value, self.returned = returned.value, returned.span
            self.nodes, self.reads = nodes, activation.reads

    def tensor(self, activation: Activation, value: Value, span: Span) -> Tensor | Poison:
        """``value`` as a tensor, read inside this branch where it is state."""
        around, reads = activation.nodes, activation.reads
        activation.nodes, activation.reads = self.nodes, self.reads
        try:
            return as_tensor(self.frame, value, span)
        finally:
            activation.nodes, activation.reads = around, reads

    def brought(self, activation: Activation, tensor: Tensor, device: str, span: Span) -> Tensor:
        """``tensor`` on a device, moved inside this branch."""
        around, transfers = activation.nodes, activation.transfers
        activation.nodes, activation.transfers = self.nodes, {}
        try:
            return bring(self.frame, (tensor,), device, span)[0]
        finally:
            activation.nodes, activation.transfers = around, transfers


@contextmanager
def _deeper(frame: Frame, activation: Activation, span: Span) -> Iterator[None]:
    """One branch further in. Raises a Fault where that is too deep."""
    activation.branches += 1
    try:
        if activation.branches > MAX_BRANCHES:
            limit = MAX_BRANCHES
            what = "run-time branches inside one another"
            raise OutOfBounds(LimitExceeded(where=span, what=what, limit=limit))
        with frame.context.deeper(span):
            yield
    finally:
        activation.branches -= 1


def branch(frame: Frame, node: syntax.If, value: Value, run: Run) -> Value:
    """A run-time ``if``. Its value is that of its branches, where both end with one."""
    condition = condition_tensor(frame, value, node.condition)
    activation = current(frame, node.span)
    with _deeper(frame, activation, node.span):
        sides = (
            _Side(frame, activation, _filler(run, node.body)),
            _Side(frame, activation, _filler(run, node.otherwise)),
        )
    if isinstance(condition, Poison):
        return POISON
    then, otherwise = sides
    if (then.returned is None) is not (otherwise.returned is None):
        place = then.returned or otherwise.returned
        assert place is not None
        loops = activation.loops
        raise Fault(return_in_loop(place, loops[-1]) if loops else MisplacedReturn(where=place))
    merge = _Merge(frame, activation, node.span, sides)
    for name in assigned_names((*node.body, *node.otherwise)):
        merge.name(name)
    merged = merge.finish(condition, sides)
    if then.returned is not None:
        raise Returned(POISON if isinstance(merged, Nothing) else merged, node.span)
    return merged


def last_branch(
    frame: Frame, node: syntax.If, value: Value, run: Run, rest: tuple[syntax.Statement, ...]
) -> NoReturn:
    """A run-time ``if`` with a ``return`` in it, and all that a body has behind it.

    A side that does not return goes on with ``rest``, so either side ends with the body's result.
    Raises Returned.
    """
    condition = condition_tensor(frame, value, node.condition)
    activation = current(frame, node.span)
    goes_on = [not always_returns(side) for side in (node.body, node.otherwise)]
    if all(goes_on) and rest:
        raise Fault(
            MisplacedReturn(
                where=node.condition.span,
                because=(Label(rest[0].span, "either branch may go on here"),),
                reason="both branches of this `if` may go on behind it, and one may return",
                advice="end one of the branches with a `return`, whichever way is taken in it",
            )
        )
    texts = [
        (*side, *rest) if open_ else side
        for side, open_ in zip((node.body, node.otherwise), goes_on, strict=True)
    ]
    sides: dict[int, _Side] = {}
    with _deeper(frame, activation, node.span):
        for index in sorted((0, 1), key=lambda k: goes_on[k]):  # what follows comes last
            sides[index] = _Side(frame, activation, _filler(run, texts[index]))
    if isinstance(condition, Poison):
        raise Returned(POISON, node.span)
    both = (sides[0], sides[1])
    if any(isinstance(side.value, Nothing) for side in both):
        raise Fault(
            NoResult(
                where=node.condition.span,
                because=tuple(Label(s.returned, "this one has") for s in both if s.returned),
                owner="one branch of this `if`",
            )
        )
    merged = _Merge(frame, activation, node.span, both).finish(condition, both)
    raise Returned(POISON if isinstance(merged, Nothing) else merged, node.span)


def choice(frame: Frame, node: syntax.Conditional, value: Value) -> Value:
    """``a if c else b`` by a scalar tensor: the side that is taken alone is computed."""
    condition = condition_tensor(frame, value, node.condition)
    activation = current(frame, node.span)
    with _deeper(frame, activation, node.span):
        sides = (
            _Side(frame, activation, lambda inner: inner.evaluate(node.then)),
            _Side(frame, activation, lambda inner: inner.evaluate(node.otherwise)),
        )
    if isinstance(condition, Poison) or any(is_poisoned(side.value) for side in sides):
        return POISON
    left, right = (side.value for side in sides)
    if tensors_in(left) is None and type(left) is type(right) and left == right:
        return left  # whichever side is taken
    merged = _Merge(frame, activation, node.span, sides).finish(condition, sides)
    return POISON if isinstance(merged, Nothing) else merged


class _Merge:
    """The values of two branches brought together, those of each in one column."""

    def __init__(
        self, frame: Frame, activation: Activation, span: Span, sides: tuple[_Side, _Side]
    ) -> None:
        self.frame = frame
        self.activation = activation
        self.span = span
        self.sides = sides
        self.types: list[TensorType] = []
        self.columns: tuple[list[Tensor], list[Tensor]] = ([], [])
        self.positions: dict[str, int] = {}

    def name(self, name: str) -> None:
        """Carries a name that a branch assigns, or marks it as one without a value."""
        found = [side.frame.scope.find(name) for side in self.sides]
        bound = [binding for binding in found if binding is not None]
        if not bound:
            return  # assigned in a branch that compile-time conditions left out
        values = [binding.value for binding in bound]
        for binding in bound:  # what is carried out is used, whatever becomes of it there
            if binding.span is not None:
                self.frame.context.used.add(binding.span)
        place = next((b.span for b in bound if b.span is not None), self.span)
        if any(isinstance(value, Poison) for value in values):
            self.frame.scope.bind(name, POISON)
        elif len(bound) == 1:
            reason = "assigned in one branch alone"
            self.frame.scope.bind(name, Undetermined(reason, place))
        elif values[0] is values[1] or (not is_tensor(values[0]) and values[0] == values[1]):
            self.frame.scope.bind(name, values[0], place)
        elif all(is_tensor(value) for value in values):
            self._carry(name, values, place)
        else:
            reason = "known when compiling in a branch, so it cannot depend on a tensor"
            self.frame.scope.bind(name, Undetermined(reason, place))

    def _carry(self, name: str, values: list[Value], place: Span) -> None:
        tensors = [
            side.tensor(self.activation, value, place)
            for side, value in zip(self.sides, values, strict=True)
        ]
        self.positions[name] = len(self.types)
        self._add(name, tensors, place)

    def _add(self, name: str, tensors: list[Tensor | Poison], place: Span) -> None:
        first, second = tensors
        if isinstance(first, Poison) or isinstance(second, Poison):
            raise Fault(BadValue(where=place, problem="this branch has no value"))
        if first.type != second.type:
            raise Fault(
                CarriedMismatch(
                    where=second.origin,
                    because=(Label(first.origin, f"this is {first.type}"),),
                    name=name,
                    first=str(first.type),
                    second=str(second.type),
                    where_to="in one branch, and in the other",
                )
            )
        device = self.activation.devices.get(first.id, HERE)
        second = self.sides[1].brought(self.activation, second, device, place)
        self.types.append(first.type)
        self.columns[0].append(first)
        self.columns[1].append(second)

    def finish(self, condition: Tensor, sides: tuple[_Side, _Side]) -> Value:
        """Adds the node, binds what it carries, and gives the value of the sides, if any."""
        tail = self._tail()
        frame, activation = self.frame, self.activation
        frame.context.count_node(self.span)
        results = tuple(
            activation.tensor(type_, self.span, activation.devices.get(first.id, HERE))
            for type_, first in zip(self.types, self.columns[0], strict=True)
        )
        then, otherwise = (
            RawRegion((), side.nodes, tuple(t.id for t in tensors))
            for side, tensors in zip(sides, self.columns, strict=True)
        )
        activation.nodes.append(RawBranch(condition.id, then, otherwise, results, self.span))
        for name, position in self.positions.items():
            frame.scope.bind(name, results[position])
            activation.names[results[position].id] = name
        from specc.elaborate.calls import result_of

        return NOTHING if tail is None else result_of(results[tail:])

    def _tail(self) -> int | None:
        """Where the results begin that are the value of the sides; None where there is none."""
        values = [side.value for side in self.sides]
        if any(isinstance(value, Nothing | Poison) for value in values):
            return None
        parts = [tensors_in(value) for value in values]
        if parts[0] is None or parts[1] is None or len(parts[0]) != len(parts[1]):
            raise Fault(
                WrongType(
                    where=self.span,
                    what="what a run-time condition chooses",
                    expected="tensors, as many on either side",
                    found=" and ".join(describe(value) for value in values),
                )
            )
        start = len(self.types)
        for left, right in zip(parts[0], parts[1], strict=True):
            tensors = [
                side.tensor(self.activation, value, self.span)
                for side, value in zip(self.sides, (left, right), strict=True)
            ]
            self._add("", tensors, self.span)
        return start
