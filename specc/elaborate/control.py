"""Run-time ``if`` and ``while``: what they assign is carried; shapes and dtypes stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from specc.elaborate.context import Frame
from specc.elaborate.facts import BadValue, CarriedMismatch, WrongType
from specc.elaborate.instances import Activation, RawBranch, RawLoop, RawNode, RawRegion, RawWrite
from specc.elaborate.nothing import NOTHING, Nothing, Returned
from specc.elaborate.operands import is_tensor, tensors_in
from specc.elaborate.operate import as_tensor, current
from specc.elaborate.scope import Scope
from specc.elaborate.values import POISON, Poison, Tensor, Undetermined, Value, describe
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import NotSupported
from specc.frontend.source import Span
from specc.ir.types import DType, TensorType

Run = Callable[[Frame, tuple[syntax.Statement, ...]], Value]


def assigned_names(statements: Iterable[syntax.Statement]) -> list[str]:
    """The names that statements assign, at any depth, in order."""
    names: dict[str, None] = {}
    pending = list(reversed(list(statements)))
    while pending:
        statement = pending.pop()
        if isinstance(statement, syntax.Assignment):
            names.update(dict.fromkeys(target.name for target in statement.targets))
        elif isinstance(statement, syntax.If):
            pending.extend(reversed((*statement.body, *statement.otherwise)))
        elif isinstance(statement, syntax.For | syntax.While | syntax.OnBlock):
            pending.extend(reversed(statement.body))
    return list(names)


def _condition(frame: Frame, value: Value, node: syntax.Expression) -> Tensor | Poison:
    tensor = as_tensor(frame, value, node.span)
    if isinstance(tensor, Tensor) and tensor.type != TensorType(DType.BOOL, ()):
        raise Fault(
            WrongType(
                where=node.span,
                what="a condition",
                expected="a scalar bool, bool[]",
                found=f"{tensor.type}",
                advice="compare, and reduce with `all` or `any`",
            )
        )
    return tensor


# ---- if ------------------------------------------------------------------------------------------


class _Side:
    """One branch after it ran: its nodes, what it bound, and the value that it ends with."""

    def __init__(self, frame: Frame, statements: tuple[syntax.Statement, ...], run: Run) -> None:
        activation = current(frame, Span(0, 0, 0))
        self.frame = frame.within(Scope(frame.scope))
        self.returned = False
        self.nodes: list[RawNode] = []
        with activation.region() as nodes:
            try:
                self.value = run(self.frame, statements)
            except Returned as returned:
                self.value, self.returned = returned.value, True
            self.nodes, self.reads = nodes, activation.reads

    def tensor(self, activation: Activation, value: Value, span: Span) -> Tensor | Poison:
        """``value`` as a tensor, read inside this branch where it is state."""
        around, reads = activation.nodes, activation.reads
        activation.nodes, activation.reads = self.nodes, self.reads
        try:
            return as_tensor(self.frame, value, span)
        finally:
            activation.nodes, activation.reads = around, reads


def branch(frame: Frame, node: syntax.If, value: Value, run: Run) -> Value:
    """A run-time ``if``. Its value is that of its branches, where both end with one."""
    condition = _condition(frame, value, node.condition)
    activation = current(frame, node.span)
    sides = (_Side(frame, node.body, run), _Side(frame, node.otherwise, run))
    if isinstance(condition, Poison):
        return POISON
    merge = _Merge(frame, activation, node.span, sides)
    for name in assigned_names((*node.body, *node.otherwise)):
        merge.name(name)
    tail = merge.tail(node)
    frame.context.count_node(node.span)
    results = tuple(activation.tensor(type_, node.span) for type_ in merge.types)
    regions = [
        RawRegion((), side.nodes, tuple(t.id for t in tensors))
        for side, tensors in zip(sides, merge.columns, strict=True)
    ]
    activation.nodes.append(RawBranch(condition.id, regions[0], regions[1], results, node.span))
    for name, position in merge.positions.items():
        frame.scope.bind(name, results[position])
        activation.names[results[position].id] = name
    if tail is None:
        return NOTHING
    from specc.elaborate.calls import result_of

    merged = result_of(results[tail:])
    if sides[0].returned:
        raise Returned(merged, node.span)
    return merged


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
        self.types.append(first.type)
        self.columns[0].append(first)
        self.columns[1].append(second)

    def tail(self, node: syntax.If) -> int | None:
        """Where the results begin that are the value of the ``if``; None where it has none."""
        then, otherwise = self.sides
        if then.returned is not otherwise.returned:
            raise Fault(
                NotSupported(where=node.condition.span, feature="a `return` in one branch alone")
            )
        values = [then.value, otherwise.value]
        if any(isinstance(value, Nothing | Poison) for value in values):
            return None
        parts = [tensors_in(value) for value in values]
        if parts[0] is None or parts[1] is None or len(parts[0]) != len(parts[1]):
            raise Fault(
                WrongType(
                    where=node.span,
                    what="the value of each branch",
                    expected="as many tensors",
                    found=" and ".join(describe(value) for value in values),
                )
            )
        start = len(self.types)
        for left, right in zip(parts[0], parts[1], strict=True):
            tensors = [
                side.tensor(self.activation, value, self.span)
                for side, value in zip(self.sides, (left, right), strict=True)
            ]
            self._add("the result", tensors, self.span)
        return start


# ---- while ---------------------------------------------------------------------------------------


def loop(frame: Frame, node: syntax.While, run: Run) -> None:
    """A run-time ``while`` over a scalar tensor."""
    activation = current(frame, node.span)
    names = []
    initial: list[Tensor] = []
    for name in assigned_names(node.body):
        binding = frame.scope.find(name)
        if binding is None or not is_tensor(binding.value):
            continue
        tensor = as_tensor(frame, binding.value, node.span)
        assert isinstance(tensor, Tensor)
        if binding.span is not None:
            frame.context.used.add(binding.span)
        names.append(name)
        initial.append(tensor)
    activation.loops.append(node.span)
    try:
        condition = _region(frame, activation, names, initial, _Condition(node))
        body = _region(frame, activation, names, initial, _Body(node, names, run))
    finally:
        activation.loops.pop()
    frame.context.count_node(node.span)
    results = tuple(activation.tensor(tensor.type, tensor.origin) for tensor in initial)
    activation.nodes.append(
        RawLoop(tuple(t.id for t in initial), condition, body, results, node.span)
    )
    for name, result in zip(names, results, strict=True):
        frame.scope.bind(name, result)
        activation.names[result.id] = name


def _region(
    frame: Frame,
    activation: Activation,
    names: list[str],
    initial: list[Tensor],
    fill: Callable[[Frame, tuple[Tensor, ...]], tuple[int, ...]],
) -> RawRegion:
    scope = Scope(frame.scope)
    carried = tuple(activation.tensor(tensor.type, tensor.origin) for tensor in initial)
    for name, tensor in zip(names, carried, strict=True):
        scope.bind(name, tensor)
        activation.names[tensor.id] = name
    with activation.region() as nodes:
        results = fill(frame.within(scope), carried)
    return RawRegion(carried, nodes, results)


class _Condition:
    """Fills the region that decides on another turn."""

    def __init__(self, node: syntax.While) -> None:
        self.node = node

    def __call__(self, frame: Frame, carried: tuple[Tensor, ...]) -> tuple[int, ...]:
        node = self.node.condition
        value = frame.evaluate(node)
        if isinstance(value, bool):
            raise Fault(
                WrongType(
                    where=node.span,
                    what="the condition of a `while`",
                    expected="a tensor",
                    found=describe(value),
                    advice="a loop that is known when compiling is a `for`",
                )
            )
        tensor = _condition(frame, value, node)
        return () if isinstance(tensor, Poison) else (tensor.id,)


class _Body:
    """Fills the region that makes one turn."""

    def __init__(self, node: syntax.While, names: list[str], run: Run) -> None:
        self.node = node
        self.names = names
        self.run = run

    def __call__(self, frame: Frame, carried: tuple[Tensor, ...]) -> tuple[int, ...]:
        try:
            self.run(frame, self.node.body)
        except Returned as returned:
            raise Fault(
                NotSupported(where=returned.span, feature="a `return` inside a `while`")
            ) from None
        outer = frame.scope.parent
        assert outer is not None
        for name, binding in frame.scope.names.items():
            if name not in self.names:
                place = binding.span or self.node.span
                around = outer.find(name)
                if around is not None and isinstance(around.value, Poison):
                    continue  # what made it wrong was said
                reason = "first assigned inside the loop"
                if around is not None:
                    reason = "known when compiling, so a run-time loop cannot change it"
                outer.bind(name, Undetermined(reason, place))
        results = []
        for name, before in zip(self.names, carried, strict=True):
            binding = frame.scope.names[name]
            if binding.span is not None:
                frame.context.used.add(binding.span)
            after = as_tensor(frame, binding.value, binding.span or self.node.span)
            if isinstance(after, Poison):
                return ()
            if after.type != before.type:
                raise Fault(
                    CarriedMismatch(
                        where=after.origin,
                        because=(Label(before.origin, f"this is {before.type}"),),
                        name=name,
                        first=str(before.type),
                        second=str(after.type),
                        where_to="before a turn of the loop, and after it",
                    )
                )
            results.append(after.id)
        return tuple(results)


# ---- buffers -------------------------------------------------------------------------------------


def write_buffer(frame: Frame, target: syntax.Name, value: Value) -> Value:
    """Sets a buffer of the block; the name is that tensor from here on."""
    activation = current(frame, target.span)
    if isinstance(value, Poison):
        return POISON
    tensor = as_tensor(frame, value, target.span)
    if isinstance(tensor, Poison):
        return POISON
    expected = activation.buffers[target.name]
    if tensor.type != expected:
        raise Fault(
            CarriedMismatch(
                where=tensor.origin,
                name=target.name,
                first=str(expected),
                second=str(tensor.type),
                where_to="as declared, and set to",
            )
        )
    frame.context.count_node(target.span)
    activation.nodes.append(RawWrite(target.name, tensor.id, target.span))
    frame.context.used.add(target.span)
    return tensor
