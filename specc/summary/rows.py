"""What there is to say of a network, as data: a row for each layer, totals, and conditions.

Rows stand in the order in which a network computes. A layer that is applied twice has two rows; its
parameters are counted in the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

from specc.ir.dims import Dim
from specc.ir.flatten import Activation, FlatOperation, StateValue, flatten, join
from specc.ir.graph import Network, Parameter
from specc.ir.types import TensorType
from specc.ops.registry import operators

RowKind = Literal["layer", "operation", "block", "state"]


@dataclass
class Row:
    """One line of a summary.

    ``kind`` says what it stands for: a layer, an operation without a layer, a block (whose rows
    follow, one ``depth`` further in), or state that a block declares itself. ``what`` is the name
    of the operator or block, or the role of the state. ``parameters`` counts the elements of
    trained parameters that no earlier row counted, ``shared`` says that one counted some.
    ``multiply_adds`` is 0 where the operator multiplies no matrices. ``keeps_shape`` says that an
    operation's result has the shape of an operand.
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
    rows: list[Row] = field(default_factory=list)
    _open: list[tuple[Activation, Row]] = field(default_factory=list)
    _counted: set[str] = field(default_factory=set)

    def add(self, operation: FlatOperation) -> None:
        """Appends the row of an operation, below those of the blocks that it stands in."""
        self.enter(operation.within)
        operator = operators()[operation.operator]
        row = Row(
            name=_relative(operation.path, operation.within.path) if operation.is_layer else "",
            depth=len(self._open) - 1,
            kind="layer" if operation.is_layer else "operation",
            what=operation.operator,
            results=tuple(result.type for result in operation.results),
        )
        if operator.multiply_adds is not None:
            types = tuple(value.type for value in operation.inputs)
            row.multiply_adds = operator.multiply_adds(
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
        for _, block in self._open:
            block.results = row.results  # the last of them is what the block gives

    def enter(self, activation: Activation) -> None:
        """Opens the rows of the blocks that lead to ``activation``, closing others."""
        chain = list(_chain(activation))
        kept = 0
        while kept < min(len(chain), len(self._open)) and chain[kept] is self._open[kept][0]:
            kept += 1
        del self._open[kept:]
        for inner in chain[kept:]:
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


def rows_of(network: Network) -> list[Row]:
    """A row for each layer, operation, block and declared parameter, in computing order."""
    collector = _Collector({p.name: p for p in network.parameters})
    flat = flatten(network)
    for operation in flat.operations:
        collector.add(operation)
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


def _chain(activation: Activation) -> Iterator[Activation]:
    """The activations from the network's own to this one."""
    above: list[Activation] = []
    step: Activation | None = activation
    while step is not None:
        above.append(step)
        step = step.parent
    return reversed(above)


def _relative(path: str, scope: str) -> str:
    """A full name as it reads within ``scope``; one from elsewhere stays as it is."""
    return path.removeprefix(f"{scope}.") if scope else path


def _elements(parameter: Parameter) -> int:
    return prod(parameter.type.shape)  # type: ignore[arg-type]  # parameters are static
