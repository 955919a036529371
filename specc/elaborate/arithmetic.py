"""Operators of the language on compile-time values: numbers, sizes, strings, lists, conditions."""

from __future__ import annotations

import operator as python
from collections.abc import Callable
from typing import Any

from specc.elaborate.facts import BadOperands, BadValue, LimitExceeded, UndecidedCondition
from specc.elaborate.values import (
    ListValue,
    Requirement,
    TupleValue,
    Undecided,
    Value,
    describe,
    is_size,
)
from specc.frontend.diagnostics import Fault
from specc.ir.dims import Dim, DimTooLarge, Expr, divide_exactly, equal, lower

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": python.add,
    "-": python.sub,
    "*": python.mul,
    "/": python.truediv,
    "//": python.floordiv,
    "%": python.mod,
    "**": python.pow,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": python.lt,
    "<=": python.le,
    ">": python.gt,
    ">=": python.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def is_number(value: Value) -> bool:
    """Whether a value is an int or a float (no bool)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def binary(operator: str, left: Value, right: Value, *, digits: int) -> Value:
    """``left operator right`` on compile-time values. Raises a Fault where there is no result."""
    if operator in ("==", "!="):
        return _equality(operator, left, right)
    if operator in _ORDER:
        return _ordering(operator, left, right)
    if operator in _ARITHMETIC:
        return _arithmetic(operator, left, right, digits)
    raise Fault(BadOperands(operator=operator, left=describe(left), right=describe(right)))


def _arithmetic(operator: str, left: Value, right: Value, digits: int) -> Value:
    wrong = Fault(BadOperands(operator=operator, left=describe(left), right=describe(right)))
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return bounded_text(left + right)
    if operator == "+" and isinstance(left, ListValue) and isinstance(right, ListValue):
        return ListValue(left.items + right.items, left.span)
    try:
        if is_number(left) and is_number(right):
            return _numbers(operator, left, right, digits)
        if is_size(left) and is_size(right):
            return _sizes(operator, left, right)
    except ZeroDivisionError:
        raise Fault(BadValue(problem="division by zero")) from None
    except OverflowError:
        raise Fault(BadValue(problem="the result is too large")) from None
    except DimTooLarge as error:
        raise Fault(BadValue(problem=f"this size is too complicated: {error}")) from None
    raise wrong


def _numbers(operator: str, left: float, right: float, digits: int) -> Value:
    if operator == "**" and isinstance(left, int) and isinstance(right, int):
        # Bounded before it is computed: 10**10**10 must not be.
        result_bits = left.bit_length() * right
        if result_bits > digits * 3.33 + 64:
            raise Fault(LimitExceeded(what="digits in an int", limit=digits, option="digits"))
    result = _ARITHMETIC[operator](left, right)
    if isinstance(result, complex):
        raise Fault(BadValue(problem="a root of a negative number"))
    return bounded(result, digits)


MAX_TEXT = 10_000  # characters of a string that is put together


def bounded_text(text: str) -> str:
    """``text``, unless it is longer than any name or message. Raises a Fault where it is."""
    if len(text) > MAX_TEXT:
        raise Fault(LimitExceeded(what="characters in a string", limit=MAX_TEXT))
    return text


def bounded(result: Value, digits: int) -> Value:
    """``result``, unless it is an int of too many digits or no finite float."""
    if isinstance(result, int) and abs(result) >= 10**digits:
        raise Fault(LimitExceeded(what="digits in an int", limit=digits, option="digits"))
    if isinstance(result, float) and result - result != 0:
        raise Fault(BadValue(problem="the result is not a finite number"))
    return result


def _sizes(operator: str, left: Dim, right: Dim) -> Value:
    if operator == "/":
        quotient = divide_exactly(left, right)
        if quotient is None:
            raise Fault(
                BadValue(
                    problem=f"{left} / {right} is not certain to be exact",
                    advice="`//` rounds down",
                )
            )
        return quotient
    if operator == "**":
        if not isinstance(right, int) or not 0 <= right <= 16:
            raise Fault(BadOperands(operator="**", left=describe(left), right=describe(right)))
        result: Dim = 1
        for _ in range(right):
            result = result * left
        return result
    return _ARITHMETIC[operator](left, right)


def _equality(operator: str, left: Value, right: Value) -> Value:
    if is_size(left) and is_size(right):
        verdict = equal(left, right)
        if verdict is None:
            relation = "==" if operator == "==" else "!="
            return Undecided((Requirement(relation, left, right),), f"{left} {operator} {right}")
        return verdict is (operator == "==")
    if isinstance(left, ListValue | TupleValue) and isinstance(right, ListValue | TupleValue):
        return _equal_entries(operator, left, right)
    elif is_number(left) and is_number(right):
        same = left == right
    else:
        same = type(left) is type(right) and left == right
    return same is (operator == "==")


def _equal_entries(
    operator: str, left: ListValue | TupleValue, right: ListValue | TupleValue
) -> Value:
    """Lists are equal where their entries are; where those are open, so is that of the lists."""
    if len(left.items) != len(right.items):
        return operator == "!="
    verdicts = [
        _equality("==", a.value, b.value) for a, b in zip(left.items, right.items, strict=True)
    ]
    if any(verdict is False for verdict in verdicts):
        return operator == "!="
    open_ = [verdict for verdict in verdicts if isinstance(verdict, Undecided)]
    if not open_:
        return operator == "=="
    text = "the equality of two lists"
    if operator == "!=":
        # Not a conjunction of relations unless there is one entry to differ in.
        requirements = tuple(
            Requirement("!=", r.left, r.right) for v in open_ for r in v.requirements
        )
        if len(requirements) != 1:
            raise Fault(UndecidedCondition(condition=text))
        return Undecided(requirements, text)
    return Undecided(tuple(r for v in open_ for r in v.requirements), text)


def _ordering(operator: str, left: Value, right: Value) -> Value:
    if is_number(left) and is_number(right):
        return _ORDER[operator](left, right)
    if not (is_size(left) and is_size(right)):
        raise Fault(BadOperands(operator=operator, left=describe(left), right=describe(right)))
    text = f"{left} {operator} {right}"
    if operator in ("<", "<="):
        operator, left, right = _MIRRORED[operator], right, left
    # left > right is left - right >= 1
    bound: Dim = right + 1 if operator == ">" else right
    least, most = lower(left - bound), lower(bound - left - 1)
    if least is not None and least >= 0:
        return True
    if most is not None and most >= 0:
        return False
    return Undecided((Requirement(">=", left, bound),), text)


def unary(operator: str, value: Value) -> Value:
    """``-value`` or ``+value``."""
    if is_number(value) or isinstance(value, Expr):
        return -value if operator == "-" else value
    raise Fault(BadOperands(operator=operator, left=describe(value)))


def truth(value: Value, text: str) -> bool:
    """A condition's truth. Raises a Fault where it is no condition, or not decided."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Undecided):
        raise Fault(UndecidedCondition(condition=value.text))
    raise Fault(BadOperands(operator=text, left=describe(value)))
