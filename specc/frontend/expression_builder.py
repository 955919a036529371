"""Builds expressions while lark parses: one method a rule of ``net.lark``, named like it.

Each method gets the rule's children, every token among them, so that spans come from the tokens
themselves. Lark calls them bottom up as it reduces; nothing here walks a tree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from lark import Token

from specc.frontend import syntax as s
from specc.frontend.diagnostics import Fact, Fault
from specc.frontend.facts import SyntaxFault
from specc.frontend.source import Span
from specc.frontend.strings import pieces

Children = list[Any]
_CONSTANTS = {"true": True, "false": False, "none": None}

# Python's names for what has another name here, or none. They could be names like all others, but
# nobody means them to be.
_FOREIGN = {
    "True": ("there is no `True`", "write `true`"),
    "False": ("there is no `False`", "write `false`"),
    "None": ("there is no `None`", "write `none`"),
    "self": ("there is no `self`", "a layer that is bound to a name is used by that name alone"),
}


class Part(NamedTuple):
    """A piece that is no node of its own: a body, a parameter list, the outputs of a header."""

    kind: str
    span: Span
    items: tuple[Any, ...]
    trailing_comma: bool = False


class ExpressionBuilder:
    """The methods for expressions. ``file``, ``text`` and the two callbacks are set for each text.

    ``report`` takes a fact that does not stop the parser; ``parse_inside`` parses the expression at
    a span, within a string.
    """

    file: int
    text: str
    report: Callable[[Fact], None]
    parse_inside: Callable[[Span], s.Expression | None]

    def span(self, first: Any, last: Any) -> Span:
        """From the start of ``first`` to the end of ``last``, each a token, node or part."""
        return Span(
            self.file,
            (first.start_pos or 0) if type(first) is Token else first.span.start,
            (last.end_pos or 0) if type(last) is Token else last.span.end,
        )

    def at(self, token: Token) -> Span:
        """The span of a token."""
        return Span(self.file, token.start_pos or 0, token.end_pos or 0)

    # ---- operators -------------------------------------------------------------------------------

    def pipeline(self, children: Children) -> s.Pipeline:
        return s.Pipeline(self.span(children[0], children[-1]), children[0], tuple(children[2::2]))

    def stage(self, children: Children) -> s.Stage:
        label = children[0] if len(children) == 3 else None
        return s.Stage(self.span(children[0], children[-1]), children[-1], label)

    def label(self, children: Children) -> s.Expression:
        token = children[0]
        if token.type == "STRING":
            return self.string(children)
        return s.Literal(self.at(token), str(token))

    def on_device(self, children: Children) -> s.OnDevice:
        value, _, device = children
        return s.OnDevice(self.span(value, device), value, device)

    def conditional(self, children: Children) -> s.Conditional:
        then, _, condition, _, otherwise = children
        return s.Conditional(self.span(then, otherwise), then, condition, otherwise)

    def binary(self, children: Children) -> s.Binary:
        left, operator, right = children
        at = self.at(operator)
        return s.Binary(self.span(left, right), str(operator), left, right, at)  # type: ignore[arg-type]

    def range(self, children: Children) -> s.Range:
        start, _, stop = children
        return s.Range(self.span(start, stop), start, stop)

    def unary(self, children: Children) -> s.Unary:
        operator, operand = children
        return s.Unary(self.span(operator, operand), str(operator), operand)  # type: ignore[arg-type]

    # ---- calls, attributes, indices --------------------------------------------------------------

    def call(self, children: Children) -> s.Call:
        arguments = tuple(child for child in children[2:-1] if type(child) is s.Argument)
        return s.Call(self.span(children[0], children[-1]), children[0], arguments)

    def argument(self, children: Children) -> s.Argument:
        if len(children) == 1:
            return s.Argument(children[0].span, children[0])
        name, sign, value = children
        return s.Argument(self.span(name, value), value, str(name), sign.type == "TILDE")

    def attribute(self, children: Children) -> s.Attribute:
        value, _, name = children
        return s.Attribute(self.span(value, name), value, str(name), self.at(name))

    def index(self, children: Children) -> s.Index:
        value, subscript = children
        return s.Index(self.span(value, subscript), value, subscript.items)

    def subscript(self, children: Children) -> Part:
        return self.part("subscript", children, nodes(children))

    def slice(self, children: Children) -> s.Slice:
        bounds: list[s.Expression | None] = [None]
        for child in children:
            if type(child) is Token:
                bounds.append(None)
            else:
                bounds[-1] = child
        start, stop, step = (*bounds, None, None)[:3]
        return s.Slice(self.span(children[0], children[-1]), start, stop, step)

    # ---- atoms -----------------------------------------------------------------------------------

    def name(self, children: Children) -> s.Name:
        word = str(children[0])
        if word in _FOREIGN:
            problem, advice = _FOREIGN[word]
            self.report(SyntaxFault(where=self.at(children[0]), problem=problem, advice=advice))
        return s.Name(self.at(children[0]), word)

    def integer(self, children: Children) -> s.Literal:
        return s.Literal(self.at(children[0]), int(children[0]))

    def float(self, children: Children) -> s.Literal:
        value = float(children[0])
        if math.isinf(value):
            problem = "this number is too large for a float"
            self.report(SyntaxFault(where=self.at(children[0]), problem=problem))
        return s.Literal(self.at(children[0]), value)

    def constant(self, children: Children) -> s.Literal:
        return s.Literal(self.at(children[0]), _CONSTANTS[children[0]])

    def string(self, children: Children) -> s.Literal | s.Interpolation:
        token: Token = children[0]
        span = self.at(token)
        if "\\" not in token and "{" not in token and "}" not in token:
            return s.Literal(span, token[1:-1])
        parts: list[str | s.Expression] = []
        try:
            for piece in pieces(self.text, span):
                if isinstance(piece, Span):
                    inside = self.parse_inside(piece)
                    if inside is not None:
                        parts.append(inside)
                else:
                    parts.append(piece)
        except Fault as fault:
            self.report(fault.fact)
        if all(isinstance(part, str) for part in parts):
            return s.Literal(span, "".join(part for part in parts if isinstance(part, str)))
        return s.Interpolation(span, tuple(_joined(parts)))

    def parentheses(self, children: Children) -> s.Expression:
        span = self.span(children[0], children[-1])
        members: tuple[s.Member, ...] = nodes(children)
        if len(children) == 3 and members:
            only = members[0]
            if only.label is None and not (only.unpack or only.condition or only.clauses):
                # A value in parentheses is that value; it takes their span, so that a span that
                # starts or ends with it shows them. The node is new: nothing else holds it.
                object.__setattr__(only.value, "span", span)
                return only.value
        return s.TupleExpression(span, members)

    def list(self, children: Children) -> s.ListExpression:
        return s.ListExpression(self.span(children[0], children[-1]), nodes(children))

    def map(self, children: Children) -> s.MapExpression:
        entries = tuple(child.items for child in children if type(child) is Part)
        return s.MapExpression(self.span(children[0], children[-1]), entries)

    def entry(self, children: Children) -> Part:
        key, _, value = children
        return self.part("entry", children, (key, value))

    def member(self, children: Children) -> s.Member:
        if len(children) == 1:
            return s.Member(children[0].span, children[0])
        span = self.span(children[0], children[-1])
        clauses = children.pop().items if type(children[-1]) is Part else ()
        label = children[0] if len(children) == 3 else None
        return s.Member(span, children[-1], label, clauses=clauses)

    def conditional_member(self, children: Children) -> s.Member:
        span = self.span(children[0], children[-1])
        clauses = children.pop().items if type(children[-1]) is Part else ()
        value, _, condition = children[-3:]
        label = children[0] if len(children) == 5 else None
        return s.Member(span, value, label, condition=condition, clauses=clauses)

    def unpacked_member(self, children: Children) -> s.Member:
        span = self.span(children[0], children[-1])
        clauses = children.pop().items if type(children[-1]) is Part else ()
        return s.Member(span, children[1], unpack=True, clauses=clauses)

    def clauses(self, children: Children) -> Part:
        clauses = tuple(
            s.ForClause(self.span(word, iterable), targets.items, iterable)
            for word, targets, _, iterable in zip(*(children[i::4] for i in range(4)), strict=True)
        )
        return self.part("clauses", children, clauses)

    def targets(self, children: Children) -> Part:
        return self.part("targets", children, tuple(self.name([name]) for name in children[::2]))

    def wildcard(self, children: Children) -> s.Wildcard:
        return s.Wildcard(self.at(children[0]))

    def ellipsis(self, children: Children) -> s.Ellipsis:
        return s.Ellipsis(self.at(children[0]))

    def numbered_device(self, children: Children) -> s.DeviceName:
        kind, _, number = children
        index = "*" if number.type == "STAR" else int(number)
        return s.DeviceName(self.span(kind, number), str(kind), index)  # type: ignore[arg-type]

    def part(self, kind: str, children: Children, items: tuple[Any, ...]) -> Part:
        """A part that spans all of ``children``."""
        return Part(kind, self.span(children[0], children[-1]), items)


def _joined(parts: list[str | s.Expression]) -> Iterator[str | s.Expression]:
    """The parts of a string with neighbouring texts as one."""
    for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
        if is_text:
            yield "".join(part for part in run if isinstance(part, str))
        else:
            yield from run


def nodes(children: Children) -> tuple[Any, ...]:
    """The children that are no tokens."""
    return tuple(child for child in children if type(child) is not Token)
