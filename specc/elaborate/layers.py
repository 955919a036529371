"""Layers: from values to layers, building them at their first application, applying them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specc.elaborate.context import Frame, ParameterRecord
from specc.elaborate.facts import (
    BadValue,
    LimitExceeded,
    MissingArgument,
    NameClaimedTwice,
    NotALayer,
    RecursiveBlock,
    ReservedName,
    SharingFault,
    UnknownArgument,
    WrongInputCount,
    WrongType,
)
from specc.elaborate.instances import (
    Activation,
    Built,
    BuiltOperator,
    Claim,
    Instance,
    RawApplication,
    RawOperation,
    RawRead,
)
from specc.elaborate.names import problem_with, snake_case
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    Branches,
    Builtin,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    Requirement,
    Sequence,
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
)
from specc.frontend.diagnostics import Fact, Fault, Label
from specc.frontend.facts import OperatorFact, SizeMismatch
from specc.frontend.source import Span
from specc.ir.dims import DimTooLarge
from specc.ir.flatten import join
from specc.ir.graph import Role
from specc.ir.initializer import Initializer
from specc.ir.types import TensorType
from specc.ops.apply import Applied, complete, infer, state_of
from specc.ops.operator import Operator

Results = tuple[Tensor, ...] | Poison


# ---- what counts as a layer ----------------------------------------------------------------------


def as_layer(value: Value, span: Span) -> LayerValue | Poison:
    """``value`` where a layer is wanted: a bare constructor is called with its defaults."""
    match value:
        case Poison() | LayerValue():
            return value
        case Builtin(operator=Operator() as operator):
            return as_layer(OperatorConstructor(operator), span)
        case OperatorConstructor():
            missing = tuple(a.name for a in value.operator.arguments if a.required and not a.variadic)
            _need_nothing(value.name, missing, span)
            return LayerValue(value, {}, span)
        case BlockConstructor():
            missing = tuple(p.name for p in value.definition.hyperparameters if p.default is None)
            _need_nothing(value.name, missing, span)
            return LayerValue(value, {}, span)
        case ListValue():
            if value.layer is None:
                value.layer = LayerValue(Sequence(value.items), {}, span, name=value.name)
            return value.layer
        case TupleValue():
            if value.layer is None:
                value.layer = LayerValue(Branches(value.items), {}, span, name=value.name)
            return value.layer
    raise Fault(NotALayer(where=span, found=describe(value)))


def _need_nothing(name: str, missing: tuple[str, ...], span: Span) -> None:
    if missing:
        raise Fault(MissingArgument(where=span, owner=name, names=missing))


# ---- tensors -------------------------------------------------------------------------------------


def as_tensor(frame: Frame, value: Value, span: Span) -> Tensor | Poison:
    """``value`` as a tensor of the body under way; state is read."""
    if isinstance(value, Poison):
        return value
    if isinstance(value, Tensor):
        assert value.activation is frame.activation, "a tensor of another body"
        return value
    if isinstance(value, StateReference) and frame.activation is not None:
        return _read(frame, frame.activation, value, span)
    raise Fault(WrongType(where=span, what="this", expected="a tensor", found=describe(value)))


def _read(frame: Frame, activation: Activation, state: StateReference, span: Span) -> Tensor:
    if state.owner is activation.instance:
        reference = state.slot
    else:
        reference = f"{activation.reference(state.owner)}.{state.slot}"
    if reference not in activation.reads:
        frame.context.count_node(span)
        tensor = activation.tensor(state.type, state.origin)
        activation.nodes.append(RawRead(reference, (tensor,), span))
        activation.reads[reference] = tensor
        activation.names[tensor.id] = state.slot
    return activation.reads[reference]


# ---- operators -----------------------------------------------------------------------------------


def operate(
    frame: Frame,
    operator: Operator,
    given: Mapping[str, Any],
    tensors: tuple[Tensor, ...],
    span: Span,
    argument_spans: Mapping[str, Span] | None = None,
) -> tuple[Tensor, ...]:
    """Applies an operator in place, with no layer."""
    applied = _infer(frame, operator, given, tensors, span, argument_spans or {})
    activation = _activation(frame, span)
    frame.context.count_node(span)
    results = tuple(activation.tensor(type_, span) for type_ in applied.results)
    inputs = tuple(tensor.id for tensor in tensors)
    activation.nodes.append(RawOperation(operator, applied.attributes, inputs, results, span))
    return results


def _infer(
    frame: Frame,
    operator: Operator,
    given: Mapping[str, Any],
    tensors: tuple[Tensor, ...],
    span: Span,
    argument_spans: Mapping[str, Span],
) -> Applied:
    least, most = operator.arity
    literals = sum(given.get(side) is not None for side in ("left", "right"))
    found = len(tensors) + literals
    if found < least or (most is not None and found > most):
        raise Fault(
            WrongInputCount(where=span, owner=operator.name, expected=_arity(least, most), found=found)
        )
    try:
        applied = infer(operator, tuple(t.type for t in tensors), complete(operator, given))
    except Fault as fault:
        raise Fault(placed(fault.fact, span, tensors, argument_spans)) from None
    except DimTooLarge as error:
        raise Fault(BadValue(where=span, problem=f"a size is too complicated: {error}")) from None
    for size, reason in applied.positive:
        frame.context.constrain(Requirement(">=", size, 1), reason, span)
    for left, right, reason in applied.equalities:
        frame.context.constrain(Requirement("==", left, right), reason, span)
    return applied


def _arity(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} tensor{'s' * (least != 1)}"
    if least == most:
        return f"{least} tensor{'s' * (least != 1)}"
    return f"{least} to {most} tensors"


def placed(
    fact: Fact, span: Span, tensors: tuple[Tensor, ...], argument_spans: Mapping[str, Span]
) -> Fact:
    """A fact that an operator's rule found, with its places: the argument or use, and the operands."""
    if not isinstance(fact, OperatorFact):
        return replace(fact, where=fact.where or span)
    where = argument_spans.get(fact.argument or "", span)
    because = tuple(
        Label(tensors[i].origin, f"this is {tensors[i].type.shape_text}")
        for i in fact.operands
        if i < len(tensors) and tensors[i].origin != where
    )
    return replace(fact, where=where, because=tuple(dict.fromkeys(because)))


def _activation(frame: Frame, span: Span) -> Activation:
    if frame.activation is None:
        raise Fault(
            WrongType(
                where=span,
                what="this",
                expected="known when compiling",
                found="a computation on tensors",
            )
        )
    return frame.activation


# ---- applying ------------------------------------------------------------------------------------


def apply_layer(
    frame: Frame,
    layer: LayerValue,
    tensors: tuple[Tensor, ...],
    span: Span,
    *,
    label: str | None = None,
    always_named: bool = False,
) -> Results:
    """Applies a layer, building it if this is the first time.

    ``label`` is the name that this place gives it, ``always_named`` makes even a layer without state
    one of the enclosing instance's layers (a member of a list has its position).
    """
    activation = _activation(frame, span)
    if isinstance(layer.constructor, Branches) and label is None and layer.name is None:
        return apply_branches(frame, layer.constructor, tensors)
    if layer.built is None and activation.replays:
        layer.built = _replayed(activation, layer, label)
    if isinstance(layer.constructor, OperatorConstructor):
        return _apply_operator(frame, activation, layer, tensors, span, label, always_named)
    return _apply_block(frame, activation, layer, tensors, span, label)


def apply_branches(frame: Frame, branches: Branches, tensors: tuple[Tensor, ...]) -> Results:
    """Gives every member of a tuple the same input; the results follow one another."""
    results: list[Tensor] = []
    failed = False
    for item in branches.items:
        layer = as_layer(item.value, item.span)
        if isinstance(layer, Poison):
            failed = True
            continue
        part = apply_layer(frame, layer, tensors, item.span, label=item.label)
        if isinstance(part, Poison):
            failed = True
        else:
            results.extend(part)
    return POISON if failed else tuple(results)


def _replayed(activation: Activation, layer: LayerValue, label: str | None) -> Built | None:
    """The layer that stands in this place since the instance was first applied."""
    name = label or layer.name
    if name is None:
        stem = snake_case(layer.constructor.name)
        name = f"{stem}{activation.counters.get(stem, 0) + 1}"
        if name in activation.instance.layers:
            activation.auto_name(stem)
    return activation.instance.layers.get(name)


def _claim(frame: Frame, activation: Activation, layer: LayerValue | None, name: str, span: Span) -> None:
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
        raise Fault(
            NameClaimedTwice(where=span, name=name, because=(Label(earlier.span, "the first claim"),))
        )
    activation.claims[name] = Claim(layer, span)


def claim_state(frame: Frame, activation: Activation, name: str, span: Span) -> None:
    """Claims a name for a parameter, buffer or constant of the block itself."""
    _claim(frame, activation, None, name, span)


def _layer_name(activation: Activation, layer: LayerValue, label: str | None) -> str:
    return label or layer.name or activation.auto_name(snake_case(layer.constructor.name))


def _apply_operator(
    frame: Frame,
    activation: Activation,
    layer: LayerValue,
    tensors: tuple[Tensor, ...],
    span: Span,
    label: str | None,
    always_named: bool,
) -> Results:
    assert isinstance(layer.constructor, OperatorConstructor)
    operator = layer.constructor.operator
    applied = _infer(frame, operator, layer.arguments, tensors, span, layer.argument_spans)
    state = state_of(operator, applied.attributes, tuple(t.type for t in tensors))
    if layer.built is None and not (state or label or layer.name or always_named):
        return operate(frame, operator, layer.arguments, tensors, span, layer.argument_spans)
    if layer.built is None:
        name = _layer_name(activation, layer, label)
        _claim(frame, activation, layer, name, span)
        types = {slot.slot.name: slot.type for slot in state}
        layer.built = BuiltOperator(
            owner=activation.instance,
            name=name,
            operator=operator,
            attributes=applied.attributes,
            state=types,
            borrows=tuple(slot for slot in types if slot in layer.borrowed),
            span=layer.span,
        )
        activation.instance.layers[name] = layer.built
        for slot in state:
            if slot.slot.name in layer.borrowed:
                _check_borrowed(frame, layer, slot.slot.name, slot.type)
            else:
                _record(frame, layer, layer.built, slot.slot.name, slot.slot.role, slot.type, slot.initializer)
        _check_inline(layer, set(types))
    else:
        assert isinstance(layer.built, BuiltOperator)
        if layer.built.attributes != applied.attributes:
            raise Fault(_not_the_same(layer, applied, span))
    frame.context.count_node(span)
    node = RawApplication(
        target=layer.built,
        reference=activation.reference(layer.built),
        inputs=tuple(tensor.id for tensor in tensors),
        span=span,
    )
    for slot_name, state_reference in layer.borrowed.items():
        if slot_name in layer.built.state:
            node.borrowed[slot_name] = _read(frame, activation, state_reference, span).id
    _alias(frame, activation, layer, label)
    node.results = tuple(activation.tensor(type_, span) for type_ in applied.results)
    activation.nodes.append(node)
    return node.results


def _check_borrowed(frame: Frame, layer: LayerValue, slot: str, expected: TensorType) -> None:
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


def _not_the_same(layer: LayerValue, applied: Applied, span: Span) -> Fact:
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


def _check_inline(layer: LayerValue, slots: set[str]) -> None:
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


def _record(
    frame: Frame,
    layer: LayerValue,
    owner: BuiltOperator,
    slot: str,
    role: Role,
    type_: TensorType,
    initializer: Initializer,
) -> None:
    inline = layer.inline.get(slot)
    record = ParameterRecord(
        name=join(owner.path, slot),
        role=role,
        type=type_,
        default=initializer,
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
                where=record.span, what="elements in all parameters", limit=context.bounds.parameters
            )
        )
    context.parameters[record.name] = record


def _alias(frame: Frame, activation: Activation, layer: LayerValue, label: str | None) -> None:
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


# ---- blocks, lists, tuples -----------------------------------------------------------------------


def _apply_block(
    frame: Frame,
    activation: Activation,
    layer: LayerValue,
    tensors: tuple[Tensor, ...],
    span: Span,
    label: str | None,
) -> Results:
    constructor = layer.constructor
    assert not isinstance(constructor, OperatorConstructor)
    if isinstance(constructor, BlockConstructor):
        _refuse_recursion(activation, constructor, span)
    if layer.built is None:
        name = _layer_name(activation, layer, label)
        _claim(frame, activation, layer, name, span)
        path = join(activation.instance.path, name)
        layer.built = Instance(
            constructor, activation.instance, name, path, layer.span, layer.arguments, layer.inline
        )
        activation.instance.layers[name] = layer.built
    instance = layer.built
    assert isinstance(instance, Instance)
    frame.context.count_node(span)
    node = RawApplication(
        target=instance,
        reference=activation.reference(instance),
        inputs=tuple(tensor.id for tensor in tensors),
        span=span,
    )
    inner = Activation(instance, activation, node)
    node.activation = inner
    instance.activations.append(inner)
    uses = frame.uses
    if isinstance(constructor, BlockConstructor):
        uses = (Label(span, f"used here as {instance.path}"), *uses)
    inner_frame = replace(frame, activation=inner, uses=uses)
    with frame.context.deeper(span):
        if isinstance(constructor, BlockConstructor):
            results = frame.context.run_body(inner_frame, layer, tensors)
        else:
            entries = tuple(inner.tensor(t.type, t.origin) for t in tensors)
            inner.inputs = entries
            results = apply_members(inner_frame, constructor, entries)
    if isinstance(results, Poison):
        return POISON
    _check_inline(layer, set(instance.state))
    inner.results = results
    node.results = tuple(activation.tensor(t.type, span) for t in results)
    activation.nodes.append(node)
    return node.results


def apply_members(frame: Frame, constructor: Sequence | Branches, tensors: tuple[Tensor, ...]) -> Results:
    """Applies the members of a list in order, or of a tuple side by side, named by position."""
    collected: list[Tensor] = []
    flow: Results = tensors
    failed = False
    for position, item in enumerate(constructor.items):
        frame.context.spend(item.span)
        try:
            layer = as_layer(item.value, item.span)
            if isinstance(layer, Poison) or isinstance(flow, Poison):
                failed = True
                continue
            name = item.label or str(position)
            results = apply_layer(frame, layer, flow, item.span, label=name, always_named=True)
        except Fault as fault:
            report_or_raise(frame, fault, item.span)
            failed = True
            flow = flow if isinstance(constructor, Branches) else POISON
            continue
        if isinstance(results, Poison):
            failed = True
        if isinstance(constructor, Sequence):
            flow = results
        elif not isinstance(results, Poison):
            collected.extend(results)
    if failed:
        return POISON
    return tuple(collected) if isinstance(constructor, Branches) else flow


def report_or_raise(frame: Frame, fault: Fault, span: Span) -> None:
    """Reports a fault and goes on; an exceeded limit ends the elaboration instead."""
    from specc.elaborate.context import OutOfBounds

    frame.report(fault.fact, span)
    if isinstance(fault, OutOfBounds):
        raise fault


def _refuse_recursion(activation: Activation, constructor: BlockConstructor, span: Span) -> None:
    outer: Activation | None = activation
    while outer is not None:
        other = outer.instance.constructor
        if isinstance(other, BlockConstructor) and other.definition is constructor.definition:
            raise Fault(
                RecursiveBlock(
                    where=span,
                    name=constructor.name,
                    because=(Label(constructor.definition.name_span, "defined here"),),
                )
            )
        outer = outer.parent
