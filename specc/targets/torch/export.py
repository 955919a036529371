"""What torch.export has to be told of a network: which dims may change."""

from __future__ import annotations

from typing import Any

from specc.ir.graph import Network
from specc.targets.python import argument_names
from specc.targets.python.checks import conditions


def dynamic_shapes(network: Network) -> dict[str, dict[int, Any]]:
    """Every symbolic dim of every input as dynamic, for ``torch.export.export``.

    By the module's argument and axis. torch takes sizes of 0 and 1 for special ones, so the inputs
    to export with should have 2 or more along each of these axes.

    >>> import specc, torch
    >>> program = specc.compile("net Double(x: [N, 3]) -> [N, 3] { x * 2 }")
    >>> shapes = dynamic_shapes(program.network)
    >>> exported = torch.export.export(
    ...     program.module(), (torch.ones(2, 3),), dynamic_shapes=shapes
    ... )
    >>> exported.module()(torch.ones(5, 3)).shape
    torch.Size([5, 3])
    """
    from torch.export import Dim  # slow to import, and asked for here alone

    bounds = {
        condition.left: condition.right for condition in conditions(network) if condition.is_bound
    }
    inputs = network.templates[network.root].body.inputs
    return {
        name: {
            axis: Dim.DYNAMIC(min=bounds[dim]) if dim in bounds else Dim.DYNAMIC
            for axis, dim in enumerate(value.type.shape)
            if not isinstance(dim, int)
        }
        for name, value in zip(argument_names(network), inputs, strict=True)
    }
