"""Parity: the PyTorch module and the ONNX graph of one network give the same answers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from specc.frontend.diagnostics import Fault, Label
from specc.given import fitted_arrays
from specc.infer.session import run, session
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.dims import evaluate
from specc.ir.graph import Loop, Network, Port
from specc.ir.types import DType
from specc.ir.walk import every_node, operators_of
from specc.ops.operator import Operator
from specc.targets import torch as target
from specc.targets.onnx.weights import GivenWeights
from specc.targets.torch import to_numpy, to_torch
from specc.verification.deadline import Deadline
from specc.verification.facts import NoEnd, ParityFailed, Refused, RuntimeRefused
from specc.verification.inputs import Case, cases
from specc.verification.measure import relative_difference
from specc.verification.report import BOUNDS, CaseReport, OutputReport, ParityReport, describe
from specc.verification.rounding import spread
from specc.weights.safetensors import Weights

ROUNDING = 8.0
"""How many times what rounding does to PyTorch's answer the other may be away from it."""

LIMIT = 60.0
"""Seconds for one run of one side, where a network has run-time loops."""

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
    limit: float = LIMIT,
    operators: Mapping[str, Operator] | None = None,
) -> ParityReport:
    """Compares the module in eval mode with onnxruntime on the CPU, at two assignments.

    Args:
        network: What both were made from.
        model: The ONNX model, its bytes, or its file.
        weights: What the model was built with; None for the initial values.
        seed: What the initial values are drawn from; the inputs are drawn from it too.
        bounds: The greatest difference by dtype; ``BOUNDS`` where it says nothing.
        limit: Seconds after which a run of either side is stopped, in a network that has run-time
            loops; others are not stopped.
        operators: The table of operators; the built-in ones by default.

    Raises:
        Fault: with ParityFailed, which holds the report; RuntimeRefused if one of the two cannot
            run the network; NoEnd if one was stopped; NoSizes if no sizes meet its conditions;
            WeightsDoNotFit.
    """
    allowed = {**BOUNDS, **(bounds or {})}
    watch = _Watch(network, limit)
    running = _session(model, libraries(network, operators or {}))
    tried = list(cases(network, seed))
    answers = [_answers(running, case, watch) for case in tried]
    module = _module(network, weights, seed, operators)
    report = ParityReport(
        tuple(
            _compare(network, module, case, found, allowed, watch)
            for case, found in zip(tried, answers, strict=True)
        )
    )
    if not report.agrees:
        raise Fault(ParityFailed(report=report))
    return report


def _module(
    network: Network,
    weights: GivenWeights | None,
    seed: int,
    operators: Mapping[str, Operator] | None,
) -> torch.nn.Module:
    # On the CPU, as onnxruntime is: placement changes no result, and a GPU sums in another order.
    devices = {device.name: torch.device("cpu") for device in network.devices}
    if weights is None:
        made = target.module(network, seed=seed, devices=devices, operators=operators)
        return made.eval()
    stored = weights if isinstance(weights, Weights) else Weights.of(weights)
    arrays = fitted_arrays(stored, network)
    made = target.module(network, weights=arrays, devices=devices, operators=operators)
    return made.eval()


def libraries(network: Network, operators: Mapping[str, Operator]) -> list[str]:
    """The libraries of onnxruntime's that the network's operators name."""
    used = (operators[name] for name in sorted(operators_of(network)) if name in operators)
    return list(dict.fromkeys(one.library for one in used if one.library is not None))


def _session(model: onnx.ModelProto | bytes | str | Path, own: Sequence[str]) -> Any:
    source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else model
    try:
        return session(source, libraries=own)
    except _ORT_ERRORS as error:
        raise _refused("onnxruntime", "", error, "model") from error


class _Watch:
    """The time limit of a network with run-time loops; none for one without."""

    def __init__(self, network: Network, limit: float) -> None:
        self._network = network
        self._loops = [
            node.span
            for template in network.templates
            for node in every_node(template.body)
            if isinstance(node, Loop)
        ]
        self.limit = limit if self._loops else None

    def deadline(self) -> AbstractContextManager[object]:
        """What PyTorch runs in."""
        return nullcontext() if self.limit is None else Deadline(self.limit)

    def fault(self, runtime: str, at: str) -> Fault:
        """For a run that was stopped. It says where the loops stand, not which it was."""
        assert self.limit is not None
        spans = list(dict.fromkeys(span for span in self._loops if span is not None))
        because = tuple(Label(span, "or this one") for span in spans[1:])
        where = spans[0] if spans else None
        return Fault(NoEnd(runtime=runtime, at=at, limit=self.limit, where=where, because=because))


def _answers(running: Any, case: Case, watch: _Watch) -> dict[str, NDArray[Any]]:
    at = describe(case.sizes)
    try:
        return run(running, case.inputs, limit=watch.limit)
    except TimeoutError as error:
        raise watch.fault("onnxruntime", at) from error
    except _ORT_ERRORS as error:
        raise _refused("onnxruntime", at, error) from error


def _compare(
    network: Network,
    module: torch.nn.Module,
    case: Case,
    answers: Mapping[str, NDArray[Any]],
    bounds: Mapping[DType, float],
    watch: _Watch,
) -> CaseReport:
    at = describe(case.sizes)
    inputs = [to_torch(case.inputs[port.name]) for port in network.inputs]

    def compared(results: Any, noise: Sequence[float]) -> tuple[OutputReport, ...]:
        expected = results if isinstance(results, Sequence) else [results]
        return tuple(
            _output(port, answers[port.name], to_numpy(tensor), case.sizes, bounds, error)
            for port, tensor, error in zip(network.outputs, expected, noise, strict=True)
        )

    try:
        with torch.no_grad(), watch.deadline(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of inputs that are specc's own choice
            results = module(*inputs)
            outputs = compared(results, [0.0] * len(network.outputs))
            if not all(output.agrees for output in outputs):
                outputs = compared(results, spread(module, inputs))
    except TimeoutError as error:
        raise watch.fault("PyTorch", at) from error
    except (RuntimeError, IndexError, TypeError, ValueError, AssertionError) as error:
        raise _refused("PyTorch", at, error) from error
    return CaseReport(tuple(case.sizes.items()), outputs)


def _output(
    port: Port,
    actual: NDArray[Any],
    expected: NDArray[Any],
    sizes: Mapping[str, int],
    bounds: Mapping[DType, float],
    noise: float,
) -> OutputReport:
    dtype, bound = port.type.dtype, bounds.get(port.type.dtype, 0.0)
    # What rounding alone does is no difference: neither side is more right than the other.
    least = ROUNDING * noise / bound if bound else 0.0
    shape = tuple(evaluate(dim, sizes) for dim in port.type.shape)
    problem = None
    for runtime, array in (("PyTorch", expected), ("onnxruntime", actual)):
        if array.dtype != NUMPY_DTYPES[dtype]:
            problem = f"{runtime} gives {array.dtype} where the spec has {dtype.value}"
        elif array.shape != shape:
            problem = f"{runtime} gives {list(array.shape)} where the spec has {list(shape)}"
    difference = float("inf") if problem else relative_difference(actual, expected, least)
    return OutputReport(
        name=port.name,
        type=f"{dtype.value}{list(shape)}",
        difference=difference,
        bound=bound,
        problem=problem,
    )


def _refused(runtime: str, at: str, error: Exception, refused: Refused = "run") -> Fault:
    """With the first line of the exception's text, without what onnxruntime puts before it."""
    text = str(error).removeprefix("[ONNXRuntimeError] : ")
    reason = text.splitlines()[0] if text else type(error).__name__
    if isinstance(error, ort_errors.NotImplemented):
        refused = "kernel"
    return Fault(RuntimeRefused(runtime=runtime, at=at, reason=reason, refused=refused))
