"""How far rounding alone moves the outputs of a module.

An output may be small beside what it is computed from: the mean of ``x - mean(x)`` is nothing but
rounding errors, and two runtimes that both are right have different ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

RUNS = 4


def spread(module: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> list[float]:
    """The greatest change of each output when inputs and state change by a rounding error each.

    It is measured in ``RUNS`` runs. Outputs of integers and bools have 0; so have NaN and
    infinities, which are compared by their places.
    """
    generator = torch.Generator().manual_seed(0)
    expected = _outputs(module, inputs)
    found = [0.0] * len(expected)
    for _ in range(RUNS):
        with _rounded(module, generator):
            moved = _outputs(module, [_nudged(x, generator) for x in inputs])
        for index, (before, after) in enumerate(zip(expected, moved, strict=True)):
            if before.is_floating_point():
                change = (after.double() - before.double()).abs()
                change = change[change.isfinite()]
                found[index] = max(found[index], float(change.max()) if change.numel() else 0.0)
    return found


def _outputs(module: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    results = module(*inputs)
    return [results] if isinstance(results, torch.Tensor) else list(results)


def _nudged(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each element changed by at most its rounding error."""
    if not x.is_floating_point():
        return x
    by = torch.rand(x.shape, generator=generator, dtype=torch.float64) * 2 - 1
    return (x.double() * (1 + by * torch.finfo(x.dtype).eps)).to(x.dtype)


@contextmanager
def _rounded(module: torch.nn.Module, generator: torch.Generator) -> Iterator[None]:
    """The state of a module nudged, and put back behind."""
    state = module.state_dict()
    kept = {name: tensor.clone() for name, tensor in state.items()}
    try:
        for name, tensor in state.items():
            tensor.copy_(_nudged(kept[name], generator))
        yield
    finally:
        for name, tensor in state.items():
            tensor.copy_(kept[name])
