"""What the front end's tests share: parsing a text, and a tree as text."""

from __future__ import annotations

import dataclasses
from typing import Any

from specc.frontend import syntax
from specc.frontend.diagnostics import Report
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from specc.frontend.parse import parse, parse_expression
from specc.frontend.render import render
from specc.frontend.source import Source, Sources


def parsed(text: str) -> syntax.File:
    """The tree of a valid text."""
    report = Report()
    tree = parse(Source("test.net", text), 0, report)
    assert tree is not None, errors(text)
    assert not report.facts
    return tree


def expression(text: str) -> Any:
    """The tree of a valid expression."""
    report = Report()
    tree = parse_expression(Source("test.net", text), 0, report)
    assert tree is not None, [fact.message for fact in report.facts]
    return tree


def body(text: str) -> tuple[syntax.Statement, ...]:
    """The statements of a net with this body."""
    (net,) = parsed(f"net A(x: [N]) -> [N] {{\n{text}\n}}").definitions
    assert isinstance(net, syntax.ModuleDefinition)
    return net.body


def codes(text: str, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """The codes of the errors of a text, in order."""
    report = Report()
    tree = parse(Source("test.net", text), 0, report, limits)
    assert (tree is None) == report.failed
    return [fact.code for fact in report.facts]


def errors(text: str) -> str:
    """The rendered errors of a text."""
    sources = Sources()
    number = sources.add(Source("test.net", text))
    report = Report()
    parse(sources.files[number], number, report)
    return "\n\n".join(render(fact.diagnostic(), sources) for fact in report.facts)


def infix(node: Any) -> str:
    """An expression with parentheses around every operation, to show what binds to what."""
    match node:
        case syntax.Name(name=name):
            return name
        case syntax.Literal(value=value):
            return repr(value)
        case syntax.Binary(operator=operator, left=left, right=right):
            return f"({infix(left)} {operator} {infix(right)})"
        case syntax.Unary(operator=operator, operand=operand):
            return f"({operator} {infix(operand)})"
        case syntax.Range(start=start, stop=stop):
            return f"({infix(start)} .. {infix(stop)})"
        case syntax.Conditional(then=then, condition=condition, otherwise=otherwise):
            return f"({infix(then)} if {infix(condition)} else {infix(otherwise)})"
        case syntax.OnDevice(value=value, device=device):
            return f"({infix(value)} on {infix(device)})"
        case syntax.Pipeline(source=source, stages=stages):
            return f"({' |> '.join([infix(source), *(infix(stage.layer) for stage in stages)])})"
        case syntax.Call(callee=callee, arguments=arguments):
            return f"{infix(callee)}({', '.join(infix(a.value) for a in arguments)})"
        case syntax.Attribute(value=value, name=name):
            return f"{infix(value)}.{name}"
        case syntax.Index(value=value, items=items):
            return f"{infix(value)}[{', '.join(map(infix, items))}]"
        case syntax.TupleExpression(members=members):
            return f"<{', '.join(infix(member.value) for member in members)}>"
    raise AssertionError(f"no notation for {type(node).__name__}")


def outline(node: Any) -> str:
    """A tree as nested text without its spans; what is empty is left out."""
    return "\n".join(_outline(node, ""))


def _outline(node: Any, prefix: str) -> list[str]:
    indent = " " * (len(prefix) - len(prefix.lstrip()))
    if isinstance(node, tuple):
        lines = [prefix.rstrip()] if prefix.strip() else []
        for item in node:
            lines += _outline(item, f"{indent}  - ")
        return lines
    if not isinstance(node, syntax.Node):
        return [f"{prefix}{node!r}"]
    simple, deep = [], []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if field.name.endswith("span") or (
            field.name != "value" and value in (None, (), "", False)
        ):
            continue
        flat = not isinstance(value, syntax.Node | tuple)
        (simple if flat else deep).append((field.name, value))
    words = [type(node).__name__, *(f"{name}={value!r}" for name, value in simple)]
    lines = [prefix + " ".join(words)]
    for name, value in deep:
        lines += _outline(value, f"{indent}    {name}: ")
    return lines
