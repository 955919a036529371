"""Invariants of devices: what is named is declared, and what a node reads is where it runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from specc.invariants.problem import Finding, node_at, quoted, template_at
from specc.invariants.view import View
from specc.ir.devices import problem_with_device
from specc.ir.graph import (
    HERE,
    Application,
    BlockLayer,
    Branch,
    CapturedLayer,
    Loop,
    Operation,
    OperatorLayer,
    Read,
    Region,
    Scan,
    Template,
    Transfer,
    Write,
)
from specc.ir.walk import every_node, steps

Findings = Iterator[Finding]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")


def devices_are_declared(view: View) -> Findings:
    """A logical device is declared once, with devices that there can be, before it is named."""
    network = view.network
    for name, count in Counter(device.name for device in network.devices).items():
        if count > 1 or not _NAME.fullmatch(name):
            problem = "is declared twice" if count > 1 else "is no name of a device"
            yield Finding("the devices", f"{quoted(name)} {problem}")
    for device in network.devices:
        wrong = [name for name in device.alternatives if problem_with_device(name) is not None]
        if wrong or not device.alternatives:
            what = quoted(wrong[0]) if wrong else "nothing"
            yield Finding("the devices", f"{quoted(device.name)} cannot be on {what}")
    known = {HERE, *(device.name for device in network.devices)}
    for index, template in enumerate(network.templates):
        where = template_at(network, index)
        for name in _named(template):
            if name not in known:
                yield Finding(where, f"no device is called {quoted(name)}")


def _named(template: Template) -> Iterator[str]:
    yield from (state.device for state in template.state)
    for layer in template.layers.values():
        if not isinstance(layer, CapturedLayer):
            yield layer.device
    for node in every_node(template.body):
        if isinstance(node, Operation | Application | Transfer):
            yield node.device


def operands_are_in_place(view: View) -> Findings:
    """A node's operands are on the device that it runs on, and a layer is applied where it is."""
    order, _ = view.children_first
    given: dict[int, list[str | None]] = {}
    for index in order:
        walk = _Walk(view, index, given)
        yield from walk.run()
        body = view.network.templates[index].body
        given[index] = [walk.places.get(value) for value in body.results]


class _Walk:
    """Follows one template's values from device to device.

    A device is None where the body does not say it: that of a layer which is handed in, say.
    """

    def __init__(self, view: View, index: int, given: dict[int, list[str | None]]) -> None:
        self.view = view
        self.index = index
        self.template = view.network.templates[index]
        self.given = given
        self.places: dict[int, str | None] = {v.id: HERE for v in self.template.body.inputs}

    def run(self) -> Findings:
        for step in steps(self.template.body):
            if step[0] not in ("begin", "end"):
                continue
            node = step[2]
            if step[0] == "begin" and isinstance(node, Loop):
                for region in (node.condition, node.body):
                    self._carry(region, node.inputs)
            elif step[0] == "begin" and isinstance(node, Scan):
                self._carry(node.body, (*node.sequences, *node.inputs))
            if (step[0] == "end") is isinstance(node, Loop | Branch | Scan):
                for text in self._node(node):
                    yield Finding(node_at(self.view.network, self.index, step[1]), text)

    def _carry(self, region: Region, inputs: tuple[int, ...]) -> None:
        for value, given in zip(region.inputs, inputs, strict=False):
            self.places[value.id] = self.places.get(given)

    def _node(self, node: object) -> Iterator[str]:
        match node:
            case Operation():
                yield from self._require(node.inputs, node.device)
                self.places |= {value.id: node.device for value in node.results}
            case Transfer():
                self.places |= {value.id: node.device for value in node.results}
            case Application():
                yield from self._application(node)
            case Read():
                self.places |= {value.id: self._state(node.path) for value in node.results}
            case Write():
                yield from self._require((node.value,), self._state(node.name))
            case Branch():
                yield from self._sides(node)
            case Loop():
                yield from self._turns(node)
            case Scan():
                yield from self._positions(node)

    def _require(self, values: tuple[int, ...], device: str | None) -> Iterator[str]:
        for value in values:
            found = self.places.get(value)
            if found is not None and device is not None and found != device:
                yield f"value {value} is {_on(found)}, and is wanted {_on(device)}"

    def _application(self, node: Application) -> Iterator[str]:
        yield from self._require((*node.inputs, *node.borrowed.values()), node.device)
        layer = self.template.layers.get(node.layer)
        results: list[str | None] = [None] * len(node.results)
        if isinstance(layer, OperatorLayer | BlockLayer) and layer.device != node.device:
            yield f"layer {quoted(node.layer)} is {_on(layer.device)}, not {_on(node.device)}"
        if isinstance(layer, OperatorLayer):
            results = [node.device] * len(node.results)
        elif isinstance(layer, BlockLayer):
            inner = self.given.get(layer.template, results)
            results = [node.device if place == HERE else place for place in inner]
        self.places |= {v.id: place for v, place in zip(node.results, results, strict=False)}

    def _state(self, path: str) -> str | None:
        for state in self.template.state:
            if state.name == path:
                return state.device
        layer = self.template.layers.get(path.rpartition(".")[0])
        return layer.device if isinstance(layer, OperatorLayer) else None

    def _sides(self, node: Branch) -> Iterator[str]:
        pairs = zip(node.results, node.then.results, node.otherwise.results, strict=False)
        for value, first, second in pairs:
            place = self.places[value.id] = self.places.get(first)
            yield from self._require((second,), place)

    def _turns(self, node: Loop) -> Iterator[str]:
        triples = zip(node.results, node.inputs, node.body.results, strict=False)
        for value, before, after in triples:
            place = self.places[value.id] = self.places.get(before)
            yield from self._require((after,), place)

    def _positions(self, node: Scan) -> Iterator[str]:
        for value, after in zip(node.results, node.body.results, strict=False):
            self.places[value.id] = self.places.get(after)
        states = node.body.results[len(node.body.results) - len(node.inputs) :]
        for before, after in zip(node.inputs, states, strict=False):
            yield from self._require((after,), self.places.get(before))


def _on(device: str) -> str:
    return f"on {quoted(device)}" if device else "where the body is"
