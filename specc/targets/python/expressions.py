"""Python expressions with their precedence. Nothing else puts parentheses into the source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from specc.ir.types import DType
from specc.targets.python import layout, literals
from specc.targets.python.errors import EmitError
from specc.targets.python.layout import SOFT, SPACE, Doc, Group, IfBroken, Indented
from specc.targets.python.names import is_attribute, is_identifier

# Python's levels of precedence, loosest first.
OR, AND, NOT, COMPARISON, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(
    13
)

_INFIX = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARISON),
    "|": BIT_OR,
    "^": BIT_XOR,
    "&": BIT_AND,
    **dict.fromkeys(("<<", ">>"), SHIFT),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "//", "%", "@"), PRODUCT),
    "**": POWER,
}
_PREFIX = {"-": UNARY, "+": UNARY, "~": UNARY, "not": NOT}


@dataclass(frozen=True)
class Expression:
    """An expression of the emitted source.

    ``plain`` is a name, a number, or an attribute of such: what ruff sets close to ``**``.
    ``bare`` is a name or a literal: what it sets close to a slice's colon. ``assignable`` says that
    an attribute can be assigned to.
    """

    doc: Doc
    level: int = ATOM
    plain: bool = False
    bare: bool = False
    number: bool = False
    assignable: bool = False

    @cached_property
    def text(self) -> str:
        """The expression on one line."""
        return layout.flat(self.doc)

    def at(self, level: int) -> Doc:
        """This expression where the context takes ``level`` or tighter."""
        if self.level >= level:
            return self.doc
        return Group(("(", Indented((SOFT, self.doc)), SOFT, ")"))


def name(identifier: str) -> Expression:
    """A variable. Refuses what is no identifier."""
    if not is_identifier(identifier):
        raise EmitError(f"not an identifier: {identifier[:80]!r}")
    return Expression(identifier, plain=True, bare=True)


def dotted(path: str) -> Expression:
    """``torch.nn.Linear``: names joined by dots."""
    first, *rest = path.split(".")
    expression = name(first)
    for part in rest:
        expression = attribute(expression, part)
    return expression


def literal(value: object) -> Expression:
    """A number, string, bool, None, dtype, or a tuple of these."""
    if value is None or isinstance(value, bool):
        return Expression(str(value), plain=True, bare=True)
    if isinstance(value, str):
        return Expression(literals.string(value), bare=True)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, DType):
        return dtype(value)
    if isinstance(value, tuple):
        return tuple_of([literal(item) for item in value])
    raise EmitError(f"no literal for a {type(value).__name__}")


def _number(value: int | float) -> Expression:
    if isinstance(value, float) and math.isnan(value):
        return Expression('float("nan")')
    if value < 0 or (value == 0 and math.copysign(1.0, value) < 0):
        return prefix("-", _number(-value))
    if isinstance(value, float) and math.isinf(value):
        return Expression('float("inf")')
    return Expression(literals.magnitude(value), plain=True, bare=True, number=True)


def formatted(parts: Iterable[str | Expression]) -> Expression:
    """A string literal with the values of expressions in it: ``f"H is {H}"``.

    The expressions are of names, numbers and operators, so hold no quotes.
    """
    merged = list(parts)
    if all(isinstance(part, str) for part in merged):
        return literal("".join(map(str, merged)))
    return Expression(
        literals.formatted([part if isinstance(part, str) else (part.text,) for part in merged]),
        bare=True,
    )


_TORCH_DTYPES = {
    DType.F16: "float16",
    DType.BF16: "bfloat16",
    DType.F32: "float32",
    DType.F64: "float64",
    DType.I8: "int8",
    DType.I32: "int32",
    DType.I64: "int64",
    DType.U8: "uint8",
    DType.BOOL: "bool",
}


def dtype(value: DType) -> Expression:
    """``torch.float32``"""
    return dotted(f"torch.{_TORCH_DTYPES[value]}")


def attribute(receiver: Expression, member: str) -> Expression:
    """``receiver.member``; through ``getattr`` where the member's name is no safe identifier."""
    if not is_attribute(member):
        return call(name("getattr"), [receiver, literal(member)])
    # A dot after digits would be a decimal point.
    inner = ("(", receiver.doc, ")") if receiver.number else receiver.at(ATOM)
    return Expression((inner, ".", member), plain=receiver.plain, assignable=True)


def call(
    function: Expression,
    positional: Sequence[Expression] = (),
    keywords: Iterable[tuple[str, Expression]] = (),
    *,
    one_per_line: bool = False,
) -> Expression:
    """``function(a, b, key=c)``"""
    docs = [argument.doc for argument in positional]
    for key, value in keywords:
        docs.append((name(key).doc, "=", value.doc))
    return Expression((function.at(ATOM), layout.arguments(docs, one_per_line=one_per_line)))


def starred(value: Expression) -> Expression:
    """``*value`` among arguments."""
    return Expression(("*", value.at(BIT_OR)))


def list_of(members: Sequence[Expression], *, one_per_line: bool = False) -> Expression:
    """``[a, b]``"""
    return Expression(layout.items("[", [m.doc for m in members], "]", one_per_line=one_per_line))


def repeated(member: Expression, count: int) -> Expression:
    """``[member for _ in range(count)]``, each made afresh"""
    inner = (SOFT, member.doc, SPACE, f"for _ in range({count})")
    return Expression(Group(("[", Indented(inner), SOFT, "]")))


def tuple_of(members: Sequence[Expression]) -> Expression:
    """``(a, b)``, ``(a,)``"""
    if len(members) == 1:
        return Expression(Group(("(", Indented((SOFT, members[0].doc, ",")), SOFT, ")")))
    return Expression(layout.items("(", [m.doc for m in members], ")"))


def bare_tuple(members: Sequence[Expression]) -> Expression:
    """``a, b`` as in a return; in parentheses where it is broken."""
    if len(members) == 1:
        return members[0]
    inner = (SOFT, layout.joined(m.doc for m in members), IfBroken(","))
    return Expression(Group((IfBroken("("), Indented(inner), SOFT, IfBroken(")"))), level=-1)


def dict_of(entries: Sequence[tuple[str, Expression]], *, one_per_line: bool = False) -> Expression:
    """``{"key": value}``"""
    docs: list[Doc] = [(literals.string(key), ": ", value.doc) for key, value in entries]
    return Expression(layout.items("{", docs, "}", one_per_line=one_per_line))


def infix(operator: str, left: Expression, right: Expression) -> Expression:
    """``left operator right``"""
    level = _INFIX[operator]
    if operator == "**":
        # Only ** binds tighter than a sign on its left and looser than one on its right.
        close = left.plain and right.plain and left.level >= ATOM
        gap = "" if close else " "
        return Expression((left.at(ATOM), f"{gap}**{gap}", right.at(UNARY)), level)
    # Python chains comparisons, so neither side may be one.
    left_doc = left.at(level + 1 if level == COMPARISON else level)
    if left.level == level != COMPARISON and isinstance(left_doc, Group):
        left_doc = left_doc.doc  # operators of one level are broken together
    doc = Group((left_doc, SPACE, operator, " ", right.at(level + 1)))
    return Expression(doc, level)


def prefix(operator: str, operand: Expression) -> Expression:
    """``-x``, ``~x``, ``not x``"""
    level = _PREFIX[operator]
    gap = " " if operator == "not" else ""
    simple = operator != "not"
    return Expression(
        # -(x**2) needs no parentheses, but ruff gives it some.
        (operator + gap, operand.at(ATOM if operand.level == POWER else level)),
        level,
        plain=simple and operand.plain,
        bare=simple and operand.bare,
    )


def subscript(receiver: Expression, members: Sequence[Expression]) -> Expression:
    """``receiver[a, b]``; an empty list gives ``receiver[()]``"""
    docs = [member.doc for member in members] or ["()"]
    if len(docs) == 1:
        return Expression((receiver.at(ATOM), "[", docs[0], "]"))
    return Expression((receiver.at(ATOM), layout.items("[", docs, "]")))


def slice_of(
    start: Expression | None, stop: Expression | None, step: Expression | None
) -> Expression:
    """``start:stop:step`` inside a subscript, spaced as ruff spaces it."""
    gap = "" if all(part is None or part.bare for part in (start, stop, step)) else " "
    docs: list[Doc] = [(start.doc, gap) if start else ""]
    docs += [":", (gap, stop.doc) if stop else ""]
    if step:
        docs += [gap if stop else "", ":", gap, step.doc]
    return Expression(tuple(docs))


ELLIPSIS = Expression("...")
SELF = name("self")
SUPER_INIT = Expression("super().__init__")
SUPER_FORWARD = Expression("super().forward")
