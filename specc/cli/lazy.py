"""Modules that a library imports and this command has no use for, loaded if something has."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


@contextmanager
def lazily(*names: str) -> Iterator[None]:
    """Modules of these names that are imported inside are loaded when they are first read from.

    >>> import sys
    >>> _ = sys.modules.pop("this", None)
    >>> with lazily("this"):
    ...     import this
    >>> len(this.s)
    The Zen of Python, by Tim Peters
    ...
    856
    """
    finder = _Finder(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    """Finds some modules as Python does, and lets them load later."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's spec, None for a name that is none of them."""
        spec = PathFinder.find_spec(name, path, target) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec
