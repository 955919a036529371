"""Calls: which value an argument goes to, and what a call gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from specc.elaborate.builtins import as_list
from specc.elaborate.context import Frame
from specc.elaborate.facts import (
    MissingArgument,
    NotALayer,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
    WrongType,
)
from specc.elaborate.layers import apply_layer, as_layer, as_tensor, operate
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
    StateReference,
    Tensor,
    TupleValue,
    Value,
    describe,
    is_size,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.frontend.syntax import Name, Parameter, ShapeAnnotation
from specc.ir.dims import Expr
from specc.ir.types import DType
from specc.ops.arguments import Argument
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


def call(frame: Frame, callee: Value, given: Given) -> Value:
    """The value of ``callee(given)``. Raises a Fault where it cannot be called so."""
    if isinstance(callee, Poison) or any(isinstance(v, Poison) for v in given.values):
        return POISON
    match callee:
        case OperatorConstructor():
            return _call_operator(frame, callee, given)
        case Builtin():
            if callee.operator is not None and _is_for_tensors(given):
                return _call_operator(frame, OperatorConstructor(callee.operator), given)
            _no_keywords(callee.name, given)
            return callee.function(*(value for value, _ in given.positional))
        case BlockConstructor():
            return _call_block(frame, callee, given)
        case FunctionValue():
            return _call_function(frame, callee, given)
        case LayerValue() | ListValue() | TupleValue():
            return _apply_value(frame, callee, given)
        case DType():
            return _cast(frame, callee, given)
    raise Fault(
        NotALayer(found=describe(callee), advice="only layers, constructors and functions are called")
    )


def result_of(tensors: tuple[Tensor, ...] | Poison) -> Value:
    """What a layer gave as a value: one tensor, or a tuple of them."""
    if isinstance(tensors, Poison):
        return POISON
    if len(tensors) == 1:
        return tensors[0]
    return TupleValue(tuple(Item(t, t.origin) for t in tensors), tensors[0].origin)


def is_tensor(value: Value) -> bool:
    """Whether a value is a tensor, or state that is read as one."""
    return isinstance(value, Tensor | StateReference)


def tensors_in(value: Value) -> tuple[Value, ...] | None:
    """The tensors that an argument stands for: itself, or those of a tuple or list; None if none."""
    if is_tensor(value):
        return (value,)
    if isinstance(value, TupleValue | ListValue) and value.items:
        if all(is_tensor(item.value) for item in value.items):
            return tuple(item.value for item in value.items)
    return None


def _is_for_tensors(given: Given) -> bool:
    return not given.positional or tensors_in(given.positional[0][0]) is not None


def _split_tensors(frame: Frame, given: Given) -> tuple[list[Tensor], list[tuple[Value, Span]]]:
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


# ---- operators -----------------------------------------------------------------------------------


def _call_operator(frame: Frame, constructor: OperatorConstructor, given: Given) -> Value:
    operator = constructor.operator
    tensors, rest = _split_tensors(frame, given)
    if tensors:
        rest = _literal_operands(frame, operator, tensors, rest)
    slots = {slot.name for slot in operator.state}
    borrowed: dict[str, StateReference] = {}
    keywords: dict[str, tuple[Value, Span]] = {}
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
                    where=initializer.span, owner=operator.name, name=name, known=tuple(sorted(slots))
                )
            )
    values, spans = bind_operator(operator, rest, keywords, given.span)
    spans |= {name: given.keywords[name][1] for name in borrowed}
    layer = LayerValue(
        constructor, values, given.span, dict(given.inline), borrowed, argument_spans=spans
    )
    if tensors or not operator.inputs:
        if operator.state:
            return result_of(apply_layer(frame, layer, tuple(tensors), given.span))
        return result_of(operate(frame, operator, values, tuple(tensors), given.span, spans))
    return layer


def _literal_operands(
    frame: Frame, operator: Operator, tensors: list[Tensor], rest: list[tuple[Value, Span]]
) -> list[tuple[Value, Span]]:
    """Numbers that stand where ``operator`` takes a further tensor: ``where(mask, x, 0)``."""
    least, _ = operator.arity
    while len(tensors) < least and rest and isinstance(rest[0][0], int | float | bool):
        value, span = rest.pop(0)
        floats = next((t.type.dtype for t in tensors if t.type.dtype.is_float), None)
        dtype = tensors[-1].type.dtype
        if isinstance(value, float):
            dtype = floats or DType.F32
        elif dtype is DType.BOOL and not isinstance(value, bool):
            dtype = floats or DType.I64
        full = frame.scope.find("full")
        assert full is not None and isinstance(full.value, OperatorConstructor)
        given = {"sizes": [], "value": value, "dtype": dtype}
        tensors.extend(operate(frame, full.value.operator, given, (), span))
    return rest


def bind_operator(
    operator: Operator,
    positional: list[tuple[Value, Span]],
    keywords: Mapping[str, tuple[Value, Span]],
    span: Span,
) -> tuple[dict[str, Any], dict[str, Span]]:
    """Values and places of an operator's hyperparameters."""
    arguments = operator.arguments
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    slots = [a for a in arguments if not a.keyword_only]
    rest = list(positional)
    for argument in slots:
        if not rest:
            break
        if argument.variadic:
            taken = rest
            if len(taken) == 1 and isinstance(taken[0][0], ListValue | TupleValue):
                values[argument.name] = plain(taken[0][0])
            else:
                values[argument.name] = [plain(value) for value, _ in taken]
            spans[argument.name] = taken[0][1].to(taken[-1][1])
            rest = []
        else:
            value, place = rest.pop(0)
            values[argument.name], spans[argument.name] = plain(value), place
    if rest:
        raise Fault(
            TooManyArguments(
                where=rest[0][1], owner=operator.name, most=len(slots), given=len(positional)
            )
        )
    names = tuple(argument.name for argument in arguments)
    for name, (value, place) in keywords.items():
        if name not in names:
            raise Fault(UnknownArgument(where=place, owner=operator.name, name=name, known=names))
        if name in values:
            raise Fault(RepeatedArgument(where=place, owner=operator.name, name=name))
        values[name], spans[name] = plain(value), place
    _none_missing(operator.name, arguments, values, span)
    return values, spans


def _none_missing(
    owner: str, arguments: tuple[Argument, ...], values: Mapping[str, Any], span: Span
) -> None:
    missing = tuple(a.name for a in arguments if a.required and a.name not in values)
    variadic = {a.name for a in arguments if a.variadic}
    if missing and not set(missing) <= variadic:
        raise Fault(MissingArgument(where=span, owner=owner, names=missing))
    for name in missing:
        values[name] = []  # type: ignore[index]


def plain(value: Value) -> Any:
    """A value as an operator's argument: lists become Python's."""
    if isinstance(value, ListValue | TupleValue):
        return [plain(item.value) for item in value.items]
    if isinstance(value, range):
        return list(value)
    return value


# ---- blocks and functions ------------------------------------------------------------------------


def _call_block(frame: Frame, constructor: BlockConstructor, given: Given) -> Value:
    tensors, rest = _split_tensors(frame, given)
    definition = constructor.definition
    values = bind_parameters(
        frame, constructor.name, definition.hyperparameters, rest, given.keywords, given.span,
        constructor.scope,
    )
    spans = {name: span for name, (_, span) in given.keywords.items()}
    layer = LayerValue(
        constructor, values, given.span, dict(given.inline), argument_spans=spans
    )
    if tensors:
        return result_of(apply_layer(frame, layer, tuple(tensors), given.span))
    return layer


def _call_function(frame: Frame, function: FunctionValue, given: Given) -> Value:
    definition = function.definition
    if given.inline:
        _no_keywords(definition.name, given)
    values = bind_parameters(
        frame, definition.name, definition.parameters, list(given.positional), given.keywords,
        given.span, function.scope,
    )
    scope = Scope(function.scope)
    for name, value in values.items():
        scope.bind(name, value)
    with frame.context.deeper(given.span):
        return frame.context.evaluate(frame.within(scope), definition.value)


def _no_keywords(owner: str, given: Given) -> None:
    for name, (_, span) in given.keywords.items():
        raise Fault(UnknownArgument(where=span, owner=owner, name=name, known=()))
    for name, initializer in given.inline.items():
        raise Fault(UnknownArgument(where=initializer.span, owner=owner, name=name, known=()))


def bind_parameters(
    frame: Frame,
    owner: str,
    parameters: tuple[Parameter, ...],
    positional: list[tuple[Value, Span]],
    keywords: Mapping[str, tuple[Value, Span]],
    span: Span,
    scope: Scope,
) -> dict[str, Value]:
    """Values of a header's hyperparameters, typed and checked, defaults evaluated in ``scope``."""
    names = tuple(parameter.name for parameter in parameters)
    if len(positional) > len(parameters):
        raise Fault(
            TooManyArguments(
                where=positional[len(parameters)][1],
                owner=owner,
                most=len(parameters),
                given=len(positional),
            )
        )
    given: dict[str, tuple[Value, Span]] = dict(zip(names, positional, strict=False))
    for name, (value, place) in keywords.items():
        if name not in names:
            raise Fault(UnknownArgument(where=place, owner=owner, name=name, known=names))
        if name in given:
            raise Fault(RepeatedArgument(where=place, owner=owner, name=name))
        given[name] = (value, place)
    missing = tuple(p.name for p in parameters if p.name not in given and p.default is None)
    if missing:
        raise Fault(MissingArgument(where=span, owner=owner, names=missing))
    values: dict[str, Value] = {}
    defaults = Scope(scope)
    for parameter in parameters:
        if parameter.name in given:
            value, place = given[parameter.name]
        else:
            assert parameter.default is not None
            value = frame.context.evaluate(frame.within(defaults), parameter.default)
            place = parameter.span
        values[parameter.name] = typed(frame, parameter, value, place, defaults)
        defaults.bind(parameter.name, values[parameter.name])
    return values


_KINDS: dict[str, tuple[str, Callable[[Value], bool]]] = {
    "int": ("an int", is_size),
    "float": (
        "a number",
        lambda v: isinstance(v, int | float | Expr) and not isinstance(v, bool),
    ),
    "bool": ("true or false", lambda v: isinstance(v, bool)),
    "str": ("a string", lambda v: isinstance(v, str)),
    "list": ("a list", lambda v: isinstance(v, ListValue | range)),
    "map": ("a map", lambda v: isinstance(v, dict)),
    "dtype": ("a dtype", lambda v: isinstance(v, DType)),
    "layer": (
        "a layer",
        lambda v: isinstance(
            v, LayerValue | ListValue | TupleValue | OperatorConstructor | BlockConstructor | Builtin
        ),
    ),
    "constructor": (
        "a constructor",
        lambda v: isinstance(v, OperatorConstructor | BlockConstructor)
        or (isinstance(v, Builtin) and v.operator is not None),
    ),
}


def typed(frame: Frame, parameter: Parameter, value: Value, span: Span, scope: Scope) -> Value:
    """A hyperparameter's value, checked against its annotation or the type of its default."""
    kind = _kind_of(frame, parameter, scope)
    if isinstance(value, Poison) or kind is None:
        return _named(parameter.name, value)
    expected, accepts = _KINDS[kind]
    if value is None and parameter.default is not None:
        return value
    if not accepts(value):
        raise Fault(
            WrongType(
                where=span,
                what=f"{parameter.name}",
                expected=expected,
                found=describe(value),
            )
        )
    if kind == "float" and isinstance(value, int) and isinstance(parameter.annotation, Name):
        return float(value)
    return _named(parameter.name, value)


def _named(name: str, value: Value) -> Value:
    """A layer that is handed over unbound takes the hyperparameter's name."""
    if isinstance(value, LayerValue | ListValue | TupleValue) and value.name is None:
        if isinstance(value, LayerValue) or any(
            isinstance(item.value, LayerValue) for item in value.items
        ):
            value.name = name
    return value


def _kind_of(frame: Frame, parameter: Parameter, scope: Scope) -> str | None:
    annotation = parameter.annotation
    if isinstance(annotation, Name):
        if annotation.name not in _KINDS:
            raise Fault(
                WrongType(
                    where=annotation.span,
                    what="the type of a hyperparameter",
                    expected=f"one of {', '.join(_KINDS)}",
                    found=f"`{annotation.name}`",
                )
            )
        return annotation.name
    assert not isinstance(annotation, ShapeAnnotation)
    if parameter.default is None:
        return None
    default = frame.context.evaluate(frame.within(scope), parameter.default)
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int | float):
        return "float"  # an int default admits a float where the use does
    if isinstance(default, str):
        return "str"
    if isinstance(default, OperatorConstructor | BlockConstructor | LayerValue):
        return "layer"
    return None


# ---- applying values -----------------------------------------------------------------------------


def _apply_value(frame: Frame, callee: LayerValue | ListValue | TupleValue, given: Given) -> Value:
    tensors, rest = _split_tensors(frame, given)
    if not tensors:
        raise Fault(
            NotALayer(
                found=describe(callee),
                advice="a layer is called with tensors; only a constructor takes hyperparameters",
            )
        )
    for _, span in (*rest, *given.keywords.values()):
        raise Fault(
            WrongType(
                where=span, what="an argument of a layer", expected="a tensor", found="something else"
            )
        )
    layer = as_layer(callee, given.span)
    assert isinstance(layer, LayerValue)
    return result_of(apply_layer(frame, layer, tuple(tensors), given.span))


def _cast(frame: Frame, dtype: DType, given: Given) -> Value:
    tensors, rest = _split_tensors(frame, given)
    if len(tensors) != 1 or rest or given.keywords:
        raise Fault(
            WrongType(what=f"the argument of {dtype.value}", expected="one tensor", found="these")
        )
    cast = frame.scope.find("cast")
    assert cast is not None and isinstance(cast.value, OperatorConstructor)
    return result_of(operate(frame, cast.value.operator, {"dtype": dtype}, tuple(tensors), given.span))


def spread(values: tuple[Value, ...]) -> ListValue:
    """Values as a list of the language."""
    return as_list(values)
