"""Whether an argument of a sample has an effect, found by leaving it out."""

from __future__ import annotations

from typing import Any

import numpy as np

from specc.frontend.diagnostics import Fault
from specc.targets.onnx import DEFAULT_OPSET
from specc.targets.torch import to_numpy
from specc.testing.cases import Case
from specc.testing.parity import NoKernel, NoLibrary, checked_onnx, run_onnx, session
from specc.testing.torch_runs import Run, run_emitted, run_reference


def differs(case: Case, argument: str) -> bool:
    """Whether PyTorch in evaluation gives something else, or another state, with the default."""
    other = case.with_default(argument)
    if not _is_accepted(other) or _structure(case) != _structure(other):
        return True
    sizes = case.sizes[-1]
    one, two = (run_reference(each, sizes).results for each in (case, other))
    return _differ([to_numpy(t) for t in one], [to_numpy(t) for t in two])


def differs_in_onnx(case: Case, argument: str) -> bool:
    """Whether onnxruntime gives something else with the default; where it can run the sample.

    Raises NoLibrary where it can run no sample of the operator.
    """
    other = case.with_default(argument)
    if not _is_accepted(other) or _structure(case) != _structure(other):
        return True
    sizes = case.sizes[-1]
    try:
        one, two = (
            run_onnx(session(checked_onnx(each, DEFAULT_OPSET), each), each, sizes)
            for each in (case, other)
        )
    except NoLibrary:
        raise
    except NoKernel:
        return False
    return _differ(one, two)


def differs_while_training(case: Case, argument: str) -> bool:
    """Whether results, gradients or buffers in train mode are others with the default."""
    sizes = case.sizes[-1]
    runs = (run_emitted(each, sizes, training=True) for each in (case, case.with_default(argument)))
    one, two = (_arrays(run) for run in runs)
    return _differ(one, two)


def _arrays(run: Run) -> list[np.ndarray[Any, Any]]:
    named = {**run.gradients, **run.buffers}
    tensors = [*run.results, *(named[name] for name in sorted(named))]
    return [np.zeros(0) if tensor is None else to_numpy(tensor) for tensor in tensors]


def _is_accepted(case: Case) -> bool:
    try:
        return bool(case.applied.results)
    except Fault:
        return False


def _structure(case: Case) -> Any:
    """Result types, and the state with its initial values."""
    state = [(value.slot.name, value.type, value.initializer) for value in case.state]
    return case.applied.results, state


def _differ(one: list[np.ndarray[Any, Any]], two: list[np.ndarray[Any, Any]]) -> bool:
    return any(
        a.shape != b.shape or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(one, two, strict=True)
    )
