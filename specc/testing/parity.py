"""Parity of the targets on one sample: ``same(case)``, and the parts that it is made of.

PyTorch run straight from the entry's data is what everything else is compared with.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import onnx
import onnxruntime
import torch

from specc.infer.session import session as open_session
from specc.ir.types import DType
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET, to_onnx
from specc.targets.torch import TORCH_DTYPES
from specc.testing.cases import Array, Case
from specc.testing.onnxruntime_gaps import GAPS
from specc.testing.torch_runs import Run, run_emitted, run_module, run_reference

OPSETS = (LOWEST_OPSET, DEFAULT_OPSET, HIGHEST_OPSET)

# What PyTorch warns of in a sample that is right as it is.
EXPECTED_WARNINGS = (
    "Using padding='same' with even kernel lengths",  # it copies the input; the result is the same
)


class NoKernel(Exception):
    """onnxruntime is known to have no kernel for a node at this dtype."""


class NoLibrary(NoKernel):
    """An operator has a domain of its own, and names no library that runs it."""


class Disagreement(AssertionError):
    """Two targets, or a target and the rule, do not say the same of a sample."""


@contextmanager
def expected_warnings() -> Iterator[None]:
    """Lets pass what PyTorch warns of once in a process, in whichever test comes first."""
    with warnings.catch_warnings():
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message)
        yield


def same(case: Case) -> None:
    """Shape rule, PyTorch as function and as module, emitted source and onnxruntime all agree."""
    same_in_torch(case)
    same_when_emitted(case)
    for opset in OPSETS:
        same_in_onnxruntime(case, opset)


def same_in_torch(case: Case) -> None:
    """PyTorch gives the rule's shapes and dtypes; its function and its class do the same."""
    for sizes in case.sizes:
        run = run_reference(case, sizes)
        shapes = [tuple(result.shape) for result in run.results]
        _equal("the shapes that PyTorch gives, and the rule", shapes, case.shapes(sizes))
        dtypes = [result.dtype for result in run.results]
        expected = [TORCH_DTYPES[type_.dtype] for type_ in case.applied.results]
        _equal("the dtypes that PyTorch gives, and the rule", dtypes, expected)
        if (module := run_module(case, sizes)) is not None:
            assert_same_run(module, run, case)


def same_when_emitted(case: Case) -> None:
    """The emitted source gives what the entry's data does, in place and as a layer."""
    for sizes in case.sizes:
        expected = run_reference(case, sizes)
        forms = (None,) if case.state or case.operator.torch.module is None else (False, True)
        for as_layer in forms:
            assert_same_run(run_emitted(case, sizes, as_layer=as_layer), expected, case)


def same_in_onnxruntime(case: Case, opset: int) -> None:
    """Onnxruntime gives PyTorch's shapes and values at this opset."""
    model = checked_onnx(case, opset)
    ran = session(model, case)
    for sizes in case.sizes:
        expected = run_reference(case, sizes).results
        found = run_onnx(ran, case, sizes)
        shapes = [result.shape for result in found]
        _equal("the shapes that onnxruntime gives, and the rule", shapes, case.shapes(sizes))
        for ours, theirs, type_ in zip(found, expected, case.applied.results, strict=True):
            assert_close(ours, theirs, case, type_.dtype)


def same_while_training(case: Case) -> None:
    """Emitted source and function agree in train mode too: results, gradients, buffers."""
    sizes = case.sizes[-1]
    emitted = run_emitted(case, sizes, training=True)
    assert_same_run(emitted, run_reference(case, sizes, training=True), case, ignore=_COUNTER)
    if (module := run_module(case, sizes, training=True)) is not None:
        assert_same_run(emitted, module, case)


# What a module counts and no function does.
_COUNTER = frozenset({"num_batches_tracked"})


# ---- ONNX ----------------------------------------------------------------------------------------


def checked_onnx(case: Case, opset: int) -> onnx.ModelProto:
    """The sample's network as an ONNX model with the drawn weights, valid by ONNX's own checker."""
    model = to_onnx(case.network(), weights=case.weights(), opset=opset, operators=case.table)
    onnx.checker.check_model(model, full_check=True)
    return model


def session(model: onnx.ModelProto, case: Case) -> onnxruntime.InferenceSession:
    """Onnxruntime on one CPU thread with all its optimizations.

    Raises NoKernel for what it is known to lack.
    """
    library = case.operator.library
    foreign = {one.domain for one in model.opset_import} - {one.domain for one in model.functions}
    if library is None and (foreign := foreign - {""}):
        raise NoLibrary(f"onnxruntime has no library for the operators of {', '.join(foreign)}")
    libraries = [] if library is None else [library]
    try:
        return open_session(model.SerializeToString(), threads=1, libraries=libraries)
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented as error:
        for node, dtype in GAPS:
            if f" {node}(" in str(error) and dtype in case.dtypes:
                raise NoKernel(f"onnxruntime has no {node} of {dtype} on the CPU") from error
        raise


def run_onnx(
    ran: onnxruntime.InferenceSession, case: Case, sizes: Mapping[str, int]
) -> list[Array]:
    """The results of onnxruntime on the case's inputs."""
    names = [value.name for value in ran.get_inputs()]
    results = ran.run(None, dict(zip(names, case.inputs(sizes), strict=True)))
    return [np.asarray(result) for result in results]


# ---- comparing -----------------------------------------------------------------------------------


def difference(found: Array | torch.Tensor, expected: Array | torch.Tensor) -> float:
    """max|a - b| / max|b|, where both agree on which values are not finite."""
    a, b = (_float64(value) for value in (found, expected))
    _equal("the shapes of two results", a.shape, b.shape)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return float("inf")
    if not finite.any():
        return 0.0
    scale = float(np.abs(b[finite]).max())
    apart = float(np.abs(a[finite] - b[finite]).max())
    return apart / scale if scale > 0 else apart


def _float64(value: Array | torch.Tensor) -> Array:
    if isinstance(value, torch.Tensor):
        return np.asarray(value.detach().to(torch.float64).numpy())
    return value.astype(np.float64)


def assert_close(
    found: Array | torch.Tensor, expected: Array | torch.Tensor, case: Case, dtype: DType
) -> None:
    """Asserts that values agree within the entry's tolerance for ``dtype``; integers exactly."""
    bound = case.operator.tolerance[dtype.value] if dtype.is_float else 0.0
    apart = difference(found, expected)
    if not apart <= bound:
        raise Disagreement(f"values differ by {apart:.1e}; {bound:.0e} is allowed in {dtype.value}")


def assert_same_run(
    found: Run, expected: Run, case: Case, ignore: frozenset[str] = frozenset()
) -> None:
    """Asserts that two runs of PyTorch agree in results, gradients and buffers, by name."""
    pairs = [
        *zip(found.results, expected.results, strict=True),
        *_by_name(found.gradients, expected.gradients, ignore),
        *_by_name(found.buffers, expected.buffers, ignore),
    ]
    for ours, theirs in pairs:
        _equal("the dtypes of two runs", ours.dtype, theirs.dtype)
        assert_close(ours, theirs, case, _DTYPES[ours.dtype])


_DTYPES = {dtype: ours for ours, dtype in TORCH_DTYPES.items()}


def _by_name(
    found: Mapping[str, torch.Tensor | None],
    expected: Mapping[str, torch.Tensor | None],
    ignore: frozenset[str],
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    names = (sorted(set(run) - ignore) for run in (found, expected))
    _equal("the names of gradients or buffers of two runs", *names)
    for name in set(expected) - ignore:
        ours, theirs = found[name], expected[name]
        _equal(f"whether {name} has a gradient", ours is None, theirs is None)
        if ours is not None and theirs is not None:
            yield ours, theirs


def _equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Disagreement(f"{what}: {found} and {expected}")
