"""Which value each hyperparameter gets, of operators, blocks and functions; typed and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from specc.elaborate.context import Frame
from specc.elaborate.facts import (
    MissingArgument,
    RepeatedArgument,
    TooManyArguments,
    UnknownArgument,
    WrongType,
)
from specc.elaborate.scope import Scope
from specc.elaborate.values import (
    BlockConstructor,
    Builtin,
    DeviceValue,
    InitializerDefinition,
    InitializerValue,
    Item,
    LayerValue,
    ListValue,
    OperatorConstructor,
    Poison,
    TupleValue,
    Value,
    describe,
    is_size,
)
from specc.frontend.diagnostics import Fault
from specc.frontend.source import Span
from specc.frontend.syntax import Expression, Literal, Name, Parameter, ShapeAnnotation
from specc.initialize.catalogue import CATALOGUE
from specc.ir.dims import Expr
from specc.ir.types import DType
from specc.ops.arguments import Argument
from specc.ops.operator import Operator


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
    slots = [a for a in arguments if not (a.keyword_only or a.collects)]
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
    names = tuple(argument.name for argument in arguments if not argument.collects)
    collector = next((argument.name for argument in arguments if argument.collects), None)
    for name, (value, place) in keywords.items():
        if name not in names and collector is not None:
            values.setdefault(collector, {})[name] = plain(value)
            spans[name] = place
            spans.setdefault(collector, place)
            continue
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


Read: TypeAlias = Callable[[str, str], tuple[Value, Span]]


def bind_parameters(
    frame: Frame,
    owner: str,
    parameters: tuple[Parameter, ...],
    positional: list[tuple[Value, Span]],
    keywords: Mapping[str, tuple[Value, Span]],
    span: Span,
    scope: Scope,
    read: Read | None = None,
) -> dict[str, Value]:
    """Values of a header's hyperparameters, typed and checked, defaults evaluated in ``scope``.

    ``read`` gives what a text that comes from Python stands for, where no string is wanted.
    """
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
            value = frame.within(defaults).evaluate(parameter.default)
            place = parameter.span
        values[parameter.name] = typed(frame, parameter, value, place, defaults, read)
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
    "device": ("a device", lambda v: isinstance(v, DeviceValue)),
    "layer": ("a layer", lambda v: _is_layer(v) or isinstance(v, ListValue | TupleValue)),
    "constructor": (
        "a constructor",
        lambda v: (
            isinstance(v, OperatorConstructor | BlockConstructor)
            or (isinstance(v, Builtin) and v.operator is not None)
        ),
    ),
    "initializer": (
        "an initializer",
        lambda v: (
            isinstance(v, InitializerValue | InitializerDefinition)
            or (isinstance(v, OperatorConstructor) and v.name in CATALOGUE)  # zeros, ones, eye
        ),
    ),
}


def _is_layer(value: Value) -> bool:
    return isinstance(value, LayerValue | OperatorConstructor | BlockConstructor) or (
        isinstance(value, Builtin) and value.operator is not None
    )


_HAS_NO_PYTHON = ("layer", "constructor", "dtype", "device", "initializer")
"""Kinds whose values Python has no word for, so that it gives their text."""


def typed(
    frame: Frame,
    parameter: Parameter,
    value: Value,
    span: Span,
    scope: Scope,
    read: Read | None = None,
) -> Value:
    """A hyperparameter's value, checked against its annotation or the type of its default."""
    kind = _kind_of(frame, parameter, scope)
    if read is not None and kind in _HAS_NO_PYTHON:
        if isinstance(value, str):
            value, span = read(parameter.name, value)
        elif isinstance(value, ListValue):
            items = [
                Item(*read(parameter.name, i.value), i.label) if isinstance(i.value, str) else i
                for i in value.items
            ]
            value = ListValue(tuple(items), value.span)
    if isinstance(value, Poison) or kind is None:
        return _named(parameter.name, value)
    expected, accepts = _KINDS[kind]
    if value is None and admits_none(parameter.default):
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


def admits_none(default: Expression | None) -> bool:
    """Whether a default is written as none."""
    return isinstance(default, Literal) and default.value is None


def _named(name: str, value: Value) -> Value:
    """A layer that is handed over unbound takes the hyperparameter's name."""
    if isinstance(value, LayerValue | ListValue | TupleValue):
        value.name = value.name or name
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
    default = frame.within(scope).evaluate(parameter.default)
    # An int default admits a float where the use does, a constructor a layer, and a list of layers
    # is one.
    if isinstance(default, ListValue) and any(_is_layer(item.value) for item in default.items):
        return "layer"
    kinds = ("bool", "float", "str", "list", "map", "dtype", "device", "initializer", "layer")
    return next((kind for kind in kinds if _KINDS[kind][1](default)), None)
