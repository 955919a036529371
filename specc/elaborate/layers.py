"""Layers: from values to layers, building them at their first application, applying them."""

from __future__ import annotations

from dataclasses import replace

from specc.elaborate.building import (
    check_borrowed,
    check_inline,
    claim,
    claim_layer,
    layer_name,
    not_the_same,
    record_aliases,
    record_slot,
    replayed,
)
from specc.elaborate.context import Frame
from specc.elaborate.facts import MissingArgument, NotALayer, RecursiveBlock, WrongType
from specc.elaborate.instances import Activation, BuiltOperator, Instance
from specc.elaborate.names import OWN
from specc.elaborate.operate import current, infer_at, operate, promoted, read_state
from specc.elaborate.placement import bring, device_for
from specc.elaborate.raw import RawApplication
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    Branches,
    Builtin,
    Item,
    LayerValue,
    ListValue,
    Operand,
    OperatorConstructor,
    Poison,
    Sequence,
    Tensor,
    TupleValue,
    Value,
    describe,
)
from specc.frontend.diagnostics import Fault, Label
from specc.frontend.source import Span
from specc.ir.graph import HERE
from specc.ir.names import join
from specc.ops.apply import state_of
from specc.ops.operator import Operator

Results = tuple[Tensor, ...] | Poison


def as_layer(value: Value, span: Span) -> LayerValue | Poison:
    """``value`` where a layer is wanted: a bare constructor is called with its defaults."""
    match value:
        case Poison() | LayerValue():
            return value
        case Builtin(operator=Operator() as operator):
            return as_layer(OperatorConstructor(operator), span)
        case OperatorConstructor():
            missing = tuple(
                a.name for a in value.operator.arguments if a.required and not a.variadic
            )
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
            _refuse_empty(value.items)
            if value.layer is None:
                value.layer = LayerValue(Branches(value.items), {}, span, name=value.name)
            return value.layer
    raise Fault(NotALayer(where=span, found=describe(value)))


def _refuse_empty(branches: tuple[Item, ...]) -> None:
    if not branches:
        raise Fault(NotALayer(found="an empty tuple"))


def _need_nothing(name: str, missing: tuple[str, ...], span: Span) -> None:
    if missing:
        raise Fault(MissingArgument(where=span, owner=name, names=missing))


def apply_layer(
    frame: Frame,
    layer: LayerValue,
    flow: tuple[Operand, ...],
    span: Span,
    *,
    label: str | None = None,
    position: str | None = None,
) -> Results:
    """Applies a layer, building it if this is the first time.

    ``label`` is the name that this place gives it. A member of a list has its ``position`` for one,
    even a layer without state.
    """
    label = label or position
    activation = current(frame, span)
    if layer.device is not None:
        frame = replace(frame, device=layer.device)
    unnamed = label == OWN or (label is None and layer.name is None)
    if isinstance(layer.constructor, Branches) and unnamed:
        activation.instance.holds_splices = True
        return apply_branches(frame, layer.constructor, flow)
    is_operator = isinstance(layer.constructor, OperatorConstructor)
    if layer.built is None and activation.replays and (is_operator or label != OWN):
        layer.built = replayed(activation, layer, label, span)
    if isinstance(layer.constructor, OperatorConstructor):
        return _apply_operator(frame, activation, layer, flow, span, label, position)
    if label == OWN:
        if layer.built is None:
            return _splice(frame, activation, layer, flow, span)
        label = None
    return _apply_block(frame, activation, layer, flow, span, label)


def apply_branches(frame: Frame, branches: Branches, flow: tuple[Operand, ...]) -> Results:
    """Gives every member of a tuple the same input; the results follow one another."""
    results: list[Tensor] = []
    failed = False
    _refuse_empty(branches.items)
    for item in branches.items:
        layer = as_layer(item.value, item.span)
        if isinstance(layer, Poison):
            failed = True
            continue
        part = apply_layer(frame, layer, flow, item.span, label=item.label)
        if isinstance(part, Poison):
            failed = True
        else:
            results.extend(part)
    return POISON if failed else tuple(results)


def _apply_operator(
    frame: Frame,
    activation: Activation,
    layer: LayerValue,
    flow: tuple[Operand, ...],
    span: Span,
    label: str | None,
    position: str | None,
) -> Results:
    assert isinstance(layer.constructor, OperatorConstructor)
    operator = layer.constructor.operator
    given = _all_given(operator, flow)
    device = device_for(frame, layer, given, span)
    tensors = promoted(frame, operator, bring(frame, given, device, span))
    applied = infer_at(frame, operator, layer.arguments, tensors, span, layer.argument_spans)
    state = state_of(operator, applied.attributes, tuple(t.type for t in tensors))
    if label == OWN and not state:
        label = position  # there is nothing whose name it would not add to
    if layer.built is None and not (state or label or layer.name):
        return operate(frame, operator, layer.arguments, tensors, span, layer.argument_spans)
    if layer.built is None:
        name = layer_name(activation, layer, label)
        types = {slot.slot.name: slot.type for slot in state}
        owned = [slot for slot in types if slot not in layer.borrowed]
        claim_layer(frame, activation, layer, name, owned, span)
        layer.built = BuiltOperator(
            owner=activation.instance,
            name=name,
            operator=operator,
            attributes=applied.attributes,
            state=types,
            borrowed=layer.borrowed,
            span=layer.span,
            device=device,
        )
        activation.instance.layers[name] = layer.built
        for slot in state:
            if slot.slot.name in layer.borrowed:
                check_borrowed(frame, layer, slot.slot.name, slot.type)
            else:
                record_slot(frame, layer, layer.built, slot, activation.innermost)
        check_inline(layer, set(types))
    else:
        assert isinstance(layer.built, BuiltOperator)
        if layer.built.attributes != applied.attributes:
            raise Fault(not_the_same(layer, applied, span))
    frame.context.count_node(span)
    node = RawApplication(
        target=layer.built,
        reference=activation.reference(layer.built),
        inputs=tuple(tensor.id for tensor in tensors),
        span=span,
        device=device,
    )
    for slot_name, state_reference in layer.borrowed.items():
        if slot_name in layer.built.state:
            state_tensor = read_state(frame, activation, state_reference, span)
            (state_tensor,) = bring(frame, (state_tensor,), device, span)
            node.borrowed[slot_name] = state_tensor.id
    record_aliases(frame, activation, layer, label, span)
    node.results = tuple(activation.tensor(type_, span, device) for type_ in applied.results)
    activation.nodes.append(node)
    return node.results


def _all_given(operator: Operator, flow: tuple[Operand, ...]) -> tuple[Tensor, ...]:
    """The operands of an operator: nones at the end are optional inputs that are left out."""
    count = len(flow)
    while count and flow[count - 1] is None:
        count -= 1
    tensors = tuple(tensor for tensor in flow[:count] if tensor is not None)
    if len(tensors) < count:
        raise Fault(
            WrongType(what=f"an input of {operator.name}", expected="a tensor", found="none")
        )
    return tensors


def _apply_block(
    frame: Frame,
    activation: Activation,
    layer: LayerValue,
    flow: tuple[Operand, ...],
    span: Span,
    label: str | None,
) -> Results:
    constructor = layer.constructor
    assert not isinstance(constructor, OperatorConstructor)
    if isinstance(constructor, BlockConstructor):
        _refuse_recursion(layer.made_in or activation, constructor, span)
    device = device_for(frame, layer, tuple(t for t in flow if t is not None), span)
    flow = tuple(None if t is None else bring(frame, (t,), device, span)[0] for t in flow)
    if layer.built is None:
        name = layer_name(activation, layer, label)
        claim(frame, activation, layer, name, span)
        path = join(activation.instance.path, name)
        layer.built = Instance(
            constructor, activation.instance, name, path, layer.span, layer.arguments, layer.inline
        )
        layer.built.part_of = activation.innermost
        layer.built.device = device
        activation.instance.layers[name] = layer.built
    instance = layer.built
    assert isinstance(instance, Instance)
    record_aliases(frame, activation, layer, label, span)
    frame.context.count_node(span)
    frame.context.count_use(span)
    node = RawApplication(
        target=instance,
        reference=activation.reference(instance),
        inputs=tuple(tensor.id for tensor in flow if tensor is not None),
        span=span,
        device=device,
    )
    inner = Activation(instance, activation, node)
    node.activation = inner
    instance.activations.append(inner)
    uses = frame.uses
    if isinstance(constructor, BlockConstructor):
        uses = (Label(span, f"used here as {instance.path}"), *uses)
    inner_frame = replace(frame, activation=inner, uses=uses, device=None)
    with frame.context.deeper(span):
        if isinstance(constructor, BlockConstructor):
            results = frame.context.run_body(inner_frame, layer, flow, span)
        else:
            entries = inner.take(flow)
            results = apply_members(inner_frame, constructor, entries)
    if isinstance(results, Poison):
        return POISON
    check_inline(layer, set(instance.state))
    inner.results = results
    node.results = tuple(
        activation.tensor(t.type, span, inner.devices.get(t.id, HERE) or device) for t in results
    )
    activation.nodes.append(node)
    return node.results


def _splice(
    frame: Frame,
    activation: Activation,
    layer: LayerValue,
    flow: tuple[Operand, ...],
    span: Span,
) -> Results:
    """Runs a block's body as a part of the one under way, whose names its layers then have."""
    constructor, owner = layer.constructor, activation.instance
    assert not isinstance(constructor, OperatorConstructor)
    part = Instance(constructor, owner, "", owner.path, layer.span, layer.arguments, layer.inline)
    part.part_of = activation.innermost
    owner.holds_splices = True
    frame.context.count_use(span)
    if isinstance(constructor, BlockConstructor):
        _refuse_recursion(layer.made_in or activation, constructor, span)
    activation.splices.append(part)
    try:
        with frame.context.deeper(span):
            if not isinstance(constructor, BlockConstructor):
                return apply_members(frame, constructor, flow)
            uses = (Label(span, f"{constructor.name} is a part of this"), *frame.uses)
            results = frame.context.run_body(replace(frame, uses=uses), layer, flow, span)
    finally:
        activation.splices.pop()
    if not isinstance(results, Poison):
        check_inline(layer, set(part.state))
    return results


def apply_members(
    frame: Frame, constructor: Sequence | Branches, given: tuple[Operand, ...]
) -> Results:
    """Applies the members of a list in order, or of a tuple side by side, named by position."""
    collected: list[Tensor] = []
    flow: tuple[Operand, ...] | Poison = given
    failed = False
    for position, item in enumerate(constructor.items):
        frame.context.spend(item.span)
        try:
            layer = as_layer(item.value, item.span)
            if isinstance(layer, Poison) or isinstance(flow, Poison):
                failed = True
                flow = flow if isinstance(constructor, Branches) else POISON
                continue
            results = apply_layer(
                frame, layer, flow, item.span, label=item.label, position=str(position)
            )
        except Fault as fault:
            frame.recover(fault, item.span)
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
    if isinstance(constructor, Branches):
        return tuple(collected)
    assert not isinstance(flow, Poison)
    return tuple(tensor for tensor in flow if tensor is not None)


def _refuse_recursion(activation: Activation, constructor: BlockConstructor, span: Span) -> None:
    """Refuses a block that was made in its own body; one that is handed to another is none."""
    outer: Activation | None = activation
    while outer is not None:
        others = (part.constructor for part in (outer.instance, *outer.splices))
        if any(
            isinstance(other, BlockConstructor) and other.definition is constructor.definition
            for other in others
        ):
            raise Fault(
                RecursiveBlock(
                    where=span,
                    name=constructor.name,
                    because=(Label(constructor.definition.name_span, "defined here"),),
                )
            )
        outer = outer.parent
