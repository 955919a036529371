"""Scopes: names to values, with what is needed to tell an unused binding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from specc.frontend.source import Span


@dataclass
class Binding:
    """A value under a name. ``span`` is where an assignment bound it, None for anything else."""

    value: Any
    span: Span | None = None


@dataclass
class Scope:
    """Names of one definition, comprehension or file, and the scope around it."""

    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)

    def find(self, name: str) -> Binding | None:
        """The innermost binding of ``name``."""
        scope: Scope | None = self
        while scope is not None:
            binding = scope.names.get(name)
            if binding is not None:
                return binding
            scope = scope.parent
        return None

    @property
    def is_local(self) -> bool:
        """Whether this is a definition's or a comprehension's: neither a file's nor the prelude."""
        return self.parent is not None and self.parent.parent is not None

    def local(self, name: str) -> Binding | None:
        """The innermost binding of ``name`` within the definition."""
        scope: Scope | None = self
        while scope is not None and scope.is_local:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def bind(self, name: str, value: Any, span: Span | None = None) -> None:
        """Binds ``name`` here."""
        self.names[name] = Binding(value, span)

    def visible(self) -> Iterator[str]:
        """All names that can be seen from here, inner ones first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent
