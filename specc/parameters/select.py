"""Parameters by a pattern of names."""

from __future__ import annotations

from collections.abc import Sequence

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnusedPattern
from specc.ir.patterns import nearest_to_pattern, pattern_matches
from specc.parameters.info import ParameterInfo


def select(
    parameters: Sequence[ParameterInfo], pattern: str | None = None
) -> tuple[ParameterInfo, ...]:
    """Those that bear a name, be it an alias, that ``pattern`` stands for; all for None.

    Raises Fault with UnusedPattern where there is none.
    """
    if pattern is None:
        return tuple(parameters)
    found = tuple(p for p in parameters if any(pattern_matches(pattern, name) for name in p.names))
    if not found:
        names = [name for parameter in parameters for name in parameter.names]
        raise Fault(UnusedPattern(pattern=pattern, nearest=nearest_to_pattern(pattern, names)))
    return found
