"""The graphs inside Loop and If nodes: what they read from around them, and their attributes.

A subgraph sees the values of the graphs around it by name. Its own names are unique in the whole
model, since ONNX lets none hide another; weights and constants stay in the main graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import onnx_ir as oir


@dataclass(frozen=True)
class Subgraph:
    """A finished graph inside a node. ``used`` are all values that it reads, its own among them."""

    inputs: tuple[oir.Value, ...]
    nodes: tuple[oir.Node, ...]
    outputs: tuple[oir.Value, ...]
    used: frozenset[oir.Value | None]


Subgraphs: TypeAlias = Mapping[oir.Node, Mapping[str, Subgraph]]
"""For each node that has some, its subgraphs by attribute; inner nodes before outer ones."""


def live(
    nodes: Sequence[oir.Node], outputs: Iterable[oir.Value], subgraphs: Subgraphs
) -> tuple[list[oir.Node], set[oir.Value | None]]:
    """The nodes that the outputs need, in order, and all values that these and theirs read."""
    used: set[oir.Value | None] = set(outputs)
    kept = []
    for node in reversed(nodes):
        if used.intersection(node.outputs):
            used.update(node.inputs)
            for inner in subgraphs.get(node, {}).values():
                used |= inner.used
            kept.append(node)
    return kept[::-1], used


def owners(nodes: Iterable[oir.Node], subgraphs: Subgraphs) -> Iterator[oir.Node]:
    """The nodes that hold subgraphs, at any depth, each after those around it."""
    pending = [node for node in nodes if node in subgraphs][::-1]
    while pending:
        node = pending.pop()
        yield node
        for inner in subgraphs[node].values():
            pending += [inside for inside in inner.nodes if inside in subgraphs][::-1]


def attach(nodes: Iterable[oir.Node], subgraphs: Subgraphs) -> None:
    """Gives nodes, all of them named, their subgraphs as attributes."""
    for node in reversed(list(owners(nodes, subgraphs))):  # a graph is made of finished nodes
        for attribute, inner in subgraphs[node].items():
            name = f"{node.name}/{attribute}"
            graph = oir.Graph(inner.inputs, inner.outputs, nodes=inner.nodes, name=name)
            node.attributes.add(oir.AttrGraph(attribute, graph))
