"""The syntax tree: what was written, nothing decided yet. Every node carries its span.

Chains that a user can make long (pipelines, argument lists, statements) are flat tuples, so that no
pass recurses on their length; nesting is bounded by the parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from specc.frontend.source import Span


@dataclass(frozen=True, slots=True)
class Node:
    """What every node has."""

    span: Span


# ---- expressions ---------------------------------------------------------------------------------


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
    """One entry of a list or tuple: ``*value``, ``label: value``, ``value if condition for i in r``.

    ``label`` is a Literal string (also for a bare word) or an Interpolation. ``condition`` is set only
    for an ``if`` without ``else``.
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


# ---- types ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wildcard(Expression):
    """``_`` as a dim: any size."""


@dataclass(frozen=True, slots=True)
class ShapeAnnotation(Node):
    """``f32[N, 2*C, _]``; an Ellipsis among ``dims`` stands for any number of dims."""

    dims: tuple[Expression, ...]
    dtype: Name | None = None


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """One hyperparameter or input of a header.

    ``annotation`` is a ShapeAnnotation for an input, a Name (``int``, ``layer``) for a
    hyperparameter, or None.
    """

    name: str
    name_span: Span
    annotation: ShapeAnnotation | Name | None = None
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class Output(Node):
    """One output of a header: ``logits: [N, 10]`` or a bare shape."""

    shape: ShapeAnnotation
    name: str | None = None


# ---- statements ----------------------------------------------------------------------------------


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
    """``Linear.weight ~ zeros``, ``"out.*" += 1``, ``"w"[0, 0] = 42``, or ``w ~ uniform`` in an init.

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


# ---- definitions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """One top-level item of a file."""


@dataclass(frozen=True, slots=True)
class ModuleDefinition(Definition):
    """A ``net`` or a ``block``.

    ``inputs`` is None for a point-free definition (``block F(n: int) = layer``), whose layer is
    ``result``; a definition with inputs and ``= expression`` has that expression in ``result`` too.
    Otherwise ``body`` holds the statements.
    """

    kind: OneOf["net", "block"]
    name: str
    name_span: Span
    hyperparameters: tuple[Parameter, ...]
    inputs: tuple[Parameter, ...] | None
    outputs: tuple[Output, ...]
    body: tuple[Statement, ...]
    result: Expression | None = None
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Definition):
    """``def name(parameters) = value``"""

    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    value: Expression
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class InitializerDefinition(Definition):
    """``init name(hyperparameters)(w: [...]) { ... }``"""

    name: str
    name_span: Span
    hyperparameters: tuple[Parameter, ...]
    inputs: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class InitDefinition(Definition):
    """``init { rules }`` at the top of a file."""

    rules: tuple[InitRule, ...]


@dataclass(frozen=True, slots=True)
class DeviceName(Node):
    """``cuda:0``, ``cuda:*``, ``cpu``; ``index`` is None where none is written, ``"*"`` for all."""

    kind: str
    index: int | OneOf["*"] | None = None


@dataclass(frozen=True, slots=True)
class DeviceDefinition(Definition):
    """``device left = cuda:0 | cpu``"""

    name: str
    name_span: Span
    alternatives: tuple[DeviceName, ...]


@dataclass(frozen=True, slots=True)
class Import(Definition):
    """``from "blocks.net" import A, B`` (``path``) or ``from std.resnet import A`` (``module``)."""

    path: str | None
    module: tuple[str, ...]
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Setting(Node):
    """``key = value`` of a recipe; a value such as ``cuda:*`` is a DeviceName."""

    name: str
    name_span: Span
    value: Expression | DeviceName


@dataclass(frozen=True, slots=True)
class TrainDefinition(Definition):
    """``train { settings }`` or ``train Name { settings }``"""

    net: Name | None
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class File(Node):
    """One whole file."""

    definitions: tuple[Definition, ...]
