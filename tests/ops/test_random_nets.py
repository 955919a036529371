"""Random nets give one answer in the module, the file of its source, and onnxruntime."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import pytest
import torch

import specc
from specc.ir.conditions import smallest_sizes
from specc.ops.registry import operators
from specc.targets.onnx import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET
from specc.targets.torch import to_torch
from specc.verification.inputs import cases
from specc.verification.parity import verify
from tests.ops.random_nets import random_net

OPSETS = (LOWEST_OPSET, DEFAULT_OPSET, HIGHEST_OPSET)
SHARES = 4


def assert_one_answer(text: str, seed: int) -> None:
    """Compares the targets of a net at two assignments of its sizes."""
    program = specc.compile(text)
    report = verify(program.network, program.onnx(opset=OPSETS[seed % 3]))
    assert report.agrees
    module = program.module().eval()
    written: dict[str, Any] = {}
    exec(program.python(), written)
    other = written["A"]().eval()
    other.load_state_dict(module.state_dict())
    for case in cases(program.network, 0):
        x = to_torch(case.inputs["x"])
        with torch.no_grad():
            torch.testing.assert_close(other(x), module(x), equal_nan=True)


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


def test_many_operators_occur() -> None:
    lines = [line for seed in range(200) for line in random_net(seed).splitlines()]
    found = Counter(line.partition("tanh(")[2].partition("(")[0] for line in lines)
    assert len(found.keys() & operators().keys()) >= 60


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
