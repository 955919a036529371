"""Lines of code of a spec and of a reference, counted alike.

A line counts where it holds more than a comment or documentation. A spec's lines are those of its
file and of the definitions that it imports; a reference's, those of the definitions that are named.
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

from specc.compiler import parse_text
from specc.frontend.resources import resource
from specc.frontend.syntax.definitions import (
    FunctionDefinition,
    Import,
    InitializerDefinition,
    ModuleDefinition,
)


def code_lines(text: str) -> int:
    """The lines that are neither blank nor a comment, in .net and in Python."""
    lines = (line.strip() for line in text.splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


def spec_lines(spec: Path) -> int:
    """Those of the file, and of all that it imports."""
    texts = [spec.read_text(encoding="utf-8"), *imported(spec).values()]
    return sum(code_lines(text) for text in texts)


def imported(spec: Path) -> dict[str, str]:
    """The definitions that a spec takes from others, by name, and those that they rest on."""
    found: dict[str, str] = {}
    for definition in parse_text(spec).tree.definitions:
        if isinstance(definition, Import):
            assert definition.module[:1] == ("std",)
            there = _definitions(resource("specs", "/".join(definition.module[1:]) + ".net"))
            wanted = [name.name for name in definition.names]
            while wanted:
                name = wanted.pop(0)
                if name in there and name not in found:
                    found[name] = there[name]
                    wanted += re.findall(r"\w+", there[name])
    return found


def _definitions(spec: Path) -> dict[str, str]:
    """The text of each definition of a file that nothing is imported into."""
    text = spec.read_text(encoding="utf-8")
    found = {}
    for definition in parse_text(spec).tree.definitions:
        assert not isinstance(definition, Import), f"{spec.name} imports, too"
        if isinstance(definition, ModuleDefinition | FunctionDefinition | InitializerDefinition):
            found[definition.name] = text[definition.span.start : definition.span.end]
    return found


def reference_lines(module: str, *names: str) -> int:
    """Those of the classes, functions and tables that ``module`` defines under these names."""
    return definition_lines(inspect.getsource(import_module(module)), *names)


def definition_lines(source: str, *names: str) -> int:
    """As ``reference_lines``, of the text of a module."""
    found = {name: node for node in ast.parse(source).body for name in _names(node)}
    return sum(code_lines(_without_documentation(source, found[name])) for name in names)


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return [name]
        case _:
            return []


def _without_documentation(source: str, node: ast.stmt) -> str:
    """The lines of a definition, decorators included, without strings that are statements."""
    lines = source.splitlines()
    for inner in ast.walk(node):
        match inner:
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
                lines[first - 1 : last] = [""] * (last - first + 1)
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(lines[first - 1 : node.end_lineno])
