"""Invariants of run-time loops and branches, and of buffers that are set, with the holes filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from specc.invariants.activations import Activation
from specc.invariants.problem import Finding, node_at, quoted
from specc.invariants.view import View
from specc.ir.attributes import size_environment
from specc.ir.dims import substitute
from specc.ir.graph import Branch, Loop, Region, Scan, Value, Write
from specc.ir.types import DType, TensorType
from specc.ir.walk import every_node

Findings = Iterator[Finding]

_CONDITION = TensorType(DType.BOOL, ())


def regions_fit(view: View) -> Findings:
    """Conditions are scalar bools; regions take and give the types that their nodes state."""
    for activation in view.exploration.activations:
        for position, node in enumerate(every_node(activation.template.body)):
            texts: Iterable[str] = ()
            if isinstance(node, Branch):
                texts = _branch(activation, node)
            elif isinstance(node, Loop):
                texts = _loop(activation, node)
            elif isinstance(node, Scan):
                texts = _scan(activation, node)
            for text in texts:
                yield Finding(node_at(view.network, activation.index, position), text)


def writes_set_buffers(view: View) -> Findings:
    """What is set is a buffer of the template, and what it is set to has the buffer's type."""
    for activation in view.exploration.activations:
        sizes = size_environment(activation.holes)
        declared = {
            state.name: state.type.with_shape(tuple(substitute(d, sizes) for d in state.type.shape))
            for state in activation.template.state
            if state.role == "buffer"
        }
        for position, node in enumerate(every_node(activation.template.body)):
            if not isinstance(node, Write):
                continue
            where = node_at(view.network, activation.index, position)
            found = activation.types[node.value]
            if node.name not in declared:
                yield Finding(where, f"there is no buffer {quoted(node.name)}")
            elif declared[node.name] != found:
                expected = declared[node.name]
                yield Finding(where, f"{quoted(node.name)} is {expected}, and it is set to {found}")
            if node.results:
                yield Finding(where, "setting a buffer gives nothing")


def _branch(activation: Activation, node: Branch) -> Iterator[str]:
    yield from _condition(activation, [node.condition])
    results = _declared(activation, node.results)
    for name, side in (("then", node.then), ("otherwise", node.otherwise)):
        if side.inputs:
            yield f"its side {name!r} takes inputs"
        yield from _differ(f"its side {name!r} gives", _given(activation, side), results)


def _loop(activation: Activation, node: Loop) -> Iterator[str]:
    carried = [activation.types[value] for value in node.inputs]
    yield from _differ("it gives", _declared(activation, node.results), carried)
    for name, region in (("condition", node.condition), ("body", node.body)):
        taken = _declared(activation, region.inputs)
        yield from _differ(f"its {name} takes", taken, carried)
    yield from _condition(activation, node.condition.results)
    yield from _differ("its body gives", _given(activation, node.body), carried)


def _scan(activation: Activation, node: Scan) -> Iterator[str]:
    sequences = [activation.types[value] for value in node.sequences]
    states = [activation.types[value] for value in node.inputs]
    if not sequences:
        yield "it runs over no sequence"
        return
    if not all(0 <= node.dim < sequence.rank for sequence in sequences):
        yield f"its dim {node.dim} is none of {_types(sequences)}"
        return
    length, *others = [sequence.shape[node.dim] for sequence in sequences]
    if length == 0 or any(other != length for other in others):
        yield f"its sequences have no length in common: {_types(sequences)}"
        return
    entries = [sequence.without_dim(node.dim) for sequence in sequences]
    yield from _differ("its body takes", _declared(activation, node.body.inputs), entries + states)
    given = _given(activation, node.body)
    count = max(0, len(given) - len(states))
    collected = given[:count]
    yield from _differ("its body gives as states", given[count:], states)
    if any(node.dim > entry.rank for entry in collected):
        yield f"{_types(collected)} cannot be stacked along dim {node.dim}"
        return
    stacked = [entry.with_new_dim(node.dim, length) for entry in collected]
    yield from _differ("it gives", _declared(activation, node.results), stacked + states)


def _condition(activation: Activation, values: Iterable[int]) -> Iterator[str]:
    yield from _differ("its condition is", [activation.types[v] for v in values], [_CONDITION])


def _declared(activation: Activation, values: Iterable[Value]) -> list[TensorType]:
    return [activation.types[value.id] for value in values]


def _given(activation: Activation, region: Region) -> list[TensorType]:
    return [activation.types[value] for value in region.results]


def _differ(what: str, found: list[TensorType], expected: list[TensorType]) -> Iterator[str]:
    if found != expected:
        yield f"{what} {_types(found)}, not {_types(expected)}"


def _types(types: list[TensorType]) -> str:
    return ", ".join(map(str, types))[:200] or "nothing"
