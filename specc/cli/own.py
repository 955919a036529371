"""``--ops MODULE:ATTRIBUTE``: a host's own operators, which the user names and no file can."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from functools import cache

from specc.cli.codes import CommandError
from specc.elaborate.files import prelude
from specc.frontend.facts import did_you_mean
from specc.ops.operator import Operator
from specc.ops.registry import operators_with


def own_operators(names: Sequence[str]) -> tuple[Operator, ...]:
    """The operators behind ``names``, each once. Raises CommandError where one is none.

    Modules are looked for in the current folder too, as by ``python -m``.
    """
    found = tuple(dict.fromkeys(one for name in names for one in _operators(name)))
    try:
        prelude(operators_with(found))
    except ValueError as error:
        raise CommandError(f"--ops: {error}") from None
    return found


@cache
def _operators(name: str) -> tuple[Operator, ...]:
    module_name, _, attribute = name.partition(":")
    module = _imported(module_name, name)
    value: object = module
    for part in attribute.split("."):
        if not hasattr(value, part):
            known = [one for one in dir(value) if isinstance(getattr(value, one), Operator | list)]
            advice = did_you_mean(part, known) or "it is written MODULE:ATTRIBUTE"
            raise CommandError(f"--ops {name}: {module_name!r} has no {part!r}; {advice}")
        value = getattr(value, part)
    listed = tuple(value) if isinstance(value, list | tuple) else (value,)
    for one in listed:
        if not isinstance(one, Operator):
            kind = type(one).__name__
            raise CommandError(
                f"--ops {name}: this is a {kind}, no operator, nor a list of them; "
                "`specc.op` makes one"
            )
    return listed


def _imported(module: str, name: str) -> object:
    """A module, which is the user's own code: whatever it raises is told as its own failure."""
    here = os.getcwd()  # noqa: PTH109 - what sys.path holds are strings
    if here not in sys.path:
        sys.path.append(here)  # last: no file there stands in for a module that is installed
    try:
        return importlib.import_module(module)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise CommandError(f"--ops {name}: {module!r} cannot be imported: {reason}") from error
