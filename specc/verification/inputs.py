"""Inputs to try a network with: sizes and values that every condition and use admits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specc.frontend.diagnostics import Fault
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.assignments import Assertion, Condition, assignments
from specc.ir.dims import Dim, evaluate, symbols_of
from specc.ir.flatten import (
    FlatBranch,
    FlatLoop,
    FlatNode,
    FlatOperation,
    FlatScan,
    FlatValue,
    flatten,
)
from specc.ir.graph import Constraint, Network
from specc.ir.types import TensorType
from specc.verification.facts import NoSizes

_SMALL = 8  # integers of no particular use are below it
_BITS = 2  # and below this one, not negative, where they may become positions by arithmetic


def _length_along_dim(operation: FlatOperation) -> Dim:
    """The size of the first operand along the operator's dim."""
    axis = operation.attributes["dim"]
    assert isinstance(axis, int)
    return operation.inputs[0].type.shape[axis]


def _as_dim(value: object) -> Dim:
    assert isinstance(value, Dim), value
    return value


# Which operand of an operator is a position in something, and how long that is.
_POSITIONS: Mapping[str, tuple[int, Callable[[FlatOperation], Dim]]] = {
    "Embedding": (0, lambda operation: _as_dim(operation.attributes["num_embeddings"])),
    "gather": (1, _length_along_dim),
    "one_hot": (0, lambda operation: _as_dim(operation.attributes["num_classes"])),
    "take": (1, _length_along_dim),
}

# Operators whose second operand, where it is an integer, may not be 0 or not be negative.
_POSITIVE_RIGHT = frozenset({"floor_div", "mod", "pow"})

# Operators whose results hold elements of their operands and nothing else.
_REARRANGING = frozenset(
    {
        *("cast", "chunk", "concat", "expand", "flatten", "identity", "permute", "rearrange"),
        *("repeat", "reshape", "slice", "split", "squeeze", "stack", "transpose", "unsqueeze"),
    }
)


@dataclass(frozen=True)
class Case:
    """An assignment of the symbolic dims, and a value for each input of the network."""

    sizes: dict[str, int]
    inputs: dict[str, NDArray[Any]]


def cases(network: Network, seed: int, count: int = 2) -> Iterator[Case]:
    """``count`` cases, the first with every symbol as small as it may be: a batch of 1.

    Where nothing is symbolic, or the conditions leave too few choices, cases differ in their values
    alone. Floats are normal, bools fair coins, integers small, or positions where they are used as
    such. Where the network looks anything up by position, integers of no other use are 0 or 1: what
    arithmetic makes of them may be a position too, and from these it most likely is one. The same
    seed gives the same cases. Raises a Fault with NoSizes.
    """
    found = sizes_to_try(network, count)
    uses = _uses(network)
    for number in range(count):
        sizes = found[number % len(found)]
        random = np.random.default_rng([seed, number])
        inputs = {
            port.name: _draw(random, port.type, sizes, uses[port.name]) for port in network.inputs
        }
        yield Case(sizes, inputs)


def sizes_to_try(network: Network, count: int = 2) -> list[dict[str, int]]:
    """Up to ``count`` assignments of the symbols of the inputs that meet every constraint."""
    symbols = {
        name: None
        for p in network.inputs
        for dim in p.type.shape
        for name in sorted(symbols_of(dim))
    }
    positive = [dim for p in network.inputs for dim in p.type.shape if not isinstance(dim, int)]
    conditions = [*positive, *map(_condition, network.constraints)]
    try:
        return assignments(symbols, conditions, count=count)
    except ValueError as error:
        raise Fault(NoSizes(reason=str(error))) from None


def _condition(constraint: Constraint) -> Condition:
    left, right = constraint.left, constraint.right
    if constraint.relation == ">=":
        return left - right + 1
    if constraint.relation == "==":
        return (left, right)

    def differ(sizes: Mapping[str, int]) -> bool:
        return evaluate(left, sizes) != evaluate(right, sizes)

    return Assertion(f"{left} != {right}", differ)


@dataclass(frozen=True)
class _Use:
    """What an integer is used as: what it stays below, and whether it must be positive."""

    limits: frozenset[Dim] = frozenset()
    positive: bool = False

    def __or__(self, other: _Use) -> _Use:
        return _Use(self.limits | other.limits, self.positive or other.positive)


# Of an input whose use was not found, in a network that looks something up by position.
_UNTRACED = _Use(limits=frozenset([_BITS]))


def _uses(network: Network) -> dict[str, _Use]:
    """What each input is used as, also by way of operators that only rearrange elements."""
    flat = flatten(network)
    uses: dict[FlatValue, _Use] = defaultdict(_Use)
    _collect(flat.operations, uses)
    by_position = any(use.limits for use in uses.values())  # each such operator limits an operand
    otherwise = _UNTRACED if by_position else _Use()
    found = {value.name: uses[value] for value in flat.inputs}
    return {name: otherwise if use == _Use() else use for name, use in found.items()}


def _collect(nodes: list[FlatNode], uses: dict[FlatValue, _Use]) -> None:
    """Adds the uses of all that ``nodes`` read, to those of their results."""
    for node in reversed(nodes):
        if isinstance(node, FlatOperation):
            _collect_operation(node, uses)
        elif isinstance(node, FlatBranch):
            for side in (node.then, node.otherwise):
                _pass_on(node.results, side.outputs, uses)
                _collect(side.operations, uses)
        elif isinstance(node, FlatLoop):
            _collect_loop(node, uses)
        elif isinstance(node, FlatScan):
            _collect_scan(node, uses)


def _collect_loop(loop: FlatLoop, uses: dict[FlatValue, _Use]) -> None:
    """A carried value is used as the body uses it in any turn, and as the result is used."""
    _pass_on(loop.results, loop.inputs, uses)
    _pass_on(loop.results, loop.body.outputs, uses)
    _collect(loop.condition.operations, uses)
    _pass_on(loop.condition.inputs, loop.inputs, uses)
    _pass_on(loop.condition.inputs, loop.body.outputs, uses)
    before: list[_Use] | None = None
    while before != (now := [uses[value] for value in loop.body.outputs]):
        before = now  # uses grow from turn to turn until each reached every value it can reach
        _collect(loop.body.operations, uses)
        _pass_on(loop.body.inputs, loop.inputs, uses)
        _pass_on(loop.body.inputs, loop.body.outputs, uses)


def _collect_scan(scan: FlatScan, uses: dict[FlatValue, _Use]) -> None:
    """An entry is used as the body uses it, a state as it does at any entry, or as the result."""
    entries = scan.body.inputs[: len(scan.sequences)]
    states = scan.body.inputs[len(scan.sequences) :]
    after = scan.body.outputs[len(scan.results) - len(states) :]
    _pass_on(scan.results, scan.body.outputs, uses)
    before: list[_Use] | None = None
    while before != (now := [uses[value] for value in after]):
        before = now
        _collect(scan.body.operations, uses)
        _pass_on(entries, scan.sequences, uses)
        _pass_on(states, scan.inputs, uses)
        _pass_on(states, after, uses)


def _pass_on(
    used: Iterable[FlatValue], values: Iterable[FlatValue], uses: dict[FlatValue, _Use]
) -> None:
    """What each of ``values`` becomes is used, so it is used alike."""
    for after, before in zip(used, values, strict=True):
        uses[before] |= uses[after]


def _collect_operation(operation: FlatOperation, uses: dict[FlatValue, _Use]) -> None:
    if operation.operator in _POSITIONS:
        operand, length = _POSITIONS[operation.operator]
        uses[operation.inputs[operand]] |= _Use(limits=frozenset([length(operation)]))
    elif operation.operator in _POSITIVE_RIGHT:
        if operation.attributes.get("right") is None:  # else it is a number, not a tensor
            uses[operation.inputs[-1]] |= _Use(positive=True)
    elif operation.operator in _REARRANGING:
        for value in operation.inputs:
            for result in operation.results:
                uses[value] |= uses[result]


def _draw(
    random: np.random.Generator, type_: TensorType, sizes: Mapping[str, int], use: _Use
) -> NDArray[Any]:
    shape = [evaluate(dim, sizes) for dim in type_.shape]
    dtype = NUMPY_DTYPES[type_.dtype]
    if type_.dtype.is_float:
        return np.asarray(random.standard_normal(shape)).astype(dtype)
    if not type_.dtype.is_integer:
        return np.asarray(random.integers(0, 2, shape)).astype(dtype)
    low, high = 0 if dtype.kind == "u" else 1 - _SMALL, _SMALL
    if use.limits:
        low, high = 0, min(int(np.iinfo(dtype).max), *(evaluate(d, sizes) for d in use.limits))
    if use.positive:
        low, high = 1, max(high, 2)
    return np.asarray(random.integers(low, high, shape)).astype(dtype)
