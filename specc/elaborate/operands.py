"""The arguments of a call: which of them are tensors, and which operand each is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from specc.elaborate.context import Frame
from specc.elaborate.facts import RepeatedArgument, WrongType
from specc.elaborate.operate import as_tensor
from specc.elaborate.values import (
    InitializerValue,
    ListValue,
    Operand,
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.frontend.syntax import ModuleDefinition
from specc.ir.dims import Expr
from specc.ops.operator import Operator


@dataclass(frozen=True)
class Given:
    """The evaluated arguments of one call."""

    span: Span
    positional: tuple[tuple[Value, Span], ...] = ()
    keywords: dict[str, tuple[Value, Span]] = field(default_factory=dict)
    inline: dict[str, InitializerValue] = field(default_factory=dict)

    @property
    def values(self) -> tuple[Value, ...]:
        """All argument values."""
        return (*(v for v, _ in self.positional), *(v for v, _ in self.keywords.values()))


def is_tensor(value: Value) -> bool:
    """Whether a value is a tensor, or state that is read as one."""
    return isinstance(value, Tensor | StateReference)


def tensors_in(value: Value) -> tuple[Value, ...] | None:
    """The tensors that an argument stands for: itself, or a tuple's; None where it is none."""
    if is_tensor(value):
        return (value,)
    if not isinstance(value, TupleValue | ListValue) or not value.items:
        return None
    tensors = tuple(item.value for item in value.items if is_tensor(item.value))
    return tensors if len(tensors) == len(value.items) else None


def split_tensors(frame: Frame, given: Given) -> tuple[list[Tensor], list[tuple[Value, Span]]]:
    """Leading tensors, and the positional values behind them."""
    tensors: list[Tensor] = []
    rest = list(given.positional)
    while rest:
        value, span = rest[0]
        found = tensors_in(value)
        if found is None:
            break
        for part in found:
            tensor = as_tensor(frame, part, span)
            assert isinstance(tensor, Tensor)
            tensors.append(tensor)
        rest.pop(0)
    for value, span in rest:
        if is_tensor(value):
            raise Fault(
                WrongType(
                    where=span,
                    what="an argument behind a hyperparameter",
                    expected="a hyperparameter",
                    found="a tensor",
                    advice="tensors come first",
                )
            )
    return tensors, rest


def flow_of(frame: Frame, value: Value, span: Span) -> tuple[Operand, ...] | None:
    """What flows into a layer: a tensor, or a tuple of tensors and nones. None for all else.

    A none stands for an optional input that is left out.
    """
    parts = tensors_in(value)
    if parts is None and isinstance(value, TupleValue):
        values = tuple(item.value for item in value.items)
        if any(map(is_tensor, values)) and all(v is None or is_tensor(v) for v in values):
            parts = values
    if parts is None:
        return None
    tensors = [None if part is None else as_tensor(frame, part, span) for part in parts]
    return tuple(t for t in tensors if t is None or isinstance(t, Tensor))


def given_flow(frame: Frame, given: Given) -> tuple[Operand, ...]:
    """The positional arguments of a call of a layer: tensors, and nones for inputs left out.

    Raises a Fault where one of them is something else.
    """
    flow: list[Operand] = []
    for value, span in given.positional:
        part = (None,) if value is None else flow_of(frame, value, span)
        if part is None:
            raise Fault(
                WrongType(
                    where=span,
                    what="an argument of a layer",
                    expected="a tensor",
                    found=describe(value),
                )
            )
        flow.extend(part)
    return tuple(flow)


def inputs_by_name(
    frame: Frame, definition: ModuleDefinition, given: Given, flow: tuple[Operand, ...]
) -> tuple[Given, tuple[Operand, ...]]:
    """Takes the inputs of a block that are given by keyword: ``Heads(4)(x, mask=mask)``.

    Gives the call without them, and the whole flow. Raises a Fault where one is given twice, or in
    a call that gives no tensors, which would make a layer.
    """
    positions = {p.name: place for place, p in enumerate(definition.inputs or ())}
    named = {name: entry for name, entry in given.keywords.items() if name in positions}
    if not named:
        return given, flow
    filled = list(flow)
    for name, (value, span) in named.items():
        place = positions[name]
        filled += [None] * (place + 1 - len(filled))
        if place < len(flow):
            raise Fault(RepeatedArgument(where=span, owner=definition.name, name=name))
        if not flow:
            raise Fault(
                WrongType(
                    where=span,
                    what=f"{name} by keyword",
                    expected="given in the call that gives the inputs before it",
                    found="given where a layer is made",
                    advice=f"write `{definition.name}(...)(x, {name}={name})`, or feed a tuple: "
                    f"`(x, {name}) |> {definition.name}(...)`",
                )
            )
        if value is None:
            continue
        if not is_tensor(value):
            raise Fault(
                WrongType(
                    where=span,
                    what=f"input {name}",
                    expected="a tensor, or none",
                    found=describe(value),
                )
            )
        tensor = as_tensor(frame, value, span)
        assert isinstance(tensor, Tensor)
        filled[place] = tensor
    keywords = {name: entry for name, entry in given.keywords.items() if name not in named}
    return replace(given, keywords=keywords), tuple(filled)


def number_operands(
    operator: Operator, given: Given
) -> tuple[Given, dict[str, tuple[Value, Span]]]:
    """Numbers that stand for a tensor, ``where(mask, x, 0)``, as ``left`` or ``right``."""
    if operator.argument("left") is None or _leading_tensors(given) == 0:
        return given, {}
    sides = dict(
        zip((len(operator.inputs) - 2, len(operator.inputs) - 1), ("left", "right"), strict=True)
    )
    numbers: dict[str, tuple[Value, Span]] = {}
    rest = []
    for position, (value, span) in enumerate(given.positional):
        if position in sides and isinstance(value, int | float | Expr):
            numbers[sides[position]] = (value, span)
        else:
            rest.append((value, span))
    return replace(given, positional=tuple(rest)), numbers


def optional_operands(
    frame: Frame, operator: Operator, given: Given, tensors: list[Tensor]
) -> Given:
    """Takes the optional inputs that are given by keyword: ``attention(q, k, v, mask=mask)``.

    Each joins ``tensors``; none stands for its absence. Gives the call without them.
    """
    names = [operand.name for operand in operator.inputs if operand.optional]
    keywords = dict(given.keywords)
    for place, operand in enumerate(operator.inputs):
        if operand.name not in names or operand.name not in keywords:
            continue
        value, span = keywords.pop(operand.name)
        if value is None:
            continue
        if place < len(tensors):
            raise Fault(RepeatedArgument(where=span, owner=operator.name, name=operand.name))
        if place > len(tensors):
            raise Fault(
                WrongType(
                    where=span,
                    what=f"{operand.name} by keyword",
                    expected="given in the call that gives all inputs before it",
                    found=f"given after {len(tensors)} of {place}",
                )
            )
        tensor = as_tensor(frame, value, span)
        assert isinstance(tensor, Tensor)
        tensors.append(tensor)
    return replace(given, keywords=keywords)


def _leading_tensors(given: Given) -> int:
    return sum(is_tensor(value) for value, _ in given.positional)
