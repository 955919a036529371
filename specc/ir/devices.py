"""Devices: what can be named (``cpu``, ``cuda:1``), and what a network puts where.

What a machine has is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from specc.ir.graph import HERE, BlockLayer, Network, OperatorLayer, Template
from specc.ir.walk import every_node

KINDS: tuple[str, ...] = ("cpu", "cuda", "mps", "xpu")
"""The kinds of devices that a file may name, as PyTorch calls them."""

MAX_INDEX = 127  # PyTorch keeps the number in a byte

_NAME = re.compile(rf"({'|'.join(KINDS)})(?::(0|[1-9][0-9]{{0,2}}))?")


def problem_with_device(name: str) -> str | None:
    """Why ``name`` is no device; None where it is one."""
    found = _NAME.fullmatch(name)
    if found is None:
        return f"a device is one of {', '.join(KINDS)}, or one with a number: cuda:1"
    kind, index = found.groups()
    if index is not None and (kind == "cpu" or int(index) > MAX_INDEX):
        return "there is one cpu" if kind == "cpu" else f"numbers go up to {MAX_INDEX}"
    return None


def devices_named(network: Network) -> list[frozenset[str]]:
    """For each template the devices that it names itself or through its blocks."""
    own = [frozenset(_named_in(template)) for template in network.templates]
    done: dict[int, frozenset[str]] = {}
    pending = [(index, False) for index in range(len(own))]
    while pending:
        index, expanded = pending.pop()
        if index in done:
            continue
        layers = network.templates[index].layers.values()
        inner = [layer.template for layer in layers if isinstance(layer, BlockLayer)]
        if expanded:
            done[index] = own[index].union(*(done[i] for i in inner))
        else:
            pending.append((index, True))
            pending += [(i, False) for i in inner if i not in done]
    return [done[index] for index in range(len(own))]


def _named_in(template: Template) -> set[str]:
    found = {state.device for state in template.state}
    for layer in template.layers.values():
        if isinstance(layer, OperatorLayer | BlockLayer):
            found.add(layer.device)
    for node in every_node(template.body):
        found.add(getattr(node, "device", HERE))
    return found - {HERE}


def blocks_placed(network: Network) -> dict[str, tuple[int, str]]:
    """For the full name of each block: its template, and the device that it is on."""
    found: dict[str, tuple[int, str]] = {}
    pending = [("", network.root, HERE)]
    while pending:
        path, index, device = pending.pop()
        found[path] = (index, device)
        for name, layer in network.templates[index].layers.items():
            if isinstance(layer, BlockLayer):
                full = f"{path}.{name}" if path else name
                pending.append((full, layer.template, layer.device or device))
    return found


def devices_of_parameters(network: Network) -> Mapping[str, str]:
    """The device of each parameter, buffer and constant, by its full name."""
    owners: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, (index, device) in blocks_placed(network).items():
        template = network.templates[index]
        owners[path] = device
        for name, layer in template.layers.items():
            full = f"{path}.{name}" if path and name else path or name
            if isinstance(layer, OperatorLayer):
                owners[full] = layer.device or device
        for state in template.state:
            full = f"{path}.{state.name}" if path else state.name
            found[full] = state.device or device
    for parameter in network.parameters:
        owner = parameter.name[: -len(parameter.slot) - 1]
        found.setdefault(parameter.name, owners.get(owner, HERE))
    return found
