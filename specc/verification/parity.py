"""Parity: the PyTorch module and the ONNX graph of one network give the same answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from specc.frontend.diagnostics import Fault
from specc.infer.session import run, session
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.dims import evaluate
from specc.ir.graph import Network, Port
from specc.ir.types import DType
from specc.targets import torch as target
from specc.targets.onnx.weights import GivenWeights
from specc.targets.torch import to_numpy, to_torch
from specc.verification.facts import ParityFailed, RuntimeRefused
from specc.verification.inputs import Case, cases
from specc.verification.measure import relative_difference
from specc.verification.report import BOUNDS, CaseReport, OutputReport, ParityReport, describe
from specc.weights.fit import fit
from specc.weights.safetensors import Weights

_ORT_ERRORS = tuple(
    error
    for error in vars(ort_errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
)


def verify(
    network: Network,
    model: onnx.ModelProto | bytes | str | Path,
    *,
    weights: GivenWeights | None = None,
    seed: int = 0,
    bounds: Mapping[DType, float] | None = None,
) -> ParityReport:
    """Compares the module in eval mode with onnxruntime on the CPU, at two assignments.

    Args:
        network: What both were made from.
        model: The ONNX model, its bytes, or its file.
        weights: What the model was built with; None for the initial values.
        seed: What the initial values are drawn from; the inputs are drawn from it too.
        bounds: The greatest difference by dtype; ``BOUNDS`` where it says nothing.

    Raises:
        Fault: with ParityFailed, which holds the report; RuntimeRefused if one of the two cannot
            run the network; NoSizes if no sizes meet its conditions; WeightsDoNotFit.
    """
    allowed = {**BOUNDS, **(bounds or {})}
    module = _module(network, weights, seed)
    running = _session(model)
    report = ParityReport(
        tuple(_compare(network, module, running, case, allowed) for case in cases(network, seed))
    )
    if not report.agrees:
        raise Fault(ParityFailed(report=report))
    return report


def _module(network: Network, weights: GivenWeights | None, seed: int) -> torch.nn.Module:
    if weights is None:
        return target.module(network, seed=seed).eval()
    stored = weights if isinstance(weights, Weights) else Weights.of(weights)
    fitting = fit(stored, network.parameters, network.aliases)
    arrays = {name: tensor.read() for name, tensor in fitting.items()}
    for parameter in network.parameters:
        if parameter.name not in arrays:  # a count of batches, which evaluation does not read
            arrays[parameter.name] = np.zeros((), NUMPY_DTYPES[parameter.type.dtype])
    return target.module(network, weights=arrays).eval()


def _session(model: onnx.ModelProto | bytes | str | Path) -> Any:
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model
    try:
        return session(source)
    except _ORT_ERRORS as error:
        raise _refused("onnxruntime", "", error) from error


def _compare(
    network: Network,
    module: torch.nn.Module,
    running: Any,
    case: Case,
    bounds: Mapping[DType, float],
) -> CaseReport:
    at = describe(case.sizes)
    try:
        answers = run(running, case.inputs)
    except _ORT_ERRORS as error:
        raise _refused("onnxruntime", at, error) from error
    try:
        with torch.no_grad():
            results = module(*(to_torch(case.inputs[port.name]) for port in network.inputs))
    except (RuntimeError, IndexError, TypeError, ValueError, AssertionError) as error:
        raise _refused("PyTorch", at, error) from error
    expected = results if isinstance(results, Sequence) else [results]
    outputs = tuple(
        _output(port, answers[port.name], to_numpy(tensor), case.sizes, bounds)
        for port, tensor in zip(network.outputs, expected, strict=True)
    )
    return CaseReport(tuple(case.sizes.items()), outputs)


def _output(
    port: Port,
    actual: NDArray[Any],
    expected: NDArray[Any],
    sizes: Mapping[str, int],
    bounds: Mapping[DType, float],
) -> OutputReport:
    dtype = port.type.dtype
    shape = tuple(evaluate(dim, sizes) for dim in port.type.shape)
    problem = None
    for runtime, array in (("PyTorch", expected), ("onnxruntime", actual)):
        if array.dtype != NUMPY_DTYPES[dtype]:
            problem = f"{runtime} gives {array.dtype} where the spec has {dtype.value}"
        elif array.shape != shape:
            problem = f"{runtime} gives {list(array.shape)} where the spec has {list(shape)}"
    difference = float("inf") if problem else relative_difference(actual, expected)
    return OutputReport(
        name=port.name,
        type=f"{dtype.value}{list(shape)}",
        difference=difference,
        bound=bounds.get(dtype, 0.0),
        problem=problem,
    )


def _refused(runtime: str, at: str, error: Exception) -> Fault:
    """With the first line of the exception's text, without what onnxruntime puts before it."""
    text = str(error).removeprefix("[ONNXRuntimeError] : ")
    reason = text.splitlines()[0] if text else type(error).__name__
    return Fault(RuntimeRefused(runtime=runtime, at=at, reason=reason))
