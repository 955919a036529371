"""Walks over a body with all regions inside it, without recursion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from specc.ir.graph import (
    Branch,
    Loop,
    Network,
    Node,
    Operation,
    OperatorLayer,
    Region,
    Scan,
    Template,
    Value,
)

Step: TypeAlias = (
    tuple[Literal["enter", "leave"], int, Region] | tuple[Literal["begin", "end"], int, Node]
)
"""What a walk comes by, with the position of the node: of a region, of the node that holds it."""


def regions_of(node: Node) -> tuple[Region, ...]:
    """The regions of a node, in the order in which they are written; most nodes have none."""
    if isinstance(node, Branch):
        return (node.then, node.otherwise)
    if isinstance(node, Loop):
        return (node.condition, node.body)
    if isinstance(node, Scan):
        return (node.body,)
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


def operators_in(template: Template) -> list[str]:
    """The operators that a template names, each once, in order: its layers' and its body's."""
    layers = [one.operator for one in template.layers.values() if isinstance(one, OperatorLayer)]
    nodes = [node.operator for node in every_node(template.body) if isinstance(node, Operation)]
    return list(dict.fromkeys([*layers, *nodes]))


def operators_of(network: Network) -> frozenset[str]:
    """The operators that a network names."""
    return frozenset(name for template in network.templates for name in operators_in(template))


def steps(body: Region) -> Iterator[Step]:
    """A walk that sees scopes: regions are entered and left, nodes begin and end around theirs.

    ``body`` itself is at position -1.
    """
    position = -1
    pending: list[Step] = [("enter", -1, body)]
    while pending:
        step = pending.pop()
        if step[0] == "enter":
            _, at, region = step
            pending.append(("leave", at, region))
            pending += [("begin", 0, node) for node in region.nodes[::-1]]
        elif step[0] == "begin":
            position += 1
            node = step[2]
            step = ("begin", position, node)
            pending.append(("end", position, node))
            pending += [("enter", position, region) for region in regions_of(node)[::-1]]
        yield step


def every_value(region: Region) -> Iterator[Value]:
    """The inputs of ``region`` and the results of its nodes, those inside its nodes among them."""
    yield from region.inputs
    for node in every_node(region):
        for inner in regions_of(node):
            yield from inner.inputs
        yield from node.results
