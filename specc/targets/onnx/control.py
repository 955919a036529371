"""Run-time ``while`` and ``if`` as ONNX ``Loop`` and ``If``, and ``scan`` as ``Scan``.

ONNX decides on another turn at the end of one: the condition stands before the loop and once more
at the end of the body. A condition that holds loops or branches itself is too large for that (it
would double at each level); it is computed at the start of each turn alone, and an ``If`` then
leaves the carried values as they are in a last turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import onnx_ir as oir

from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.ir.flatten import (
    FlatBranch,
    FlatLoop,
    FlatOperation,
    FlatRegion,
    FlatScan,
    FlatValue,
    FlatWrite,
)
from specc.ir.types import DType, TensorType
from specc.targets.facts import TargetUnsupported
from specc.targets.onnx.subgraphs import Subgraph, live

if TYPE_CHECKING:
    from specc.targets.onnx.lower import Lowering

MAX_DEPTH = 30
"""Loops and branches in one another: a protobuf message nests 100 deep, three for each of them."""

_FLAG = TensorType(DType.BOOL, ())
_COUNT = TensorType(DType.I64, ())


def refuse_write(write: FlatWrite) -> None:
    """A graph has no state that it could set. Raises a Fault with TargetUnsupported."""
    raise Fault(
        TargetUnsupported(
            operator="setting a buffer",
            path=write.name,
            target="ONNX",
            advice="a buffer that only training sets is set inside `if training { ... }`",
            where=write.span,
        )
    )


def lower_branch(lowering: Lowering, branch: FlatBranch) -> None:
    """An If; the nodes of one side alone where the condition is known outside training."""
    known = lowering.known.get(branch.condition)
    if known is not None:
        side = branch.then if known else branch.otherwise
        _take(lowering, branch.results, side.outputs, _inline(lowering, side, ()))
        return
    place = lowering.builder.place
    condition = lowering.value(branch.condition)
    sides = {
        "then_branch": _side(lowering, branch.then, branch.span),
        "else_branch": _side(lowering, branch.otherwise, branch.span),
    }
    lowering.builder.place = place
    _add(lowering, "If", [condition], sides, branch)


def _side(lowering: Lowering, side: FlatRegion, span: Span | None) -> Subgraph:
    with _Inside(lowering, span) as inside:
        outputs = _inline(lowering, side, ())
        return inside.finish((), outputs, [value.type for value in side.outputs])


def lower_loop(lowering: Lowering, loop: FlatLoop) -> None:
    """A Loop; nothing where the condition is known to be false outside training."""
    builder, place = lowering.builder, lowering.builder.place
    carried = [lowering.value(value) for value in loop.inputs]
    ahead = all(isinstance(node, FlatOperation) for node in loop.condition.operations)
    if ahead:
        (first,) = _inline(lowering, loop.condition, carried)
        if lowering.known.get(loop.condition.outputs[0]) is False:
            _take(lowering, loop.results, loop.inputs, carried)
            return
    else:
        first = builder.constant(True, DType.BOOL)
    types = [value.type for value in loop.inputs]
    with _Inside(lowering, loop.span) as inside:
        iteration = lowering.new_value(_COUNT, "iteration")
        going = lowering.new_value(_FLAG, "condition")
        inputs = [lowering.new_value(v.type, v.name, loop.scope) for v in loop.body.inputs]
        if ahead:
            after = _inline(lowering, loop.body, inputs)
            (again,) = _inline(lowering, loop.condition, after)
        else:
            (again,) = _inline(lowering, loop.condition, inputs)
            builder.place = place
            after = _turn(lowering, loop, inputs)
        body = inside.finish((iteration, going, *inputs), [again, *after], [_FLAG, *types])
    builder.place = place
    _add(lowering, "Loop", [None, first, *carried], {"body": body}, loop)


def lower_scan(lowering: Lowering, scan: FlatScan) -> None:
    """A Scan, which has the states before the sequences, and before what it stacks."""
    builder, place = lowering.builder, lowering.builder.place
    sequences = [lowering.value(value) for value in scan.sequences]
    states = [lowering.value(value) for value in scan.inputs]
    stacked = len(scan.results) - len(states)
    with _Inside(lowering, scan.span) as inside:
        inputs = [lowering.new_value(v.type, v.name, scan.scope) for v in scan.body.inputs]
        outputs = _inline(lowering, scan.body, inputs)
        types = [value.type for value in scan.body.outputs]
        body = inside.finish(
            [*inputs[len(sequences) :], *inputs[: len(sequences)]],
            [*outputs[stacked:], *outputs[:stacked]],
            [*types[stacked:], *types[:stacked]],
        )
    builder.place = place
    results = (*scan.results[stacked:], *scan.results[:stacked])
    directions = {
        "scan_input_directions": [1] * len(sequences),
        "scan_output_directions": [1] * stacked,
    }
    _add(
        lowering,
        "Scan",
        [*states, *sequences],
        {"body": body},
        replace(scan, results=results),
        num_scan_inputs=len(sequences),
        scan_input_axes=[scan.dim] * len(sequences),
        scan_output_axes=[scan.dim] * stacked,
        **(directions if scan.backward else {}),
    )


def _turn(lowering: Lowering, loop: FlatLoop, carried: Sequence[oir.Value]) -> list[oir.Value]:
    """The carried values after a turn, or as they are where the condition does not hold."""
    for value, handle in zip(loop.body.inputs, carried, strict=True):
        lowering.bind(value, handle)
    results = tuple(FlatValue(value.type, value.name) for value in loop.results)
    lower_branch(
        lowering,
        FlatBranch(
            scope=loop.scope,
            condition=loop.condition.outputs[0],
            then=FlatRegion((), loop.body.operations, loop.body.outputs),
            otherwise=FlatRegion((), [], loop.body.inputs),
            results=results,
            span=loop.span,
            within=loop.within,
        ),
    )
    return [lowering.value(result) for result in results]


class _Inside:
    """A subgraph while it is filled: the nodes that are added go into it."""

    def __init__(self, lowering: Lowering, span: Span | None) -> None:
        self._lowering = lowering
        self._span = span
        self._around: list[oir.Node] = []

    def __enter__(self) -> _Inside:
        if self._lowering.depth == MAX_DEPTH:
            raise Fault(
                TargetUnsupported(
                    operator=f"a loop or branch inside {MAX_DEPTH} others",
                    path="",
                    target="ONNX",
                    where=self._span,
                )
            )
        self._lowering.depth += 1
        builder = self._lowering.builder
        self._around, builder.nodes = builder.nodes, []
        return self

    def __exit__(self, *_: object) -> None:
        self._lowering.depth -= 1
        self._lowering.builder.nodes = self._around

    def finish(
        self,
        inputs: Sequence[oir.Value],
        outputs: Sequence[oir.Value],
        types: Sequence[TensorType],
    ) -> Subgraph:
        """The subgraph. Each output has to be a value of its own: what is none is copied."""
        lowering, builder = self._lowering, self._lowering.builder
        given: list[oir.Value] = []
        own = {result for node in builder.nodes for result in node.outputs}
        for value, type_ in zip(outputs, types, strict=True):
            copied = value not in own or value in given
            given.append(lowering.typed(builder.op("Identity", value), type_) if copied else value)
        nodes, used = live(builder.nodes, given, builder.subgraphs)
        return Subgraph(tuple(inputs), tuple(nodes), tuple(given), frozenset(used))


def _inline(lowering: Lowering, region: FlatRegion, inputs: Sequence[oir.Value]) -> list[oir.Value]:
    """Adds the nodes of a region where the builder stands; gives its outputs."""
    for value, handle in zip(region.inputs, inputs, strict=True):
        lowering.bind(value, handle)
    lowering.run(region.operations)
    return [lowering.value(value) for value in region.outputs]


def _take(
    lowering: Lowering,
    results: Sequence[FlatValue],
    outputs: Sequence[FlatValue],
    handles: Sequence[oir.Value],
) -> None:
    """What the one side that is left gives, known bools among it."""
    for result, output, handle in zip(results, outputs, handles, strict=True):
        lowering.bind(result, handle)
        lowering.known.set(result, lowering.known.get(output))


def _add(
    lowering: Lowering,
    op_type: str,
    inputs: Sequence[oir.Value | None],
    graphs: dict[str, Subgraph],
    node: FlatBranch | FlatLoop | FlatScan,
    **attributes: Any,
) -> None:
    if not node.results:
        return  # it was lowered for what it may not hold; ONNX has no node that gives nothing
    builder = lowering.builder
    handles = builder.op(op_type, *inputs, outputs=len(node.results), **attributes)
    handles = handles if isinstance(handles, tuple) else (handles,)
    builder.subgraphs[handles[0].producer()] = graphs
    for result, handle in zip(node.results, handles, strict=True):
        lowering.bind(result, lowering.typed(handle, result.type))
        lowering.label(handle, result.name, node.scope)
