"""The compile-time functions of the language. Each raises a Fault for what it does not take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from specc.elaborate.arithmetic import bounded_text, is_number
from specc.elaborate.facts import BadValue, WrongType
from specc.elaborate.values import Builtin, Item, ListValue, TupleValue, Value, describe, is_size
from specc.frontend.diagnostics import Fault
from specc.frontend.facts import did_you_mean
from specc.frontend.source import Span
from specc.initialize.fans import GAINS
from specc.ir.dims import Expr
from specc.ops.operator import Operator

NOWHERE = Span(0, 0, 0)


def items_of(value: Value) -> Iterable[Value]:
    """The entries of a list, tuple or range."""
    if isinstance(value, ListValue | TupleValue):
        return [item.value for item in value.items]
    if isinstance(value, range):
        return value
    raise Fault(WrongType(what="this", expected="a list or a range", found=describe(value)))


def length(value: Value) -> int:
    """``len(list)``, also of a string or map."""
    if isinstance(value, ListValue | TupleValue):
        return len(value.items)
    if isinstance(value, range | str | dict):
        return len(value)
    raise Fault(WrongType(what="the argument of len", expected="a list", found=describe(value)))


def as_list(values: Iterable[Value]) -> ListValue:
    """Values as a list of the language."""
    return ListValue(tuple(Item(value, NOWHERE) for value in values), NOWHERE)


def as_tuple(values: Iterable[Value]) -> TupleValue:
    """Values as a tuple of the language."""
    return TupleValue(tuple(Item(value, NOWHERE) for value in values), NOWHERE)


def _number(name: str, value: Value) -> float:
    if not is_number(value):
        raise Fault(
            WrongType(what=f"the argument of {name}", expected="a number", found=describe(value))
        )
    return value  # type: ignore[no-any-return]


def _to_int(value: Value) -> Value:
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool):
        return int(value)
    return int(_number("int", value))


def _to_float(value: Value) -> float:
    return float(_number("float", value))


def _to_text(value: Value) -> str:
    return text_of(value)


def text_of(value: Value) -> str:
    """A value as it reads inside a string."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str | int | float | Expr):
        return str(value)
    if isinstance(value, ListValue | TupleValue):
        text = ""
        for item in items_of(value):
            text = bounded_text(text + (", " if text else "") + text_of(item))
        return f"[{text}]"
    raise Fault(WrongType(what="this", expected="a number or a string", found=describe(value)))


def _extreme(name: str, choose: Callable[[Value, Value], Value]) -> Callable[..., Value]:
    def function(*values: Value) -> Value:
        entries = list(items_of(values[0])) if len(values) == 1 else list(values)
        if not entries:
            raise Fault(BadValue(problem=f"{name} of nothing"))
        result = entries[0]
        _number(name, result)
        for entry in entries[1:]:
            _number(name, entry)
            result = choose(result, entry)
        return result

    return function


def _sum(value: Value) -> Value:
    total: Value = 0
    for entry in items_of(value):
        if not is_size(entry):
            _number("sum", entry)
        total = total + entry
    return total


def _absolute(value: Value) -> Value:
    return abs(_number("abs", value))


def _round(value: Value) -> Value:
    return round(_number("round", value))


def _floor(value: Value) -> Value:
    return math.floor(_number("floor", value))


def _ceil(value: Value) -> Value:
    return math.ceil(_number("ceil", value))


def _sqrt(value: Value) -> Value:
    if _number("sqrt", value) < 0:
        raise Fault(BadValue(problem="a root of a negative number"))
    return math.sqrt(value)


def _exp(value: Value) -> Value:
    return math.exp(_number("exp", value))


def _log(value: Value) -> Value:
    if _number("log", value) <= 0:
        raise Fault(BadValue(problem="a logarithm of a number that is not positive"))
    return math.log(value)


def _enumerate(value: Value) -> ListValue:
    return as_list(as_tuple(pair) for pair in enumerate(items_of(value)))


def _zip(*values: Value) -> ListValue:
    return as_list(as_tuple(entry) for entry in zip(*map(items_of, values), strict=False))


def _reversed(value: Value) -> ListValue:
    return as_list(reversed(list(items_of(value))))


def _calculate_gain(nonlinearity: Value, slope: Value = 0.01) -> Value:
    """torch.nn.init.calculate_gain, with its default slope of a leaky ReLU."""
    if not isinstance(nonlinearity, str) or nonlinearity not in GAINS:
        advice = did_you_mean(nonlinearity, tuple(GAINS)) if isinstance(nonlinearity, str) else None
        known = advice or f"one of {', '.join(GAINS)}"
        raise Fault(BadValue(problem="calculate_gain takes a nonlinearity's name", advice=known))
    if not is_number(slope):
        raise Fault(
            WrongType(
                what="the slope of calculate_gain", expected="a number", found=describe(slope)
            )
        )
    return GAINS[nonlinearity](float(slope))


_FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    # name: the function, and the least and greatest number of arguments
    "int": (_to_int, 1, 1),
    "float": (_to_float, 1, 1),
    "str": (_to_text, 1, 1),
    "len": (length, 1, 1),
    "enumerate": (_enumerate, 1, 1),
    "zip": (_zip, 1, 16),
    "reversed": (_reversed, 1, 1),
    "min": (_extreme("min", min), 1, 1000),
    "max": (_extreme("max", max), 1, 1000),
    "sum": (_sum, 1, 1),
    "abs": (_absolute, 1, 1),
    "round": (_round, 1, 1),
    "floor": (_floor, 1, 1),
    "ceil": (_ceil, 1, 1),
    "sqrt": (_sqrt, 1, 1),
    "exp": (_exp, 1, 1),
    "log": (_log, 1, 1),
    "calculate_gain": (_calculate_gain, 1, 2),
}


STRUCTURAL = frozenset({"len", "enumerate", "zip", "reversed"})
"""Functions that look at no entry of a list, so that a wrong one among them does no harm."""


def builtins(operators: dict[str, Operator]) -> dict[str, Builtin]:
    """All compile-time functions, each with the operator that shares its name."""
    return {
        name: Builtin(name, _checked(name, *entry), operators.get(name))
        for name, entry in _FUNCTIONS.items()
    }


def _checked(
    name: str, function: Callable[..., Value], least: int, most: int
) -> Callable[..., Value]:
    def checked(*values: Value) -> Value:
        if not least <= len(values) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise Fault(BadValue(problem=f"{name} takes {wanted} arguments, not {len(values)}"))
        try:
            return function(*values)
        except (OverflowError, ValueError):
            raise Fault(BadValue(problem=f"{name} has no result here")) from None

    return checked
