"""Initializers that a file defines, as networks of their own: what every target can run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from specc.ir.graph import (
    DefinedInitializer,
    Network,
    Node,
    Operation,
    Port,
    Region,
    Template,
    Value,
)
from specc.ir.types import DType, TensorType

MAX_DRAWS = 100
"""Draws of one initializer."""

MAX_OPERATIONS = 1000
"""Operations of one initializer."""

_FREE = 2**26
_MOST_TIMES = 64
_AT_ONCE = 2**22


def most_elements(of_parameter: int) -> int:
    """Elements that an initializer may have in hand at once: 64 times those of its parameter.

    2**26 are free, half a GiB in float64, so that a small parameter may come out of a larger
    computation.
    """
    return max(_FREE, _MOST_TIMES * of_parameter)


def computing_type(type_: TensorType) -> TensorType:
    """The type that an initializer computes in for a parameter of ``type_``: floats are f64.

    What is computed in float64 and rounded once depends on no library's last bit, nearly always.
    """
    return TensorType(DType.F64 if type_.dtype.is_float else type_.dtype, type_.shape)


def as_network(definition: DefinedInitializer) -> Network:
    """The network whose inputs are the draws, and whose outputs are the results."""
    body = definition.body
    return _network(body.inputs, body.nodes, body.results)


def peak_elements(definition: DefinedInitializer) -> int:
    """The most elements that are in hand at once, where each value lives to its last use."""
    body = definition.body
    sizes = {value.id: value.type.elements for value in _values(body)}
    last = _last_uses(definition)
    live: set[int] = set()
    peak = sizes[body.results[0]]
    for position, node in enumerate(body.nodes):
        assert isinstance(node, Operation)
        live |= {*node.inputs, *(value.id for value in node.results)}
        peak = max(peak, sum(sizes[value] for value in live))
        live = {value for value in live if last.get(value, -1) > position}
    return peak


@dataclass(frozen=True)
class Segment:
    """Some operations of an initializer that are run together.

    ``reads`` are the values that ``network`` takes, ``gives`` those that it leaves for later,
    ``drops`` what nothing needs behind it.
    """

    network: Network
    reads: tuple[int, ...]
    gives: tuple[int, ...]
    drops: tuple[int, ...]


def segments(definition: DefinedInitializer) -> Iterator[Segment]:
    """The operations in order, few at a time where tensors are large.

    A runtime may keep what it computes to the end of a run, so a run is kept short.
    """
    body = definition.body
    values = {value.id: value for value in _values(body)}
    last = _last_uses(definition)
    nodes = body.nodes
    start = 0
    while start < len(nodes):
        stop, elements = start, 0
        while stop < len(nodes) and (stop == start or elements < _AT_ONCE):
            elements += sum(value.type.elements for value in nodes[stop].results)
            stop += 1
        made = [value.id for node in nodes[start:stop] for value in node.results]
        read = [i for node in nodes[start:stop] for i in _inputs(node) if i not in set(made)]
        reads = tuple(dict.fromkeys(read))
        gives = tuple(value for value in made if last.get(value, -1) >= stop)
        yield Segment(
            _network([values[i] for i in reads], nodes[start:stop], gives),
            reads,
            gives,
            tuple(value for value in reads if last[value] < stop),
        )
        start = stop


def _last_uses(definition: DefinedInitializer) -> dict[int, int]:
    """The position of the last operation that reads a value; behind all of them for a result."""
    nodes = definition.body.nodes
    last = {i: position for position, node in enumerate(nodes) for i in _inputs(node)}
    return last | dict.fromkeys(definition.body.results, len(nodes))


def _inputs(node: Node) -> tuple[int, ...]:
    assert isinstance(node, Operation), node.kind
    return node.inputs


def _values(body: Region) -> Iterator[Value]:
    yield from body.inputs
    for node in body.nodes:
        yield from node.results


def _network(inputs: Sequence[Value], nodes: tuple[Node, ...], results: tuple[int, ...]) -> Network:
    # Names of the spec may be equal, and those of ports may not.
    ports = tuple(value.model_copy(update={"name": f"value{value.id}"}) for value in inputs)
    body = Region(inputs=ports, nodes=nodes, results=results)
    types = {value.id: value.type for value in _values(body)}
    return Network(
        compiler="specc",
        name="Initializer",
        inputs=tuple(Port(name=value.name, type=value.type) for value in ports),
        outputs=tuple(
            Port(name=f"result{position}", type=types[value])
            for position, value in enumerate(results)
            if value in types
        ),
        templates=(Template(name="Initializer", kind="net", body=body),),
        root=0,
    )
