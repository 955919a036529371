"""Run-time ``while``, and buffers that are set: what they assign is carried."""

from __future__ import annotations

from collections.abc import Callable

from specc.elaborate.context import Frame, Silent
from specc.elaborate.control import Run, assigned_names, condition_tensor
from specc.elaborate.facts import CarriedMismatch, WrongType, return_in_loop
from specc.elaborate.instances import Activation
from specc.elaborate.nothing import Returned
from specc.elaborate.operands import is_tensor
from specc.elaborate.operate import as_tensor, current
from specc.elaborate.placement import bring
from specc.elaborate.raw import RawLoop, RawRegion, RawWrite
from specc.elaborate.scope import Scope
from specc.elaborate.values import POISON, Poison, Tensor, Undetermined, Value, describe
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Label
from specc.ir.graph import HERE


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
    results = tuple(_like(activation, tensor) for tensor in initial)
    activation.nodes.append(
        RawLoop(tuple(t.id for t in initial), condition, body, results, node.span)
    )
    for name, result in zip(names, results, strict=True):
        frame.scope.bind(name, result)
        activation.names[result.id] = name


def _like(activation: Activation, tensor: Tensor) -> Tensor:
    """A new tensor of the same type, on the same device."""
    device = activation.devices.get(tensor.id, HERE)
    return activation.tensor(tensor.type, tensor.origin, device)


def _region(
    frame: Frame,
    activation: Activation,
    names: list[str],
    initial: list[Tensor],
    fill: Callable[[Frame, tuple[Tensor, ...]], tuple[int, ...]],
) -> RawRegion:
    scope = Scope(frame.scope)
    carried = tuple(_like(activation, tensor) for tensor in initial)
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
        tensor = condition_tensor(frame, value, node)
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
            if isinstance(returned.value, Poison):
                raise Silent(returned.span) from None
            raise Fault(return_in_loop(returned.span, self.node.span)) from None
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
        devices = current(frame, self.node.span).devices
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
            device = devices.get(before.id, HERE)
            (after,) = bring(frame, (after,), device, after.origin)
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
    device = activation.instance.state[target.name].device
    (tensor,) = bring(frame, (tensor,), device, target.span)
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
