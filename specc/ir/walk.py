"""Walks over a body with all regions inside it, without recursion."""

from __future__ import annotations

from collections.abc import Iterator

from specc.ir.graph import Branch, Loop, Node, Region, Value


def regions_of(node: Node) -> tuple[Region, ...]:
    """The regions of a node, in the order in which they are written; most nodes have none."""
    if isinstance(node, Branch):
        return (node.then, node.otherwise)
    if isinstance(node, Loop):
        return (node.condition, node.body)
    return ()


def every_node(region: Region) -> Iterator[Node]:
    """The nodes of ``region`` in order, each before those inside it.

    The position of a node in this order is what a body's nodes are told apart by.
    """
    pending = list(region.nodes[::-1])
    while pending:
        node = pending.pop()
        yield node
        for inner in reversed(regions_of(node)):
            pending.extend(inner.nodes[::-1])


def every_value(region: Region) -> Iterator[Value]:
    """The inputs of ``region`` and the results of its nodes, those inside its nodes among them."""
    yield from region.inputs
    for node in every_node(region):
        for inner in regions_of(node):
            yield from inner.inputs
        yield from node.results
