"""Logical devices bound to those that a machine has, and what is on each put there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import nn

from specc.elaborate.facts import UnknownDevice
from specc.frontend.diagnostics import Fault
from specc.ir.devices import blocks_placed, problem_with_device
from specc.ir.graph import HERE, DeviceDeclaration, Network
from specc.ops.operator import Operator
from specc.targets.facts import DeviceMissing
from specc.targets.python import anchors

Bound: TypeAlias = Mapping[str, torch.device]


def bind(network: Network, given: Mapping[str, str] | None = None) -> Bound:
    """The physical device for each logical one: the given one, or the first that is there.

    Raises a Fault with UnknownDevice for a name that the network has not, and DeviceMissing.
    """
    given = given or {}
    known = [device.name for device in network.devices]
    for name in given:
        if name not in known:
            raise Fault(UnknownDevice(name=name, known=tuple(known)))
    return {d.name: first_present(d, given.get(d.name)) for d in network.devices}


def first_present(device: DeviceDeclaration, chosen: str | None = None) -> torch.device:
    """The chosen device, or the first of its fallbacks that is there.

    Raises a Fault with DeviceMissing where none is.
    """
    candidates = device.alternatives if chosen is None else (str(chosen),)
    for candidate in candidates:
        if is_there(candidate):
            return torch.device(candidate)
    raise Fault(
        DeviceMissing(
            where=device.span if chosen is None else None,
            name=device.name,
            candidates=candidates,
            present=tuple(present()),
        )
    )


def is_there(name: str) -> bool:
    """Whether this machine has a device."""
    if problem_with_device(name) is not None:
        return False
    device = torch.device(name)
    return device.type == "cpu" or (device.index or 0) < _count(device.type)


def present() -> list[str]:
    """The devices of this machine: ``cpu``, ``cuda:0``."""
    return ["cpu", *(f"{k}:{i}" for k in ("cuda", "mps", "xpu") for i in range(_count(k)))]


def _count(kind: str) -> int:
    backend = getattr(torch, kind)  # torch.cuda, torch.mps, torch.xpu
    if kind == "mps":
        return int(torch.backends.mps.is_available())
    return int(backend.device_count()) if backend.is_available() else 0


def describe(name: str) -> str:
    """What a device is: ``NVIDIA H100 80GB HBM3, 79.1 GiB``; empty where nothing more is known."""
    device = torch.device(name)
    if device.type != "cuda":
        return ""
    properties = torch.cuda.get_device_properties(device)
    return f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB"


def place_anchors(
    made: nn.Module,
    network: Network,
    bound: Bound,
    home: str | torch.device | None,
    operators: Mapping[str, Operator] | None = None,
) -> None:
    """Puts the tensors by which a module knows its devices on those devices."""
    own = anchors(network, operators)
    if not own:
        return
    for path, (template, device) in blocks_placed(network).items():
        for wanted, name in own.get(template, {}).items():
            there = bound[wanted or device] if wanted or device != HERE else home
            setattr(made.get_submodule(path), name, torch.empty(0, device=there))
