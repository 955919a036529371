"""Runs a case on PyTorch: straight from the entry's data, and as the emitted source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from specc.targets.torch import module as emitted_module
from specc.targets.torch import to_torch
from specc.testing.cases import Array, Case, generator
from specc.testing.interpret import Interpreter


@dataclass
class Run:
    """What one run gave: results, gradients of inputs and parameters, buffers afterwards."""

    results: list[torch.Tensor]
    gradients: dict[str, torch.Tensor | None]
    buffers: dict[str, torch.Tensor]


def run_reference(case: Case, sizes: Mapping[str, int], *, training: bool = False) -> Run:
    """PyTorch from the entry's data: its function, or its class where there is no function."""
    if case.operator.torch.function is not None:
        return run_function(case, sizes, training=training)
    found = run_module(case, sizes, training=training)
    assert found is not None
    return found


def run_function(case: Case, sizes: Mapping[str, int], *, training: bool = False) -> Run:
    """The entry's function lowering on PyTorch."""
    operands, state = _operands(case, sizes), _state(case)
    torch.manual_seed(0)
    results = Interpreter(case, sizes, operands, state, training).function()
    return _finish(results, operands, state)


def run_module(case: Case, sizes: Mapping[str, int], *, training: bool = False) -> Run | None:
    """The torch.nn module that the entry names; None where it names none."""
    operands = _operands(case, sizes)
    module = Interpreter(case, sizes, operands, {}, training).module()
    if module is None:
        return None
    state = {name: to_torch(array) for name, array in _by_slot(case.weights()).items()}
    module.load_state_dict(state, assign=True)
    return _run(module, operands)


def run_emitted(
    case: Case,
    sizes: Mapping[str, int],
    *,
    training: bool = False,
    as_layer: bool | None = None,
) -> Run:
    """The emitted source, executed, with state called as its slots are."""
    network = case.network(as_layer=as_layer)
    module = emitted_module(network, weights=case.weights(), operators=case.table).train(training)
    run = _run(module, _operands(case, sizes))
    return Run(run.results, _by_slot(run.gradients), _by_slot(run.buffers))


def _by_slot(values: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix("layer."): value for name, value in values.items()}


def _operands(case: Case, sizes: Mapping[str, int]) -> list[torch.Tensor]:
    """The drawn inputs; they ask for gradients where a layer of the entry's own has any to show."""
    tensors = [to_torch(array) for array in case.inputs(sizes)]
    return [t.requires_grad_(case.learns and t.is_floating_point()) for t in tensors]


def _state(case: Case) -> dict[str, torch.Tensor]:
    """Parameters and buffers by slot."""
    state = {}
    for value in case.state:
        tensor = to_torch(case.weights()[f"layer.{value.slot.name}"])
        trained = value.slot.role == "parameter" and tensor.is_floating_point()
        state[value.slot.name] = tensor.requires_grad_(trained)
    return state


def _run(module: nn.Module, operands: list[torch.Tensor]) -> Run:
    torch.manual_seed(0)
    results = module(*operands)
    return _finish(
        results, operands, {**dict(module.named_parameters()), **dict(module.named_buffers())}
    )


def _finish(results: Any, operands: list[torch.Tensor], state: Mapping[str, torch.Tensor]) -> Run:
    found = list(results) if isinstance(results, tuple | list) else [results]
    roots = [result for result in found if result.requires_grad]
    if roots:
        cotangents = [to_torch(_cotangent(root)).to(root.dtype) for root in roots]
        torch.autograd.backward(roots, cotangents)
    inputs = {f"x{i}": operand for i, operand in enumerate(operands)}
    return Run(
        [result.detach() for result in found],
        {name: t.grad for name, t in {**inputs, **state}.items() if t.requires_grad},
        {name: t.detach() for name, t in state.items() if not t.requires_grad},
    )


def _cotangent(result: torch.Tensor) -> Array:
    return np.asarray(generator(*result.shape).normal(size=tuple(result.shape)))
