"""``scan(cell, x, h, dim=1)``: a layer applied at each entry of a sequence, one after the other.

``reverse=true`` begins with the last entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from specc.elaborate.context import Frame
from specc.elaborate.facts import (
    CarriedMismatch,
    MissingArgument,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
    WrongResultCount,
    WrongType,
)
from specc.elaborate.layers import apply_layer, as_layer
from specc.elaborate.operands import Given, tensors_in
from specc.elaborate.operate import as_tensor, current
from specc.elaborate.placement import bring, device_for
from specc.elaborate.raw import RawRegion, RawScan
from specc.elaborate.values import (
    BlockConstructor,
    LayerValue,
    Poison,
    Tensor,
    Value,
    describe,
)
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.facts import BadArgument, ShapeMismatch, SizeMismatch
from specc.frontend.source import Span
from specc.ir.types import TensorType

_POSITIONAL = ("cell", "x", "states")
_NEEDED = (*_POSITIONAL, "dim")
_NAMES = (*_NEEDED, "reverse")


@dataclass(frozen=True)
class _Call:
    """What a call of ``scan`` gives: the cell, what it runs over along ``dim``, how it begins."""

    cell: LayerValue
    place: Span  # of the cell
    sequences: tuple[Tensor, ...]
    states: tuple[Tensor, ...]
    dim: int
    backward: bool
    span: Span

    @property
    def entries(self) -> list[TensorType]:
        """The types of one entry of each sequence."""
        return [sequence.type.without_dim(self.dim) for sequence in self.sequences]


def scan(frame: Frame, given: Given) -> tuple[Tensor, ...] | Poison:
    """What the cell gave at all entries, stacked, and the last states."""
    activation = current(frame, given.span)
    call = _read(frame, given)
    if isinstance(call, Poison):
        return call
    device = device_for(_placed(frame, call.cell), call.cell, call.sequences, call.place)
    call = replace(
        call,
        sequences=bring(frame, call.sequences, device, call.span),
        states=bring(frame, call.states, device, call.span),
    )
    state_types = [state.type for state in call.states]
    inputs = tuple(
        activation.tensor(type_, tensor.origin, device)
        for type_, tensor in zip(
            call.entries + state_types, call.sequences + call.states, strict=True
        )
    )
    with activation.region() as nodes:
        results = apply_layer(frame, call.cell, inputs, call.place)
        if not isinstance(results, Poison):
            results = bring(frame, results, device, call.span)
    if isinstance(results, Poison):
        return results
    collected, states = _divided(call, results)
    frame.context.count_node(call.span)
    length = call.sequences[0].type.shape[call.dim]
    stacked = [entry.type.with_new_dim(_position(call, entry), length) for entry in collected]
    given_back = tuple(
        activation.tensor(type_, call.span, device) for type_ in stacked + state_types
    )
    body = RawRegion(inputs, nodes, _ids((*collected, *states)))
    activation.nodes.append(
        RawScan(
            sequences=_ids(call.sequences),
            inputs=_ids(call.states),
            dim=call.dim,
            backward=call.backward,
            body=body,
            results=given_back,
            span=call.span,
        )
    )
    return given_back


def _placed(frame: Frame, cell: LayerValue) -> Frame:
    """The frame that the cell is applied in, whose device may be its own."""
    return frame if cell.device is None else replace(frame, device=cell.device)


def _ids(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    return tuple(tensor.id for tensor in tensors)


# ---- what is given -------------------------------------------------------------------------------


def _read(frame: Frame, given: Given) -> _Call | Poison:
    values = _bound(given)
    cell_value, place = values["cell"]
    cell = as_layer(cell_value, place)
    sequences = _tensors(frame, *values["x"], "what `scan` runs over")
    states = _tensors(frame, *values["states"], "the state that `scan` begins with")
    if isinstance(cell, Poison):
        return cell
    dim = _dim(*values["dim"], sequences)
    backward = _flag(*values.get("reverse", (False, given.span)))
    return _Call(cell, place, sequences, states, dim, backward, given.span)


def _bound(given: Given) -> dict[str, tuple[Value, Span]]:
    if len(given.positional) > len(_POSITIONAL):
        raise Fault(
            TooManyArguments(
                where=given.positional[len(_POSITIONAL)][1],
                owner="scan",
                most=len(_POSITIONAL),
                given=len(given.positional),
            )
        )
    values = dict(zip(_POSITIONAL, given.positional, strict=False))
    named = {name: initializer.span for name, initializer in given.inline.items()}
    for name, place in named.items():
        raise Fault(UnknownArgument(where=place, owner="scan", name=name, known=_NAMES))
    for name, (value, place) in given.keywords.items():
        if name not in _NAMES:
            raise Fault(UnknownArgument(where=place, owner="scan", name=name, known=_NAMES))
        if name in values:
            raise Fault(RepeatedArgument(where=place, owner="scan", name=name))
        values[name] = (value, place)
    missing = tuple(name for name in _NEEDED if name not in values)
    if missing:
        raise Fault(MissingArgument(where=given.span, owner="scan", names=missing))
    return values


def _tensors(frame: Frame, value: Value, place: Span, what: str) -> tuple[Tensor, ...]:
    """A tensor, or those of a tuple."""
    found = tensors_in(value)
    if found is None:
        raise Fault(
            WrongType(
                where=place,
                what=what,
                expected="a tensor, or a tuple of them",
                found=describe(value),
            )
        )
    tensors = [as_tensor(frame, part, place) for part in found]
    return tuple(tensor for tensor in tensors if isinstance(tensor, Tensor))


def _flag(value: Value, place: Span) -> bool:
    if not isinstance(value, bool):
        found = describe(value)
        raise Fault(WrongType(where=place, what="reverse", expected="true or false", found=found))
    return value


def _dim(value: Value, place: Span, sequences: tuple[Tensor, ...]) -> int:
    """The dim that all sequences are walked along, counted from the front."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Fault(WrongType(where=place, what="dim", expected="an int", found=describe(value)))
    first = sequences[0].type
    for sequence in sequences:
        rank = sequence.type.rank
        if not -rank <= value < rank:
            requirement = f"from {-rank} to {rank - 1}" if rank else "that of a tensor with dims"
            raise Fault(
                BadArgument(
                    operator="scan",
                    argument="dim",
                    where=place,
                    because=(Label(sequence.origin, f"this is {sequence.type.shape_text}"),),
                    value=str(value),
                    requirement=requirement,
                )
            )
    dim = value % first.rank
    if first.shape[dim] == 0:
        raise Fault(
            SizeMismatch(
                operator="scan",
                where=sequences[0].origin,
                what="the length of a sequence",
                expected="at least 1",
                found="0",
            )
        )
    for sequence in sequences[1:]:
        if value % sequence.type.rank != dim or sequence.type.shape[dim] != first.shape[dim]:
            raise Fault(_other_length(sequences[0], sequence, value))
    return dim


def _other_length(first: Tensor, other: Tensor, dim: int) -> ShapeMismatch:
    left, right = first.type, other.type
    return ShapeMismatch(
        operator="scan",
        where=other.origin,
        because=(Label(first.origin, f"this is {left.shape_text}"),),
        left=left.shape_text,
        right=right.shape_text,
        left_size=str(left.shape[dim]),
        right_size=str(right.shape[dim]),
        position=f"dim {dim}",
        verb="run over",
        advice="sequences that are run over together are of one length, in the same dim",
    )


# ---- what the cell gives -------------------------------------------------------------------------


def _divided(
    call: _Call, results: tuple[Tensor, ...]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What is collected, and the states: these come last.

    A cell that gives its states and nothing else gives the first of them as its output, too.
    """
    count = len(call.states)
    if len(results) < count:
        raise Fault(
            WrongResultCount(
                where=call.place,
                because=tuple(Label(state.origin, "a state") for state in call.states),
                owner=call.cell.constructor.name,
                expected=count,
                found=len(results),
            )
        )
    collected = results[: len(results) - count] or results[:1]
    states = results[len(results) - count :]
    for position, (before, after) in enumerate(zip(call.states, states, strict=True)):
        if before.type != after.type:
            raise Fault(
                CarriedMismatch(
                    where=call.place,
                    because=(Label(before.origin, f"this is {before.type}"),),
                    name=_state_name(call, position),
                    first=str(before.type),
                    second=str(after.type),
                    where_to="before a step of `scan`, and after it",
                )
            )
    return collected, states


def _state_name(call: _Call, position: int) -> str:
    """What the cell calls a state, or else its number."""
    constructor = call.cell.constructor
    if isinstance(constructor, BlockConstructor) and constructor.definition.inputs:
        return constructor.definition.inputs[len(call.sequences) + position].name
    return f"state {position + 1}"


def _position(call: _Call, entry: Tensor) -> int:
    """Where the dim stands in what is collected. Raises a Fault where it has too few others."""
    if entry.type.rank < call.dim:
        raise Fault(
            WrongType(
                where=call.place,
                what="what the cell gives",
                expected=f"a tensor that can be stacked along dim {call.dim}",
                found=str(entry.type),
            )
        )
    return call.dim
