"""Which of a network's tensors the ``freeze`` of a recipe stands for."""

from __future__ import annotations

from collections.abc import Sequence

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import UnusedPattern
from specc.frontend.source import Span
from specc.ir.graph import Network
from specc.ir.patterns import nearest_to_pattern, pattern_matches


def unused(pattern: str, names: Sequence[str], where: Span | None = None) -> UnusedPattern | None:
    """What is wrong with a pattern that none of ``names`` matches; None where one does."""
    if any(pattern_matches(pattern, name) for name in names):
        return None
    return UnusedPattern(where=where, pattern=pattern, nearest=nearest_to_pattern(pattern, names))


def frozen_names(network: Network) -> frozenset[str]:
    """The tensors that the network's recipe freezes, by their owners' names.

    A shared one is frozen by a pattern for any of its names. Raises Fault with UnusedPattern.
    """
    patterns = () if network.recipe is None else network.recipe.freeze
    owner_of = {parameter.name: parameter.name for parameter in network.parameters}
    owner_of |= network.aliases
    for pattern in patterns:
        if (fact := unused(pattern, list(owner_of))) is not None:
            raise Fault(fact)
    return frozenset(
        owner
        for name, owner in owner_of.items()
        if any(pattern_matches(pattern, name) for pattern in patterns)
    )
