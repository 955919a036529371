"""Names that are bound and never read, also not in a branch that was not taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass

from specc.elaborate.context import Context
from specc.elaborate.facts import UnusedBinding
from specc.frontend import syntax


def warn_of_unused(context: Context) -> None:
    """Warns of each name that nothing reads; one that begins with ``_`` is left alone."""
    unused = {
        span: name
        for span, name in context.assigned.items()
        if span not in context.used and not name.startswith("_")
    }
    if not unused:
        return
    read = _names_in(context.skipped.values())
    for span, name in unused.items():
        if (span.file, name) not in read:
            context.report.add(UnusedBinding(where=span, name=name))


def _names_in(nodes: Iterable[object]) -> set[tuple[int, str]]:
    """The names that are read below syntax nodes, each with the file that it stands in."""
    names: set[tuple[int, str]] = set()
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, syntax.Name):
            names.add((node.span.file, node.name))
        elif isinstance(node, syntax.Assignment):
            pending.append(node.value)  # its targets are bound, not read
        elif isinstance(node, tuple):
            pending += node
        elif is_dataclass(node):
            pending += [getattr(node, field.name) for field in fields(node)]
    return names
