"""A broken invariant as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from specc.ir.graph import Network

_LONGEST = 80


@dataclass(frozen=True)
class Problem:
    """One place at which a network is unsound: the invariant's name, where, and what is there."""

    invariant: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text} [{self.invariant}]"


class Finding(NamedTuple):
    """A problem before the table gives it the name of its invariant."""

    where: str
    text: str


def quoted(text: str) -> str:
    """A name from a network that may be hostile, cut and made printable."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def template_at(network: Network, index: int) -> str:
    """How a problem calls a template."""
    return f"template {index} ({network.templates[index].name[:_LONGEST]})"


def node_at(network: Network, template: int, position: int) -> str:
    """How a problem calls a node of a body."""
    return f"{template_at(network, template)}, node {position}"
