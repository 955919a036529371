"""How large a network becomes once its templates are expanded; counted before anything is."""

from __future__ import annotations

from collections.abc import Iterator

from specc.invariants.activations import Activation
from specc.invariants.bounds import MAX_DEPTH, MAX_NODES
from specc.invariants.problem import Finding, template_at
from specc.invariants.view import View
from specc.ir.graph import BlockLayer
from specc.ir.walk import steps


def layers_are_bounded(view: View) -> Iterator[Finding]:
    """Templates that hold templates many times multiply; their layers stay within bounds."""
    templates = view.network.templates
    layers, depths = [0] * len(templates), [0] * len(templates)
    for index in view.children_first[0]:
        template = templates[index]
        inner = [layer for layer in template.layers.values() if isinstance(layer, BlockLayer)]
        depths[index] = 1 + max((depths[layer.template] for layer in inner), default=0)
        layers[index] = len(template.layers) + sum(layers[layer.template] for layer in inner)
        where = template_at(view.network, index)
        if depths[index] > MAX_DEPTH:
            yield Finding(where, f"its layers nest more than {MAX_DEPTH} deep")
            return
        if layers[index] > MAX_NODES:
            yield Finding(where, f"it holds more than {MAX_NODES:,} layers")
            return


def applications_end(view: View) -> Iterator[Finding]:
    """No activation leads back to itself through a layer that is handed in, nor too deep."""
    order, waiting = _inner_first(view.exploration.activations)
    for activation in waiting[:1]:
        yield Finding(template_at(view.network, activation.index), "it applies itself")
    nodes: dict[Activation, int] = {}
    depths: dict[Activation, int] = {}
    for activation in order:
        inner = activation.inner.values()
        nodes[activation] = view.node_count(activation.index) + sum(nodes[i] for i in inner)
        depths[activation] = 1 + max(_depths(activation, depths), default=0)
        where = template_at(view.network, activation.index)
        if nodes[activation] > MAX_NODES:
            yield Finding(where, f"it expands to more than {MAX_NODES:,} nodes")
            return
        if depths[activation] > MAX_DEPTH:
            yield Finding(where, f"its applications and regions nest more than {MAX_DEPTH} deep")
            return


def _depths(activation: Activation, depths: dict[Activation, int]) -> Iterator[int]:
    """How deep each node of an activation reaches: its regions, and what it applies."""
    around = 0
    for step, position, _ in steps(activation.template.body):
        if position >= 0 and step == "enter":
            around += 1
        elif position >= 0 and step == "leave":
            around -= 1
        elif step == "begin":
            inner = activation.inner.get(position)
            yield around + (0 if inner is None else depths[inner])


def _inner_first(activations: list[Activation]) -> tuple[list[Activation], list[Activation]]:
    """Activations, each after those inside it, and those that hold themselves."""
    users: dict[Activation, list[Activation]] = {activation: [] for activation in activations}
    waiting = {activation: len(activation.inner) for activation in activations}
    for activation in activations:
        for inner in activation.inner.values():
            users[inner].append(activation)
    ready = [activation for activation, count in waiting.items() if not count]
    order = []
    while ready:
        activation = ready.pop()
        order.append(activation)
        for user in users[activation]:
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return order, [activation for activation, count in waiting.items() if count]
