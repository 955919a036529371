"""``docs/operators.md``, made from the table of operators."""

from __future__ import annotations

from specc.documentation.operators import (
    Family,
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

_SHOWN_USES = 4

_HEAD = """\
# Operators

Made from the table of operators by `make docs`; `specc ops NAME` prints the same in a terminal.

A name with a capital makes a layer, which may own parameters: `x |> Conv(6, 5)`. The others are
functions: `relu(x)`, or `x |> relu`. Arguments are named as in PyTorch, and so are parameters. The
arithmetic signs of the language (`+`, `@`, `<`, `x[:, 0]`) are operators too, under the names that
they have here. The uses shown are samples that the test suite runs on every target.
"""


def operators_page() -> str:
    """The whole page."""
    parts = [_HEAD]
    groups = list(families())
    parts.append(_contents(groups))
    for group in groups:
        parts.append(f"## {group.name.capitalize().replace('_', ' ')}\n\n{_code(group.title)}\n")
        parts += [_section(operator) for operator in group.operators]
    return "\n".join(parts).rstrip("\n") + "\n"


def _contents(groups: list[Family]) -> str:
    lines = ["| Family | Operators |", "| --- | --- |"]
    for group in groups:
        names = ", ".join(f"[`{o.name}`](#{o.name.lower()})" for o in group.operators)
        lines.append(f"| {group.name} | {names} |")
    return "\n".join(lines) + "\n"


def _section(operator: Operator) -> str:
    lines = [f"### {operator.name}", "", "```", signature(operator), "```", ""]
    lines += [_code(operator.summary), ""]
    if told := details(operator):
        lines += [_code(told), ""]
    if keywords(operator):
        lines += ["| Argument | Default | Takes |", "| --- | --- | --- |"]
        for argument in keywords(operator):
            default = "required" if argument.required else f"`{literal(argument.default)}`"
            lines.append(f"| `{argument.name}` | {default} | {_cell(argument.kind.name)} |")
        lines.append("")
    owned = state(operator)
    if owned is not None:
        use, slots = owned
        lines += [f"State of `{use}`:", ""]
        lines += ["| Name | Role | Type | Starts as |", "| --- | --- | --- | --- |"]
        for slot in slots:
            lines.append(f"| `{slot.name}` | {slot.role} | `{slot.type}` | `{slot.initializer}` |")
        lines.append("")
    lines += [f"- `{use}`" for use in uses(operator)[:_SHOWN_USES]]
    lines += ["", _code(in_onnx(operator)), ""]
    return "\n".join(lines)


def _code(text: str) -> str:
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
