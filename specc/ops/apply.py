"""Applies an operator to types: the one place where its rule runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import BadArgument
from specc.frontend.facts.habits import WORKED_OUT
from specc.ir.attributes import Attributes
from specc.ir.dims import Dim
from specc.ir.initializer import Edit, Initializer
from specc.ir.types import DType, TensorType
from specc.ops.arguments import FLAG, Argument
from specc.ops.operator import Inference, Operator, StateSlot, shown


@dataclass(frozen=True)
class Applied:
    """What follows from applying an operator to inputs of certain types.

    ``attributes`` has the derived ones too. ``positive`` are sizes that must be at least 1 and
    ``equalities`` sizes that must agree, each with a reason.
    """

    results: tuple[TensorType, ...]
    attributes: Attributes
    positive: tuple[tuple[Dim, str], ...]
    equalities: tuple[tuple[Dim, Dim, str], ...]


@dataclass(frozen=True)
class SlotValue:
    """A state slot that a layer has: its type and default initial value."""

    slot: StateSlot
    type: TensorType
    initializer: Initializer
    edits: tuple[Edit, ...] = ()


def complete(operator: Operator, given: Mapping[str, Any]) -> Attributes:
    """Attributes from the arguments of a call, defaults filled in, in the signature's order.

    The caller has checked that names are known and required ones are there. Raises a Fault with
    BadArgument for a value that the argument's kind does not accept.
    """
    attributes: Attributes = {}
    for argument in operator.arguments:
        if argument.name not in given:
            attributes[argument.name] = argument.default
            continue
        value = given[argument.name]
        try:
            attributes[argument.name] = argument.kind.accept(value)
        except ValueError as error:
            raise Fault(
                BadArgument(
                    operator=operator.name,
                    operands=(),
                    argument=argument.name,
                    value=shown(value),
                    requirement=str(error),
                    advice=_advice(argument, value),
                )
            ) from None
    return attributes


def _advice(argument: Argument, value: object) -> str | None:
    """Help for a size where a flag stands, as in ``Linear(784, 256)``: PyTorch takes both sizes."""
    takes_size = isinstance(value, int) and not isinstance(value, bool) and value > 1
    return WORKED_OUT if argument.kind is FLAG and takes_size else None


def infer(operator: Operator, types: tuple[TensorType, ...], attributes: Attributes) -> Applied:
    """Runs the shape and dtype rule. Raises a Fault with an OperatorFact where it refuses."""
    context = Inference(operator, types, attributes)
    results = operator.infer(context, *types)
    return Applied(
        results=results if isinstance(results, tuple) else (results,),
        attributes=context.attributes,
        positive=tuple(context.positive),
        equalities=tuple(context.equalities),
    )


def state_of(
    operator: Operator, attributes: Attributes, types: tuple[TensorType, ...]
) -> list[SlotValue]:
    """The state that a layer with these (derived) attributes owns."""
    dtype = types[0].dtype if types and types[0].dtype.is_float else DType.F32
    return [
        SlotValue(
            slot=slot,
            type=TensorType(slot.dtype or dtype, slot.shape(attributes)),
            initializer=slot.initializer(attributes),
            edits=slot.edits(attributes),
        )
        for slot in operator.state
        if slot.when(attributes)
    ]
