"""Expressions, and the node that all others rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from specc.frontend.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """What every node has."""

    span: Span


@dataclass(frozen=True, slots=True)
class Expression(Node):
    """Something with a value."""


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """``hidden``"""

    name: str


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A number, ``true``, ``false``, ``none`` or a string without ``{...}`` (escapes resolved)."""

    value: int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Interpolation(Expression):
    """A string with ``{expression}`` in it; ``{{`` and ``}}`` are literal braces."""

    parts: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class ForClause(Node):
    """``for i, n in iterable`` behind a member."""

    targets: tuple[Name, ...]
    iterable: Expression


@dataclass(frozen=True, slots=True)
class Member(Node):
    """One entry of a list or tuple: ``*value``, ``label: value``, ``value if c for i in r``.

    ``label`` is a Literal string (also for a bare word) or an Interpolation. ``condition`` is set
    only for an ``if`` without ``else``.
    """

    value: Expression
    label: Expression | None = None
    unpack: bool = False
    condition: Expression | None = None
    clauses: tuple[ForClause, ...] = ()


@dataclass(frozen=True, slots=True)
class ListExpression(Expression):
    """``[a, label: b, *c]``"""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class TupleExpression(Expression):
    """``(a, b)``, also without parentheses where a comma makes one (``return a, b``)."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class MapExpression(Expression):
    """``{key: value}``"""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """One argument of a call: ``value``, ``name=value`` or ``name ~ initializer``."""

    value: Expression
    name: str | None = None
    initializes: bool = False


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """``callee(arguments)``"""

    callee: Expression
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Attribute(Expression):
    """``value.name``; ``name_span`` covers the name alone."""

    value: Expression
    name: str
    name_span: Span


@dataclass(frozen=True, slots=True)
class Slice(Expression):
    """``start:stop:step`` inside an index."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(frozen=True, slots=True)
class Ellipsis(Expression):
    """``...``"""


@dataclass(frozen=True, slots=True)
class Index(Expression):
    """``value[items]``"""

    value: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """``-x``, ``+x`` or ``not x``"""

    operator: OneOf["-", "+", "not"]
    operand: Expression


BinaryOperator = OneOf[
    "+", "-", "*", "/", "//", "%", "**", "@", "==", "!=", "<", "<=", ">", ">=", "and", "or"
]


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """``left operator right``; ``operator_span`` covers the operator alone."""

    operator: BinaryOperator
    left: Expression
    right: Expression
    operator_span: Span


@dataclass(frozen=True, slots=True)
class Conditional(Expression):
    """``then if condition else otherwise``"""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Range(Expression):
    """``start..stop``, the end excluded"""

    start: Expression
    stop: Expression


@dataclass(frozen=True, slots=True)
class OnDevice(Expression):
    """``value on device``"""

    value: Expression
    device: Expression


@dataclass(frozen=True, slots=True)
class Stage(Node):
    """One ``|> label: layer`` of a pipeline; a ``_`` label is a Literal ``"_"``."""

    layer: Expression
    label: Expression | None = None


@dataclass(frozen=True, slots=True)
class Pipeline(Expression):
    """``source |> stage |> stage``, flat."""

    source: Expression
    stages: tuple[Stage, ...]
