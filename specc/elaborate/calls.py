"""Calls: which value an argument goes to, and what a call gives."""

from __future__ import annotations

from dataclasses import replace

from specc.elaborate.binding import bind_operator, bind_parameters
from specc.elaborate.builtins import STRUCTURAL, as_list
from specc.elaborate.context import Frame
from specc.elaborate.facts import MissingArgument, NotALayer, UnknownArgument, WrongType
from specc.elaborate.layers import apply_layer, as_layer
from specc.elaborate.operands import (
    Given,
    given_flow,
    inputs_by_name,
    number_operands,
    optional_operands,
    split_tensors,
    tensors_in,
)
from specc.elaborate.operate import operate
from specc.elaborate.scan import scan
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    POISON,
    BlockConstructor,
    Builtin,
    FunctionValue,
    InitializerValue,
    Item,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    ScanFunction,
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
    extent,
    is_poisoned,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.ir.types import DType
from specc.ops.registry import operators


def call(frame: Frame, callee: Value, given: Given) -> Value:
    """The value of ``callee(given)``. Raises a Fault where it cannot be called so."""
    if isinstance(callee, Poison):
        return POISON
    structural = isinstance(callee, Builtin) and callee.name in STRUCTURAL
    if any(isinstance(v, Poison) or (is_poisoned(v) and not structural) for v in given.values):
        return POISON
    match callee:
        case OperatorConstructor():
            return _call_operator(frame, callee, given)
        case Builtin():
            if callee.operator is not None and _is_for_tensors(given):
                return _call_operator(frame, OperatorConstructor(callee.operator), given)
            _no_keywords(callee.name, given)
            # Looking at an entry takes about half a step.
            frame.context.steps += sum(map(extent, given.values)) // 2
            frame.context.spend(given.span)
            result = callee.function(*(value for value, _ in given.positional))
            frame.context.spend_on(result, given.span)
            return result
        case BlockConstructor():
            return _call_block(frame, callee, given)
        case FunctionValue():
            return _call_function(frame, callee, given)
        case LayerValue() | ListValue() | TupleValue():
            return _apply_value(frame, callee, given)
        case ScanFunction():
            return result_of(scan(frame, given))
        case DType():
            return _cast(frame, callee, given)
    raise Fault(
        NotALayer(
            found=describe(callee), advice="only layers, constructors and functions are called"
        )
    )


def result_of(tensors: tuple[Tensor, ...] | Poison) -> Value:
    """What a layer gave as a value: one tensor, or a tuple of them."""
    if isinstance(tensors, Poison):
        return POISON
    if len(tensors) == 1:
        return tensors[0]
    return TupleValue(tuple(Item(t, t.origin) for t in tensors), tensors[0].origin)


def _is_for_tensors(given: Given) -> bool:
    return not given.positional or tensors_in(given.positional[0][0]) is not None


def _call_operator(frame: Frame, constructor: OperatorConstructor, given: Given) -> Value:
    operator = constructor.operator
    given, numbers = number_operands(operator, given)
    tensors, rest = split_tensors(frame, given)
    given = optional_operands(frame, operator, given, tensors)
    slots = {slot.name for slot in operator.state}
    borrowed: dict[str, StateReference] = {}
    keywords: dict[str, tuple[Value, Span]] = dict(numbers)
    for name, (value, span) in given.keywords.items():
        if name in slots and operator.argument(name) is None:
            if not isinstance(value, StateReference):
                raise Fault(
                    WrongType(
                        where=span,
                        what=f"a shared {name}",
                        expected="a parameter of another layer",
                        found=describe(value),
                        advice=f"an initial value is written `{name} ~ ...`",
                    )
                )
            borrowed[name] = value
        else:
            keywords[name] = (value, span)
    for name, initializer in given.inline.items():
        if name not in slots:
            raise Fault(
                UnknownArgument(
                    where=initializer.span,
                    owner=operator.name,
                    name=name,
                    known=tuple(sorted(slots)),
                )
            )
    values, spans = bind_operator(operator, rest, keywords, given.span)
    spans |= {name: given.keywords[name][1] for name in borrowed}
    frame.context.count_layer(given.span)
    layer = LayerValue(
        constructor, values, given.span, dict(given.inline), borrowed, argument_spans=spans
    )
    if tensors or not operator.inputs:
        if operator.state:
            return result_of(apply_layer(frame, layer, tuple(tensors), given.span))
        return result_of(operate(frame, operator, values, tuple(tensors), given.span, spans))
    return layer


def _call_block(frame: Frame, constructor: BlockConstructor, given: Given) -> Value:
    tensors, rest = split_tensors(frame, given)
    definition = constructor.definition
    given, flow = inputs_by_name(frame, definition, given, tuple(tensors))
    try:
        values = bind_parameters(
            frame,
            constructor.name,
            definition.hyperparameters,
            rest,
            given.keywords,
            given.span,
            constructor.scope,
        )
    except Fault as fault:
        raise _lent_by_position(fault, given) from None
    spans = {name: span for name, (_, span) in given.keywords.items()}
    frame.context.count_layer(given.span)
    layer = LayerValue(constructor, values, given.span, dict(given.inline), argument_spans=spans)
    layer.made_in = frame.activation
    if flow:
        return result_of(apply_layer(frame, layer, flow, given.span))
    return layer


def _lent_by_position(fault: Fault, given: Given) -> Fault:
    """The fault, with help where a parameter stands by position: there it is an input's tensor."""
    missing = fault.fact
    lent = any(isinstance(value, StateReference) for value, _ in given.positional)
    if not isinstance(missing, MissingArgument) or not lent:
        return fault
    advice = f"a parameter that a block is to use is given by name: `{missing.names[0]}=...`"
    return Fault(replace(missing, advice=advice))


def _call_function(frame: Frame, function: FunctionValue, given: Given) -> Value:
    definition = function.definition
    if given.inline:
        _no_keywords(definition.name, given)
    values = bind_parameters(
        frame,
        definition.name,
        definition.parameters,
        list(given.positional),
        given.keywords,
        given.span,
        function.scope,
    )
    scope = Scope(function.scope)
    for name, value in values.items():
        scope.bind(name, value)
    with frame.context.deeper(given.span):
        return frame.within(scope).evaluate(definition.value)


def _places(inline: dict[str, InitializerValue]) -> list[tuple[None, Span]]:
    return [(None, initializer.span) for initializer in inline.values()]


def _no_keywords(owner: str, given: Given) -> None:
    for name, (_, span) in given.keywords.items():
        raise Fault(UnknownArgument(where=span, owner=owner, name=name, known=()))
    for name, initializer in given.inline.items():
        raise Fault(UnknownArgument(where=initializer.span, owner=owner, name=name, known=()))


def _apply_value(frame: Frame, callee: LayerValue | ListValue | TupleValue, given: Given) -> Value:
    if not any(tensors_in(value) for value, _ in given.positional):
        raise Fault(
            NotALayer(
                found=describe(callee),
                advice="a layer is called with tensors; only a constructor takes hyperparameters",
            )
        )
    flow = given_flow(frame, given)
    if isinstance(callee, LayerValue) and isinstance(callee.constructor, BlockConstructor):
        given, flow = inputs_by_name(frame, callee.constructor.definition, given, flow)
    for _, span in (*given.keywords.values(), *_places(given.inline)):
        raise Fault(
            WrongType(
                where=span,
                what="an argument of a layer",
                expected="a tensor",
                found="something else",
            )
        )
    layer = as_layer(callee, given.span)
    assert isinstance(layer, LayerValue)
    return result_of(apply_layer(frame, layer, flow, given.span))


def _cast(frame: Frame, dtype: DType, given: Given) -> Value:
    tensors, rest = split_tensors(frame, given)
    _no_keywords(dtype.value, given)
    if len(tensors) != 1 or rest:
        raise Fault(
            WrongType(what=f"the argument of {dtype.value}", expected="one tensor", found="these")
        )
    return result_of(
        operate(frame, operators()["cast"], {"dtype": dtype}, tuple(tensors), given.span)
    )


def spread(values: tuple[Value, ...]) -> ListValue:
    """Values as a list of the language."""
    return as_list(values)
