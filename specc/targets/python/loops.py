"""Runs of applications that a person writes as ``for layer in self.layers: x = layer(x, mask)``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specc.ir.graph import Application, Read, Region
from specc.ir.walk import every_node, regions_of
from specc.targets.python.realisations import Holder, container_of
from specc.targets.python.structure import Structure

Run = list[Application]


def container_runs(structure: Structure, template: int) -> list[Run]:
    """Applications in a row that pass one value through every layer of an ``nn.ModuleList``.

    It is their first input; what else they take, they all take.
    """
    containers = _containers(structure, template)
    body = structure.templates[template].body
    inner = [region for node in every_node(body) for region in regions_of(node)]
    return [run for region in (body, *inner) for run in _runs(region, containers)]


def _runs(region: Region, containers: Mapping[str, list[str]]) -> list[Run]:
    nodes = [node for node in region.nodes if not isinstance(node, Read)]
    runs: list[Run] = []
    position = 0
    while position < len(nodes):
        first = nodes[position]
        names = containers.get(first.layer, []) if isinstance(first, Application) else []
        run = list(_follow(nodes[position : position + len(names)], names))
        if names and len(run) == len(names):
            runs.append(run)
            position += len(run)
        else:
            position += 1
    return runs


def _containers(structure: Structure, template: int) -> dict[str, list[str]]:
    """For the first layer of each list of two or more, the names of all of them."""
    groups: dict[str, list[str]] = {}
    for name in structure.templates[template].layers:
        prefix, dot, _ = name.rpartition(".")
        if dot:
            groups.setdefault(prefix, []).append(name)
    found: dict[str, list[str]] = {}
    for prefix, names in groups.items():
        inner = [name[len(prefix) + 1 :] for name in names]
        nested = any(other.startswith(f"{prefix}.") and other != prefix for other in groups)
        holders = any(isinstance(structure.realise((template, name)), Holder) for name in names)
        if len(names) > 1 and container_of(inner) == "nn.ModuleList" and not (nested or holders):
            found[names[0]] = names
    return found


def _follow(nodes: Sequence[object], names: list[str]) -> Iterator[Application]:
    """The applications of these layers, as long as each takes the result of the last."""
    last: Application | None = None
    for node, name in zip(nodes, names, strict=False):
        if not isinstance(node, Application) or node.layer != name or node.borrowed:
            return
        if len(node.results) != 1 or not node.inputs:
            return
        if last is not None and (
            node.inputs != (last.results[0].id, *last.inputs[1:]) or node.captured != last.captured
        ):
            return
        yield node
        last = node
