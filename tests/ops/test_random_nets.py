"""Random nets give one answer in the module, the file of its source, and onnxruntime."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import pytest
import torch
from torch import nn

import specc
from specc.ir.conditions import smallest_sizes
from specc.ir.types import DType
from specc.ops.registry import operators
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET
from specc.targets.torch import to_torch
from specc.verification.inputs import cases
from specc.verification.measure import relative_difference
from specc.verification.parity import verify
from specc.verification.report import BOUNDS
from tests.ops.random_nets import operators_in, random_net

OPSETS = (LOWEST_OPSET, DEFAULT_OPSET, HIGHEST_OPSET)
SHARES = 4
ROUNDING = 2e-6


def assert_one_answer(text: str, seed: int) -> None:
    """Compares the targets of a net at two assignments of its sizes."""
    program = specc.compile(text)
    module = program.module().eval()
    bounds = {DType.F32: _bound(program, module)}
    report = verify(program.network, program.onnx(opset=OPSETS[seed % 3]), bounds=bounds)
    assert report.agrees
    written: dict[str, Any] = {}
    exec(program.python(), written)
    other = written["A"]().eval()
    other.load_state_dict(module.state_dict())
    for case in cases(program.network, 0):
        inputs = [to_torch(case.inputs[port.name]) for port in program.network.inputs]
        with torch.no_grad():
            torch.testing.assert_close(other(*inputs), module(*inputs), equal_nan=True)


def _bound(program: specc.Program, module: nn.Module) -> float:
    """How far answers in f32 may lie apart.

    A normalization of values that are nearly equal magnifies how they were rounded: no two
    implementations agree more closely than PyTorch with its own answer in f64. And what is left
    where values of order 1 cancel out is rounding alone.
    """
    wide = copy.deepcopy(module).double()
    bound = BOUNDS[DType.F32]
    for case in cases(program.network, 0):
        inputs = [to_torch(case.inputs[port.name]) for port in program.network.inputs]
        widened = [x.double() if x.is_floating_point() else x for x in inputs]
        with torch.no_grad():
            found = _several(module(*inputs))
            try:
                exact = _several(wide(*widened))
            except RuntimeError:  # a tensor that the net makes is an f32 all the same
                exact = found
        for ours, theirs in zip(found, exact, strict=True):
            if ours.is_floating_point():
                own = relative_difference(ours.numpy(), theirs.float().numpy())
                scale = min(_largest(ours), _largest(theirs))
                bound = max(bound, 10 * own, ROUNDING / scale if scale else math.inf)
    return bound


def _several(results: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return results if isinstance(results, tuple) else (results,)


def _largest(x: torch.Tensor) -> float:
    finite = x[x.isfinite()]
    return finite.abs().max().item() if finite.numel() else 1.0


def _assert_all(seeds: range) -> None:
    failed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for seed in seeds:
            try:
                assert_one_answer(random_net(seed), seed)
            except Exception as error:  # noqa: BLE001 - each is one finding, told with its net
                failed.append(f"seed {seed}: {error}\n{random_net(seed)}")
    assert not failed, "\n".join(failed)


def test_all_operators_occur_and_so_do_branches_loops_and_blocks() -> None:
    assert set().union(*map(operators_in, range(1500))) == operators().keys()
    texts = [random_net(seed) for seed in range(200)]
    for form in ("if sum(", "while ", "block B0", "bool[", "i64[", ", x2: ", "T]", "_block |> "):
        assert sum(form in text for text in texts) > 20, form


@pytest.mark.parametrize("share", range(SHARES))
def test_200_random_nets_give_one_answer(share: int) -> None:
    _assert_all(range(share, 200, SHARES))


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_2000_random_nets_give_one_answer(share: int) -> None:
    _assert_all(range(200 + share, 2200, SHARES))


# ---- what they found


@pytest.mark.parametrize(
    "text",
    [
        # A crop that leaves less than nothing, made good by what is added behind.
        "net A(x: [N, 4]) { x |> pad([0, 0, -2, 3]) }",
        # Statistics of one value, whose variance is 0.
        "net A(x: [N, 4]) { x |> BatchNorm(track_running_stats=false) }",
    ],
)
def test_a_size_that_pytorch_refuses_is_below_the_bound_of_the_net(text: str) -> None:
    program = specc.compile(text)
    assert smallest_sizes(program.network, {}) == {"N": 2}
    assert_one_answer(text, 0)


def test_a_scalar_is_padded_by_nothing() -> None:
    assert_one_answer("net A(x: [N, 4]) { sum(x) |> pad([]) }", 0)


def test_a_number_stands_for_either_choice() -> None:
    # Two floats made a float of the condition, which no condition may be.
    assert_one_answer("net A(x: [N, 4]) { where(x > 0, 1.5, 0) + where(x < 0, x, 2) }", 0)
