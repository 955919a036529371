"""A net seen from outside: hyperparameters that come in, names of inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Integral, Real
from typing import Any

from specc.elaborate import arithmetic
from specc.elaborate.bounds import Bounds
from specc.elaborate.builtins import NOWHERE, as_list, as_tuple
from specc.elaborate.context import Frame
from specc.elaborate.facts import LimitExceeded, WrongType
from specc.elaborate.values import POISON, DeviceValue, ListValue, TupleValue, Value
from specc.frontend import syntax
from specc.frontend.diagnostics import Fault
from specc.frontend.parse import parse_expression
from specc.frontend.source import Source, Span
from specc.ir.attributes import Attribute
from specc.ir.types import DType


def port_names(definition: syntax.ModuleDefinition) -> Iterator[tuple[str, Span]]:
    """The names that callers know inputs and outputs by."""
    yield from ((p.name, p.name_span) for p in definition.inputs or ())
    yield from ((o.name, o.span) for o in definition.outputs if o.name is not None)


NESTING = 32  # lists and maps in one another that come from Python; one may hold itself


def from_python(value: Any, depth: int = 0) -> Value:
    """A Python value in the language. Raises a Fault for one that it has no word for."""
    if depth > NESTING:
        raise Fault(LimitExceeded(what="lists and maps in one another", limit=NESTING))
    if isinstance(value, list):
        return as_list(from_python(item, depth + 1) for item in value)
    if isinstance(value, tuple):
        return as_tuple(from_python(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return {_key(key): from_python(item, depth + 1) for key, item in value.items()}
    if isinstance(value, str):
        return str.__str__(value)  # of a subclass too, such as numpy's
    if value is None or isinstance(value, bool | DType):
        return value
    if isinstance(value, Integral):  # numpy's too
        return arithmetic.bounded(int(value), Bounds.digits)
    if isinstance(value, Real):
        return arithmetic.bounded(float(value), Bounds.digits)
    raise _wrong("a value from outside", "a number, a string, a list or a dict", value)


def number_from_python(value: Any) -> int | float:
    """A Python number, numpy's too, in the language. Raises a Fault for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _wrong("a setting from outside", "a number, a text or a list", value)
    converted = from_python(value)
    assert isinstance(converted, int | float), value
    return converted


def _key(value: object) -> Any:
    key = from_python(value)
    if not isinstance(key, int | float | str):
        raise _wrong("a key of a dict from outside", "a number or a string", value)
    return key


def _wrong(what: str, expected: str, value: object) -> Fault:
    kind = type(value)
    module = "Python" if kind.__module__ == "builtins" else kind.__module__
    return Fault(WrongType(what=what, expected=expected, found=f"a {module} {kind.__name__}"))


def hyperparameter_from_python(value: Any, parameter: syntax.Parameter | None) -> Value:
    """A hyperparameter's value from Python, where a tuple does as a list. Raises a Fault."""
    converted = from_python(value)
    if isinstance(converted, TupleValue) and parameter is not None and _takes_a_list(parameter):
        return ListValue(converted.items, NOWHERE)
    return converted


def value_of_text(frame: Frame, name: str, text: str) -> tuple[Value, Span]:
    """What a text from Python stands for, as behind ``--set``: ``LayerNorm``, a block's name."""
    source, context = Source(f"--set {name}", text), frame.context
    expression = parse_expression(source, context.sources.add(source), context.report)
    if expression is None:
        return POISON, NOWHERE
    found = frame.evaluate(expression) if isinstance(expression, syntax.Expression) else text
    return found, expression.span


def _takes_a_list(parameter: syntax.Parameter) -> bool:
    annotation, default = parameter.annotation, parameter.default
    annotated = isinstance(annotation, syntax.Name) and annotation.name == "list"
    return annotated or (annotation is None and isinstance(default, syntax.ListExpression))


def as_attributes(values: Mapping[str, Value]) -> dict[str, Attribute]:
    """The hyperparameters that are plain data, for the record."""
    plain: dict[str, Attribute] = {}
    for name, value in values.items():
        if isinstance(value, ListValue):
            entries = tuple(item.value for item in value.items)
            if all(isinstance(entry, bool | int | float | str) for entry in entries):
                plain[name] = entries
        elif isinstance(value, DeviceValue):
            plain[name] = value.name
        elif value is None or isinstance(value, bool | int | float | str | DType):
            plain[name] = value
    return plain


def output_names(
    definition: syntax.ModuleDefinition, count: int, parameters: set[str]
) -> list[str]:
    """The names of a net's outputs, made up where the header gives none."""
    names = [output.name for output in definition.outputs] or [None] * count
    taken = {name for name in names if name} | {p.name for p in definition.inputs or ()}
    taken |= parameters  # ONNX has one namespace for all of them
    default = "output"
    while default in taken:
        default += "_"
    if count == 1:
        return [names[0] or default]
    return [name or f"{default}{position + 1}" for position, name in enumerate(names)]
