"""Building layers: names claimed, parameters recorded, sharing checked."""

from __future__ import annotations

from specc.elaborate.context import Frame, ParameterRecord
from specc.elaborate.facts import (
    LayerMadeInLoop,
    LimitExceeded,
    NameClaimedTwice,
    ReservedName,
    SharingFault,
    UnknownArgument,
)
from specc.elaborate.instances import Activation, Built, BuiltOperator, Claim
from specc.elaborate.names import snake_case
from specc.elaborate.values import LayerValue
from specc.frontend.diagnostics import Fact, Fault, Label
from specc.frontend.facts import SizeMismatch
from specc.frontend.source import Span
from specc.ir.flatten import join
from specc.ir.names import problem_with
from specc.ir.types import TensorType
from specc.ops.apply import Applied, SlotValue


def replayed(activation: Activation, layer: LayerValue, label: str | None) -> Built | None:
    """The layer that stands in this place since the instance was first applied."""
    name = label or layer.name
    if name is None:
        stem = snake_case(layer.constructor.name)
        name = f"{stem}{activation.counters.get(stem, 0) + 1}"
        if name in activation.instance.layers:
            activation.auto_name(stem)
    return activation.instance.layers.get(name)


def claim(
    frame: Frame, activation: Activation, layer: LayerValue | None, name: str, span: Span
) -> None:
    """Gives ``name`` to a layer of this activation. Raises a Fault where it cannot have it."""
    problem = problem_with(name)
    if problem is not None:
        raise Fault(ReservedName(where=span, name=name, reason=problem))
    earlier = activation.claims.get(name)
    if earlier is None:
        # "a.b" and "a" cannot both be layers, nor can "a.b" lie inside a layer named "a".
        parts = name.split(".")
        for end in range(1, len(parts)):
            earlier = earlier or activation.claims.get(".".join(parts[:end]))
    if earlier is not None:
        because = (Label(earlier.span, "the first claim"),) if earlier.span != span else ()
        raise Fault(NameClaimedTwice(where=span, name=name, because=because))
    made = layer.span if layer is not None else span
    for loop in activation.loops:
        if loop.file == made.file and loop.start <= made.start < loop.end:
            kind = layer.constructor.name if layer is not None else "parameter"
            because = (Label(Span(loop.file, loop.start, loop.start + len("while")), "the loop"),)
            raise Fault(LayerMadeInLoop(where=made, because=because, kind=kind))
    activation.claims[name] = Claim(layer, span)


def claim_state(frame: Frame, activation: Activation, name: str, span: Span) -> None:
    """Claims a name for a parameter, buffer or constant of the block itself."""
    claim(frame, activation, None, name, span)


def layer_name(activation: Activation, layer: LayerValue, label: str | None) -> str:
    """A layer's name: its label, what it was bound to, or the next counted one of its kind."""
    return label or layer.name or activation.auto_name(snake_case(layer.constructor.name))


def check_borrowed(frame: Frame, layer: LayerValue, slot: str, expected: TensorType) -> None:
    """Checks that a parameter borrowed for ``slot`` is of the right type, and records the alias."""
    borrowed = layer.borrowed[slot]
    if borrowed.type != expected:
        raise Fault(
            SizeMismatch(
                operator=layer.constructor.name,
                where=layer.argument_spans.get(slot, layer.span),
                what=f"the shared {slot} of {layer.constructor.name}",
                expected=str(expected),
                found=str(borrowed.type),
            )
        )
    built = layer.built
    assert built is not None
    frame.context.aliases[join(built.path, slot)] = join(borrowed.owner.path, borrowed.slot)


def not_the_same(layer: LayerValue, applied: Applied, span: Span) -> Fact:
    """The fact that a shared layer's attributes would differ between two uses."""
    assert isinstance(layer.built, BuiltOperator)
    changed = [
        f"{name} {layer.built.attributes[name]} before, {value} here"
        for name, value in applied.attributes.items()
        if layer.built.attributes[name] != value
    ]
    return SharingFault(
        where=span,
        because=(Label(layer.built.span, "the layer that is shared"),),
        problem=f"the same {layer.constructor.name} cannot serve both inputs: {'; '.join(changed)}",
        advice="write the constructor where it is used for a layer of its own at each place",
    )


def check_inline(layer: LayerValue, slots: set[str]) -> None:
    """Refuses ``slot ~ ...`` and ``slot=...`` for a slot that the layer does not have."""
    for slot in (*layer.inline, *layer.borrowed):
        if slot not in slots:
            raise Fault(
                UnknownArgument(
                    where=layer.argument_spans.get(slot, layer.span),
                    owner=f"this {layer.constructor.name}",
                    name=slot,
                    known=tuple(sorted(slots)),
                )
            )


def record_slot(
    frame: Frame,
    layer: LayerValue,
    owner: BuiltOperator,
    value: SlotValue,
) -> None:
    """Records the parameter or buffer of an operator's layer."""
    slot = value.slot.name
    inline = layer.inline.get(slot)
    record = ParameterRecord(
        name=join(owner.path, slot),
        role=value.slot.role,
        type=value.type,
        default=value.initializer,
        edits=value.edits,
        inline=(inline.initializer, inline.span) if inline else None,
        layer=owner.operator.name,
        slot=slot,
        owner=owner.owner,
        span=layer.span,
    )
    add_parameter(frame, record)


def add_parameter(frame: Frame, record: ParameterRecord) -> None:
    """Takes a parameter into the network. Raises a Fault where there are too many elements."""
    context = frame.context
    context.elements += record.type.elements
    if context.elements > context.bounds.parameters:
        raise Fault(
            LimitExceeded(
                where=record.span,
                what="elements in all parameters",
                limit=context.bounds.parameters,
            )
        )
    context.parameters[record.name] = record


def record_aliases(
    frame: Frame, activation: Activation, layer: LayerValue, label: str | None
) -> None:
    """Where a layer is applied under a second name, that name is an alias of its state."""
    built = layer.built
    assert built is not None
    name = label or layer.name
    if name is None:
        return
    path = join(activation.instance.path, name)
    if path == built.path or not isinstance(built, BuiltOperator):
        return
    for slot in built.state:
        if slot not in built.borrows:
            alias, owner = join(path, slot), join(built.path, slot)
            if alias not in frame.context.parameters:
                frame.context.aliases[alias] = owner
