"""The arguments of a call: which of them are tensors, and which operand each is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from specc.elaborate.context import Frame
from specc.elaborate.facts import RepeatedArgument, WrongType
from specc.elaborate.operate import as_tensor
from specc.elaborate.values import (
    InitializerValue,
    ListValue,
    StateReference,
    Tensor,
    TupleValue,
    Value,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
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
