"""Parameters and buffers that a run leaves as they are."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from specc.ir.graph import Network


def freeze(model: nn.Module, network: Network, frozen: Collection[str]) -> None:
    """Asks for no gradient of the parameters of those names, so that no optimizer knows them."""
    for parameter in network.parameters:
        if parameter.role == "parameter" and parameter.name in frozen:
            model.get_parameter(parameter.name).requires_grad_(False)


def train_mode(model: nn.Module, frozen: Collection[str]) -> None:
    """Train mode, but for the layers of a frozen buffer, which run as in eval mode.

    So a frozen BatchNorm normalizes with the statistics that it has, and its blocks' own layers
    are not touched: only the module that sets the buffer is.
    """
    model.train()
    buffers = dict(model.named_buffers())
    for name in frozen:
        if name in buffers:
            model.get_submodule(name.rpartition(".")[0]).training = False
