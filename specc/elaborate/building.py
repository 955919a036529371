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
from specc.elaborate.initializer_run import InitializerRun, has_no_layers
from specc.elaborate.instances import Activation, Built, BuiltOperator, Claim, Instance
from specc.elaborate.names import OWN, snake_case
from specc.elaborate.values import BlockConstructor, LayerValue, OperatorConstructor
from specc.frontend.diagnostics import Fact, Fault, Label
from specc.frontend.facts import SizeMismatch
from specc.frontend.source import Span
from specc.ir.names import join, problem_with
from specc.ir.types import TensorType
from specc.ops.apply import Applied, SlotValue


def replayed(
    activation: Activation, layer: LayerValue, label: str | None, span: Span
) -> Built | None:
    """The layer that stands in this place since the instance was first applied.

    Raises a Fault where that one is of another kind.
    """
    name = "" if label == OWN else label or layer.name
    if name is None:
        stem = snake_case(layer.constructor.name)
        name = f"{stem}{activation.counters.get(stem, 0) + 1}"
        if name in activation.instance.layers:
            activation.auto_name(stem)
    built = activation.instance.layers.get(name)
    if built is not None and not _same_kind(built, layer):
        kind = layer.constructor.name
        raise Fault(
            SharingFault(
                where=span,
                because=(Label(built.span, "the layer that is shared"),),
                problem=f"{name!r} was a {kind_of(built)} where this block was applied before, "
                f"and is a {kind} here",
                advice="a shared layer does the same at each place, up to sizes",
            )
        )
    return built


def kind_of(built: Built) -> str:
    """The name of a layer's constructor."""
    return built.operator.name if isinstance(built, BuiltOperator) else built.kind


def _same_kind(built: Built, layer: LayerValue) -> bool:
    constructor = layer.constructor
    if isinstance(built, BuiltOperator):
        return isinstance(constructor, OperatorConstructor) and (
            constructor.operator is built.operator
        )
    if isinstance(constructor, BlockConstructor):
        other = built.constructor
        return isinstance(other, BlockConstructor) and other.definition is constructor.definition
    return type(constructor) is type(built.constructor)


def claim(
    frame: Frame, activation: Activation, layer: LayerValue | None, name: str, span: Span
) -> None:
    """Gives ``name`` to a layer of this activation. Raises a Fault where it cannot have it."""
    if isinstance(activation, InitializerRun):
        raise Fault(has_no_layers(span))
    problem = problem_with(name)
    if problem is not None:
        raise Fault(ReservedName(where=span, name=name, reason=problem))
    earlier = activation.claims.get(name) or activation.prefixes.get(name)
    # "a.b" and "a" cannot both be layers: one of them would lie inside the other.
    parts = name.split(".")
    outer = [".".join(parts[:end]) for end in range(1, len(parts))]
    for prefix in outer:
        earlier = earlier or activation.claims.get(prefix)
    if earlier is not None:
        because = (Label(earlier.span, "the first claim"),) if earlier.span != span else ()
        raise Fault(NameClaimedTwice(where=span, name=name, because=because))
    made = layer.span if layer is not None else span
    for loop in activation.loops:
        if loop.file == made.file and loop.start <= made.start < loop.end:
            kind = layer.constructor.name if layer is not None else None
            because = (Label(Span(loop.file, loop.start, loop.start + len("while")), "the loop"),)
            raise Fault(LayerMadeInLoop(where=made, because=because, kind=kind))
    built = layer.built if layer else None
    if activation.captured.get(parts[0], built) is not built:
        activation.rename_captured(parts[0])
    activation.claims[name] = Claim(layer, span)
    for prefix in outer:
        activation.prefixes.setdefault(prefix, activation.claims[name])


def claim_layer(
    frame: Frame, activation: Activation, layer: LayerValue, name: str, slots: list[str], span: Span
) -> None:
    """Claims a layer's name; those of its state where it has none itself. Raises a Fault."""
    for own in [name] if name else slots:
        claim(frame, activation, layer, own, span)
    if not name and name in activation.instance.layers:
        first = Label(activation.instance.layers[name].span, "the first one")
        raise Fault(NameClaimedTwice(where=span, name=OWN, because=(first,)))


def claim_state(frame: Frame, activation: Activation, name: str, span: Span) -> None:
    """Claims a name for a parameter, buffer or constant of the block itself."""
    claim(frame, activation, None, name, span)


def layer_name(activation: Activation, layer: LayerValue, label: str | None) -> str:
    """A layer's name: its label, what it was bound to, or the next counted one of its kind."""
    if label == OWN:
        return ""
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
        f"{name} {layer.built.attributes.get(name)} before, {value} here"
        for name, value in applied.attributes.items()
        if layer.built.attributes.get(name) != value
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
            inline = layer.inline.get(slot)
            raise Fault(
                UnknownArgument(
                    where=inline.span if inline else layer.argument_spans[slot],
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
    within: Instance,
) -> None:
    """Records the parameter or buffer of an operator's layer that was made for ``within``."""
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
        owner=within,
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
                option="parameters",
            )
        )
    context.parameters[record.name] = record


def record_aliases(
    frame: Frame, activation: Activation, layer: LayerValue, label: str | None, span: Span
) -> None:
    """Where a layer is applied under a second name, that name is an alias of its state.

    Raises a Fault where another layer has that name.
    """
    built = layer.built
    assert built is not None
    name = label or layer.name
    if name is None or label == OWN:
        return
    path = join(activation.instance.path, name)
    if path == built.path:
        return
    earlier = activation.claims.get(name)
    if earlier is not None and earlier.layer is not None and earlier.layer.built is built:
        return
    claim(frame, activation, layer, name, span)
    frame.context.aliases |= _aliases(built, path)


def _aliases(built: Built, alias: str) -> dict[str, str]:
    """The names of all state in a layer under a second name, to its own names."""
    found: dict[str, str] = {}
    pending: list[tuple[Built, str]] = [(built, alias)]
    while pending:
        layer, path = pending.pop()
        own = set(layer.state)
        if isinstance(layer, BuiltOperator):
            own -= set(layer.borrows)
        else:
            pending.extend((inner, join(path, name)) for name, inner in layer.layers.items())
        found |= {join(path, slot): join(layer.path, slot) for slot in sorted(own)}
    return found
