"""A network as one flat list of concrete operations: templates filled in, layers by full name.

What the ONNX target, the summary and the verifier walk over. Templates nest no deeper than the
parser's limit, and regions no deeper than a text, so recursion over them is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from specc.frontend.source import Span
from specc.ir.attributes import Attribute, Attributes, fill, size_environment
from specc.ir.dims import Dim, substitute
from specc.ir.graph import (
    HERE,
    Application,
    BlockLayer,
    Branch,
    CapturedLayer,
    Loop,
    Network,
    Operation,
    OperatorLayer,
    Read,
    Region,
    Scan,
    Template,
    Transfer,
    Write,
)
from specc.ir.names import join
from specc.ir.types import TensorType


@dataclass(frozen=True, eq=False)
class FlatValue:
    """One tensor of the whole network; compared by identity."""

    type: TensorType
    name: str = ""


@dataclass(frozen=True, eq=False)
class StateValue(FlatValue):
    """A parameter, buffer or constant read as a tensor; ``name`` is its full name."""


@dataclass(frozen=True)
class FlatOperation:
    """One operator on concrete values.

    ``path`` is the full name of the layer, or of the scope that an operation without a layer stands
    in; ``state`` maps slots to full parameter names, or to values where the layer borrows them.
    ``device`` is the logical one, ``HERE`` where the network is.
    """

    path: str
    scope: str
    operator: str
    attributes: Attributes
    inputs: tuple[FlatValue, ...]
    state: dict[str, FlatValue | str]
    results: tuple[FlatValue, ...]
    span: Span | None
    is_layer: bool
    within: Activation
    device: str


@dataclass(frozen=True)
class FlatWrite:
    """A buffer set to a value. ``name`` is its full name."""

    name: str
    value: FlatValue
    span: Span | None
    within: Activation


@dataclass(frozen=True)
class FlatRegion:
    """What one side of a branch, or one turn of a loop, runs."""

    inputs: tuple[FlatValue, ...]
    operations: list[FlatNode]
    outputs: tuple[FlatValue, ...]


@dataclass(frozen=True)
class FlatBranch:
    """A run-time ``if``. ``scope`` is the full name of the block that it stands in."""

    scope: str
    condition: FlatValue
    then: FlatRegion
    otherwise: FlatRegion
    results: tuple[FlatValue, ...]
    span: Span | None
    within: Activation


@dataclass(frozen=True)
class FlatLoop:
    """A run-time ``while``: ``inputs`` are the carried values before the first turn."""

    scope: str
    inputs: tuple[FlatValue, ...]
    condition: FlatRegion
    body: FlatRegion
    results: tuple[FlatValue, ...]
    span: Span | None
    within: Activation


@dataclass(frozen=True)
class FlatScan:
    """A run over ``sequences`` along ``dim``: ``inputs`` are the states before the first entry.

    The first entry is the last one of the sequences where it runs ``backward``.
    """

    scope: str
    sequences: tuple[FlatValue, ...]
    inputs: tuple[FlatValue, ...]
    dim: int
    backward: bool
    body: FlatRegion
    results: tuple[FlatValue, ...]
    span: Span | None
    within: Activation

    @property
    def length(self) -> Dim:
        """How many entries the sequences have."""
        return self.sequences[0].type.shape[self.dim]


FlatNode: TypeAlias = FlatOperation | FlatWrite | FlatBranch | FlatLoop | FlatScan


@dataclass
class FlatNetwork:
    """Inputs, operations in order, and outputs."""

    inputs: tuple[FlatValue, ...]
    operations: list[FlatNode] = field(default_factory=list)
    outputs: tuple[FlatValue, ...] = ()

    def every_operation(self) -> Iterator[FlatOperation]:
        """The operators in order, those inside branches and loops once each."""
        return every_operation(self.operations)


def every_operation(nodes: Iterable[FlatNode]) -> Iterator[FlatOperation]:
    """The operators among ``nodes`` and inside their regions, in order."""
    pending = list(nodes)[::-1]
    while pending:
        node = pending.pop()
        if isinstance(node, FlatOperation):
            yield node
        elif isinstance(node, FlatBranch):
            pending += [*node.otherwise.operations[::-1], *node.then.operations[::-1]]
        elif isinstance(node, FlatLoop):
            pending += [*node.body.operations[::-1], *node.condition.operations[::-1]]
        elif isinstance(node, FlatScan):
            pending += node.body.operations[::-1]


@dataclass(frozen=True, eq=False)
class Activation:
    """One use of a template: its full name, its holes, and the layers handed to it.

    Compared by identity: a block that is applied twice has two. ``parent`` is the activation that
    applies it, None for the network itself.
    """

    template: Template
    path: str
    holes: Mapping[str, Attribute]
    captured: Mapping[str, tuple[str, OperatorLayer | BlockLayer, Mapping[str, Attribute]]]
    owned: Mapping[str, Mapping[str, str]]
    parent: Activation | None = None
    device: str = HERE


def flatten(network: Network) -> FlatNetwork:
    """Expands every template of ``network``."""
    inputs = tuple(FlatValue(port.type, port.name) for port in network.inputs)
    flat = FlatNetwork(inputs)
    root = Activation(network.templates[network.root], "", {}, {}, _slots_by_owner(network))
    flat.outputs = _run(network, root, root.template.body, inputs, {}, flat.operations)
    return flat


def _run(
    network: Network,
    scope: Activation,
    body: Region,
    inputs: tuple[FlatValue, ...],
    values: dict[int, FlatValue],
    operations: list[FlatNode],
) -> tuple[FlatValue, ...]:
    """Expands a body, or a region inside one that sees the ``values`` around it.

    Ids are unique in a body and its regions, so all of them share one table of values.
    """
    sizes = size_environment(scope.holes)
    values.update(zip((value.id for value in body.inputs), inputs, strict=True))

    def region(declared: Region) -> FlatRegion:
        carried = tuple(FlatValue(_concrete(v.type, sizes), v.name) for v in declared.inputs)
        inside: list[FlatNode] = []
        outputs = _run(network, scope, declared, carried, values, inside)
        return FlatRegion(carried, inside, outputs)

    for node in body.nodes:
        operands = tuple(values[i] for i in getattr(node, "inputs", ()))
        results = tuple(FlatValue(_concrete(r.type, sizes), r.name) for r in node.results)
        if isinstance(node, Operation):
            operations.append(
                FlatOperation(
                    path=scope.path,
                    scope=scope.path,
                    operator=node.operator,
                    attributes=_filled(node.attributes, scope.holes),
                    inputs=operands,
                    state={},
                    results=results,
                    span=node.span,
                    is_layer=False,
                    within=scope,
                    device=node.device or scope.device,
                )
            )
        elif isinstance(node, Read):
            path, _, _ = _resolve_state(network, scope, node.path)
            results = (StateValue(results[0].type, path),)
        elif isinstance(node, Transfer):
            results = operands  # the same tensor, wherever it is
        elif isinstance(node, Write):
            full = join(scope.path, node.name)
            operations.append(FlatWrite(full, values[node.value], node.span, scope))
        elif isinstance(node, Branch):
            then, otherwise = region(node.then), region(node.otherwise)
            condition = values[node.condition]
            operations.append(
                FlatBranch(scope.path, condition, then, otherwise, results, node.span, scope)
            )
        elif isinstance(node, Loop):
            ahead, turn = region(node.condition), region(node.body)
            operations.append(
                FlatLoop(scope.path, operands, ahead, turn, results, node.span, scope)
            )
        elif isinstance(node, Scan):
            operations.append(
                FlatScan(
                    scope=scope.path,
                    sequences=tuple(values[i] for i in node.sequences),
                    inputs=operands,
                    dim=node.dim,
                    backward=node.backward,
                    body=region(node.body),
                    results=results,
                    span=node.span,
                    within=scope,
                )
            )
        else:
            borrowed = {slot: values[i] for slot, i in node.borrowed.items()}
            results = _apply(network, scope, node, operands, borrowed, results, operations)
        values.update(zip((value.id for value in node.results), results, strict=True))
    return tuple(values[i] for i in body.results)


def _apply(
    network: Network,
    scope: Activation,
    node: Application,
    operands: tuple[FlatValue, ...],
    borrowed: dict[str, FlatValue],
    results: tuple[FlatValue, ...],
    operations: list[FlatNode],
) -> tuple[FlatValue, ...]:
    path, layer, holes = resolve(network, scope, node.layer)
    if isinstance(layer, OperatorLayer):
        state: dict[str, FlatValue | str] = {**scope.owned.get(path, {}), **borrowed}
        operations.append(
            FlatOperation(
                path=path,
                scope=scope.path,
                operator=layer.operator,
                attributes=_filled(layer.attributes, holes),
                inputs=operands,
                state=state,
                results=results,
                span=node.span,
                is_layer=True,
                within=scope,
                device=node.device or scope.device,
            )
        )
        return results
    own = {name: fill(value, holes) for name, value in layer.arguments.items()}
    sizes = size_environment(scope.holes)
    own |= {name: substitute(dim, sizes) for name, dim in node.sizes.items()}
    captured = {name: resolve(network, scope, target) for name, target in node.captured.items()}
    inner = Activation(
        network.templates[layer.template],
        path,
        own,
        captured,
        scope.owned,
        scope,
        node.device or scope.device,
    )
    return _run(network, inner, inner.template.body, operands, {}, operations)


def resolve(
    network: Network, scope: Activation, path: str
) -> tuple[str, OperatorLayer | BlockLayer, Mapping[str, Attribute]]:
    """The full name of a layer of ``scope``, its declaration, and the holes that this refers to."""
    template, full, holes = scope.template, scope.path, scope.holes
    captured: Mapping[str, tuple[str, OperatorLayer | BlockLayer, Mapping[str, Attribute]]] = (
        scope.captured
    )
    rest = path
    while True:
        # Names may hold dots themselves ("cls.predictions"), so the longest declared one is taken.
        name = rest
        while name not in template.layers:
            name, dot, _ = name.rpartition(".")
            if not dot:
                raise KeyError(path)
        layer = template.layers[name]
        rest = rest[len(name) + 1 :]
        if isinstance(layer, CapturedLayer):
            full, layer, holes = captured[name]
        else:
            full = join(full, name)
        if not rest:
            return full, layer, holes
        assert isinstance(layer, BlockLayer), path
        holes = {key: fill(value, holes) for key, value in layer.arguments.items()}
        template, captured = network.templates[layer.template], {}


def _resolve_state(network: Network, scope: Activation, path: str) -> tuple[str, str, str]:
    """The full name of the state at ``path``, its layer's and its slot's."""
    if any(state.name == path for state in scope.template.state):
        return join(scope.path, path), scope.path, path
    owner, _, slot = path.rpartition(".")
    full, _, _ = resolve(network, scope, owner)
    return join(full, slot), full, slot


def _concrete(type_: TensorType, sizes: Mapping[str, Dim]) -> TensorType:
    if not sizes or type_.is_static:
        return type_
    return type_.with_shape(tuple(substitute(dim, sizes) for dim in type_.shape))


def _filled(attributes: Attributes, holes: Mapping[str, Attribute]) -> Attributes:
    if not holes:
        return attributes
    return {name: fill(value, holes) for name, value in attributes.items()}


def _slots_by_owner(network: Network) -> dict[str, dict[str, str]]:
    """For each layer that owns state, its full name to slot to the state's full name."""
    owners: dict[str, dict[str, str]] = {}
    for parameter in network.parameters:
        owner = parameter.name[: -len(parameter.slot) - 1]
        owners.setdefault(owner, {})[parameter.slot] = parameter.name
    return owners
