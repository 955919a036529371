"""What a run computes on: one device, or several that share every batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from specc.frontend.diagnostics import Fault
from specc.ir.graph import Network
from specc.recipe.devices import copied_though_placed
from specc.targets.facts import DeviceMissing
from specc.targets.torch.devices import is_there, present
from specc.training.metrics import Output


def training_devices(network: Network, named: Sequence[str]) -> list[torch.device]:
    """The devices that a recipe's ``devices`` stands for; the best one there is where it is empty.

    Raises Fault with DeviceMissing where one is not there, and with ConflictingSettings where there
    are several and the network puts its own parts on devices.
    """
    there = present()
    found: list[str] = []
    for name in named:
        every = [device for device in there if device.startswith(f"{name[:-2]}:")]
        chosen = every if name.endswith(":*") else [name] if is_there(name) else []
        if not chosen:
            raise Fault(DeviceMissing(name="devices", candidates=(name,), present=tuple(there)))
        found += chosen
    if not named:
        found = ["cuda" if torch.cuda.is_available() else "cpu"]
    if (
        fact := copied_though_placed([device.name for device in network.devices], named)
    ) is not None:
        raise Fault(fact)
    return [torch.device(name) for name in dict.fromkeys(found)]


class Replicas:
    """A module on several devices, each of which takes a part of the batch.

    The parameters are those of ``model``, on the first device; the others are given copies at each
    call, through which their gradients flow back and add up. So an update is that of the whole
    batch on one device. What depends on a batch as a whole, the statistics of BatchNorm, is of each
    part by itself, and the first device's is kept, as in torch.nn.DataParallel.
    """

    def __init__(self, model: nn.Module, devices: Sequence[torch.device]) -> None:
        self._model = model
        self._devices = devices

    def __call__(self, x_B: Tensor) -> Output:
        """The outputs for a batch, on the first device."""
        parts = x_B.chunk(len(self._devices))
        found = [self._on(d, x) for d, x in zip(self._devices, parts, strict=False)]
        if isinstance(found[0], Tensor):
            return torch.cat([self._home(z) for z in found])
        columns = zip(*found, strict=True)
        return tuple(torch.cat([self._home(z) for z in column]) for column in columns)

    def _on(self, device: torch.device, x: Tensor) -> Any:
        if device == self._devices[0]:
            return self._model(x)
        model = self._model
        copies = {name: p.to(device) for name, p in model.named_parameters()}
        copies |= {name: b.to(device, copy=True) for name, b in model.named_buffers()}
        return functional_call(model, copies, (x.to(device),))

    def _home(self, z: object) -> Tensor:
        assert isinstance(z, Tensor)
        return z.to(self._devices[0])
