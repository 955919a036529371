"""Statements of bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from specc.frontend.source import Span
from specc.frontend.syntax.expressions import (
    Expression,
    Name,
    Node,
)
from specc.frontend.syntax.headers import ShapeAnnotation


@dataclass(frozen=True, slots=True)
class Statement(Node):
    """One line of a body."""


@dataclass(frozen=True, slots=True)
class Assignment(Statement):
    """``a, b = value``"""

    targets: tuple[Name, ...]
    value: Expression


@dataclass(frozen=True, slots=True)
class ExpressionStatement(Statement):
    """An expression on its own; the last of a body is its result."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """``return value``; several values come as a TupleExpression."""

    value: Expression


@dataclass(frozen=True, slots=True)
class If(Statement):
    """``if condition { } else { }``; ``else if`` is an If alone in ``otherwise``."""

    condition: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class For(Statement):
    """``for i, n in iterable { }``"""

    targets: tuple[Name, ...]
    iterable: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class While(Statement):
    """``while condition { }``"""

    condition: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Assert(Statement):
    """``assert condition, message``"""

    condition: Expression
    message: Expression | None = None


@dataclass(frozen=True, slots=True)
class StateDeclaration(Statement):
    """``param weight: [D, units] ~ normal``, ``buffer ...``, ``const mask: [T, T] = value``."""

    role: OneOf["param", "buffer", "const"]
    name: str
    name_span: Span
    shape: ShapeAnnotation | None
    initializer: Expression | None = None
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class InitRule(Node):
    """``Linear.weight ~ zeros``, ``"out.*" += 1``, ``"w"[0, 0] = 42``.

    ``target`` is a Literal string (a pattern), or a Name or Attribute chain (``Linear.weight``).
    """

    target: Expression
    index: tuple[Expression, ...]
    operator: OneOf["~", "=", "+=", "-=", "*=", "/="]
    value: Expression


@dataclass(frozen=True, slots=True)
class InitBlock(Statement):
    """``init { rules }``, at the top of a file or inside a net or block."""

    rules: tuple[InitRule, ...]


@dataclass(frozen=True, slots=True)
class OnBlock(Statement):
    """``on device { }``"""

    device: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Draw(Statement):
    """``w ~ uniform(-limit, limit)`` inside an initializer definition."""

    target: Name
    initializer: Expression
