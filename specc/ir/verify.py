"""What must hold of every network, checked after every stage and before every target."""

from __future__ import annotations

from specc.ir.graph import Network


def verify_network(network: Network) -> str | None:
    """The first invariant that ``network`` breaks, in words; None where it is sound."""
    return None
