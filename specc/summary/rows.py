"""What there is to say of a network, as data: a row for each layer, totals, and conditions.

Rows stand in the order in which a network computes. A layer that is applied twice has two rows; its
parameters are counted in the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

from specc.ir.dims import Dim
from specc.ir.flatten import (
    Activation,
    FlatBranch,
    FlatLoop,
    FlatNode,
    FlatOperation,
    FlatRegion,
    FlatScan,
    FlatWrite,
    StateValue,
    flatten,
)
from specc.ir.graph import Network, Parameter
from specc.ir.names import join
from specc.ir.types import TensorType
from specc.ops.operator import Operator
from specc.ops.registry import operators

RowKind = Literal["layer", "operation", "block", "state", "region"]


@dataclass
class Row:
    """One line of a summary.

    ``kind`` says what it stands for: a layer, an operation without a layer, a block or a region of
    a run-time ``while``, ``if`` or ``scan`` (whose rows follow, one ``depth`` further in), or state
    that a block declares itself. ``what`` is the name of the operator or block, the role of the
    state, or ``loop``, ``branch`` or ``scan``. ``parameters`` counts the elements of trained
    parameters that no earlier row counted, ``shared`` says that one counted some. ``multiply_adds``
    is 0 where the operator multiplies no matrices; inside a loop it is that of one turn, inside a
    scan that of all steps. ``keeps_shape`` says that an operation's result has the shape of an
    operand.
    """

    name: str
    depth: int
    kind: RowKind
    what: str
    results: tuple[TensorType, ...] = ()
    parameters: int = 0
    shared: bool = False
    multiply_adds: Dim = 0
    keeps_shape: bool = False


@dataclass(frozen=True)
class Totals:
    """Sums over the whole network.

    ``parameters`` counts elements that are trained, each once, ``fixed`` those of buffers and
    constants, which are saved and not trained; ``tensors`` counts the tensors of both.
    """

    tensors: int
    parameters: int
    fixed: int
    multiply_adds: Dim


@dataclass
class _Collector:
    """Builds the rows from operations in order."""

    parameters: Mapping[str, Parameter]
    operators: Mapping[str, Operator]
    rows: list[Row] = field(default_factory=list)
    _open: list[tuple[Activation | FlatRegion, Row]] = field(default_factory=list)
    _regions: dict[Activation, list[FlatRegion]] = field(default_factory=lambda: defaultdict(list))
    _counted: set[str] = field(default_factory=set)
    _times: Dim = 1

    def add_all(self, nodes: Iterable[FlatNode]) -> None:
        """Appends the rows of nodes, in order."""
        for node in nodes:
            self.enter(node.within)
            if isinstance(node, FlatOperation):
                self.add(node)
            elif isinstance(node, FlatWrite):
                self._write(node)
            elif isinstance(node, FlatLoop):
                region = FlatRegion((), [*node.condition.operations, *node.body.operations], ())
                self._region("while", "loop", region, node)
            elif isinstance(node, FlatScan):
                around, self._times = self._times, self._times * node.length
                self._region("scan", "scan", node.body, node)
                self._times = around
            else:
                self._region("if", "branch", node.then, node)
                if node.otherwise.operations:
                    self._region("else", "branch", node.otherwise, node)

    def add(self, operation: FlatOperation) -> None:
        """Appends the row of an operation, below those of the blocks that it stands in."""
        operator = self.operators[operation.operator]
        row = Row(
            name=_relative(operation.path, operation.within.path) if operation.is_layer else "",
            depth=len(self._open) - 1,
            kind="layer" if operation.is_layer else "operation",
            what=operation.operator,
            results=tuple(result.type for result in operation.results),
        )
        if operator.multiply_adds is not None:
            types = tuple(value.type for value in operation.inputs)
            row.multiply_adds = self._times * operator.multiply_adds(
                operation.attributes, types, operation.results[0].type
            )
        operand_shapes = {value.type.shape for value in operation.inputs}
        row.keeps_shape = all(result.shape in operand_shapes for result in row.results)
        for state in operation.state.values():
            if isinstance(state, str):
                self._count(state, row)
            elif isinstance(state, StateValue):
                self._count(state.name, row)
        self.rows.append(row)
        self._give(row.results)

    def _give(self, results: tuple[TensorType, ...]) -> None:
        """The last results in a block are those of the block; a region states its own."""
        for _, row in self._open:
            if row.kind == "block":
                row.results = results

    def _write(self, write: FlatWrite) -> None:
        name = _relative(write.name, write.within.path)
        depth = len(self._open) - 1
        row = Row(name, depth, "operation", "write", (write.value.type,), keeps_shape=True)
        self.rows.append(row)

    def _region(
        self, name: str, what: str, region: FlatRegion, node: FlatBranch | FlatLoop | FlatScan
    ) -> None:
        """A row for a region, and below it those of what is in it."""
        results = tuple(result.type for result in node.results)
        row = Row(name, len(self._open) - 1, "region", what, results)
        self.rows.append(row)
        self._open.append((region, row))
        regions = self._regions[node.within]
        regions.append(region)
        self.add_all(region.operations)
        regions.pop()
        self.enter(node.within)
        self._give(results)

    def enter(self, activation: Activation) -> None:
        """Opens the rows of the blocks that lead to ``activation``, closing others."""
        chain = self._chain(activation)
        kept = 0
        while kept < min(len(chain), len(self._open)) and chain[kept] is self._open[kept][0]:
            kept += 1
        del self._open[kept:]
        for inner in chain[kept:]:
            assert isinstance(inner, Activation)  # a region is opened as it is met
            outer = inner.parent.path if inner.parent else ""
            row = Row(
                name=_relative(inner.path, outer),
                depth=len(self._open) - 1,
                kind="block",
                what=inner.template.name,
            )
            if inner.parent is not None:
                self.rows.append(row)
            self._open.append((inner, row))
            self._declared(inner)

    def _chain(self, activation: Activation) -> list[Activation | FlatRegion]:
        """From the network's own activation to this one, with the regions that are open in each."""
        above: list[Activation | FlatRegion] = []
        step: Activation | None = activation
        while step is not None:
            above += [*self._regions[step][::-1], step]
            step = step.parent
        return above[::-1]

    def _declared(self, activation: Activation) -> None:
        for state in activation.template.state:
            name = join(activation.path, state.name)
            parameter = self.parameters.get(name)
            if parameter is None:
                continue
            what = {"parameter": "param", "constant": "const", "buffer": "buffer"}[state.role]
            row = Row(state.name, len(self._open) - 1, "state", what, (parameter.type,))
            self._count(name, row)
            self.rows.append(row)

    def _count(self, name: str, row: Row) -> None:
        parameter = self.parameters.get(name)
        if parameter is None or parameter.role != "parameter":
            return
        if name in self._counted:
            row.shared = True
        else:
            self._counted.add(name)
            row.parameters += _elements(parameter)


def rows_of(network: Network, table: Mapping[str, Operator] | None = None) -> list[Row]:
    """A row for each layer, operation, block and declared parameter, in computing order.

    ``table`` holds the operators, by default the built-in ones.
    """
    known = operators() if table is None else table
    collector = _Collector({p.name: p for p in network.parameters}, known)
    collector.add_all(flatten(network).operations)
    return collector.rows


def totals(network: Network, rows: list[Row]) -> Totals:
    """Sums over all rows and parameters."""
    trained = [p for p in network.parameters if p.role == "parameter"]
    fixed = [p for p in network.parameters if p.role != "parameter"]
    multiply_adds: Dim = 0
    for row in rows:
        multiply_adds = multiply_adds + row.multiply_adds
    return Totals(
        tensors=len(network.parameters),
        parameters=sum(map(_elements, trained)),
        fixed=sum(map(_elements, fixed)),
        multiply_adds=multiply_adds,
    )


def spends_in(rows: Iterable[Row], what: str) -> bool:
    """Whether anything inside a region of this kind, ``loop`` or ``branch``, has multiply-adds."""
    depth: int | None = None  # that of the outermost such region that is open
    for row in rows:
        if depth is not None and row.depth <= depth:
            depth = None
        if depth is None and row.kind == "region" and row.what == what:
            depth = row.depth
        if depth is not None and row.multiply_adds != 0:
            return True
    return False


def fold(rows: list[Row], depth: int) -> list[Row]:
    """The rows down to ``depth``; each block there stands for all that is in it."""
    folded: list[Row] = []
    for row in rows:
        if row.depth < depth:
            folded.append(replace(row))  # a copy, since sums are added to it
        elif folded:
            block = folded[-1]
            block.parameters += row.parameters
            block.shared = block.shared or row.shared
            block.multiply_adds = block.multiply_adds + row.multiply_adds
    return folded


def _relative(path: str, scope: str) -> str:
    """A full name as it reads within ``scope``; one from elsewhere stays as it is."""
    return path.removeprefix(f"{scope}.") if scope else path


def _elements(parameter: Parameter) -> int:
    return prod(parameter.type.shape)  # type: ignore[arg-type]  # parameters are static
