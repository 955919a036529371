"""Operators for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from specc.documentation.operators import (
    Use,
    details,
    families,
    in_onnx,
    keywords,
    literal,
    signature,
    state,
    uses,
)
from specc.ops.operator import Operator

_INDENT = "  "


def all_operators(width: int = 80, own: Sequence[Operator] = ()) -> str:
    """A line for each operator, by family; those of a host's ``own`` come last."""
    groups = list(families(own))
    longest = max(len(operator.name) for group in groups for operator in group.operators)
    lines: list[str] = []
    for group in groups:
        lines += [*textwrap.wrap(_plain(group.title), width), ""]
        for operator in group.operators:
            lead = f"{_INDENT}{operator.name:{longest}}{_INDENT}"
            indent = " " * len(lead)
            summary = _plain(operator.summary)
            lines += textwrap.wrap(
                summary, max(width, 40), initial_indent=lead, subsequent_indent=indent
            )
        lines.append("")
    return "\n".join([*lines, "`specc ops NAME` says more about each."])


def one_operator(operator: Operator, width: int = 80) -> str:
    """All about one."""
    width = max(width, 40)
    lines = textwrap.wrap(signature(operator), width, subsequent_indent=" " * 4)
    for paragraph in (operator.summary, details(operator)):
        if paragraph:
            lines += ["", *textwrap.wrap(_plain(paragraph), width)]
    if keywords(operator):
        lines += ["", "arguments"]
        lines += _table(
            [
                (argument.name, literal(argument.default), _plain(argument.kind.name))
                for argument in keywords(operator)
            ],
            width,
        )
    owned = state(operator)
    if owned is not None:
        use, slots = owned
        lines += ["", *textwrap.wrap(f"state of {use}", width, subsequent_indent=" " * 4)]
        lines += _table(
            [(slot.name, f"{slot.role} {slot.type}", slot.initializer) for slot in slots], width
        )
    lines += ["", *textwrap.wrap(_plain(in_onnx(operator)), width)]
    if operator.random:
        some = "" if operator.random is True else ", in some uses"
        lines += [f"draws at random while training{some}"]
    lines += ["", "tested uses"]
    for use in uses(operator):
        lines += _wrapped_use(use, width)
    return "\n".join(lines)


def _table(rows: list[tuple[str, str, str]], width: int) -> list[str]:
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    lines: list[str] = []
    for name, value, text in rows:
        lead = f"{_INDENT}{name:{first}}{_INDENT}{value:{second}}{_INDENT}"
        indent = " " * min(len(lead), width // 2)
        lines += textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=indent)
    return lines


def _wrapped_use(use: Use, width: int) -> list[str]:
    return [
        *textwrap.wrap(use.call, width, initial_indent=_INDENT, subsequent_indent=_INDENT * 4),
        *textwrap.wrap(use.types, width, initial_indent=_INDENT * 3, subsequent_indent=_INDENT * 4),
    ]


def _plain(text: str) -> str:
    """Docs are written in Markdown; a terminal shows no backquotes."""
    return text.replace("``", "").replace("`", "")
