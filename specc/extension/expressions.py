"""The expressions of a signature, over numbers and sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from specc.frontend import syntax
from specc.ir.types import DType

_BINARY: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda left, right: left and right,
    "or": lambda left, right: left or right,
}
_UNARY: Mapping[str, Callable[[Any], Any]] = {
    "-": operator.neg,
    "+": operator.pos,
    "not": operator.not_,
}
_DTYPES = {dtype.value: dtype for dtype in DType}


def value_of(node: syntax.Expression, names: Mapping[str, Any]) -> Any:
    """The value of an expression over ``names``. Raises ValueError for what has none here."""
    match node:
        case syntax.Literal():
            return node.value
        case syntax.Name() if node.name in names:
            return names[node.name]
        case syntax.Name() if node.name in _DTYPES:
            return _DTYPES[node.name]
        case syntax.Name():
            raise ValueError(f"{node.name!r} is no hyperparameter, and no size of an input")
        case syntax.Unary():
            return _UNARY[node.operator](value_of(node.operand, names))
        case syntax.Binary() if node.operator in _BINARY:
            left, right = value_of(node.left, names), value_of(node.right, names)
            return _BINARY[node.operator](left, right)
        case syntax.ListExpression():
            return tuple(value_of(member.value, names) for member in node.members)
        case _:
            raise ValueError("a signature holds names, numbers and arithmetic")


def free_names(node: syntax.Expression) -> Iterator[str]:
    """The names that an expression of a signature depends on."""
    match node:
        case syntax.Name():
            yield node.name
        case syntax.Unary():
            yield from free_names(node.operand)
        case syntax.Binary():
            yield from free_names(node.left)
            yield from free_names(node.right)
        case syntax.Call():
            for argument in node.arguments:
                yield from free_names(argument.value)
