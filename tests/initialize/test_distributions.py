"""Each distribution equals torch.nn.init's by Kolmogorov-Smirnov, a test that can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest

from specc.initialize.catalogue import torch_call
from specc.initialize.values import values
from specc.ir.initializer import ArgumentValue, Initializer
from specc.ir.types import DType

SHAPE = (250, 400)  # 100,000 draws, with fans that differ
KERNEL = (40, 50, 5, 10)

CASES: list[tuple[str, dict[str, ArgumentValue], tuple[int, ...]]] = [
    ("uniform", {}, SHAPE),
    ("uniform", {"a": -10, "b": 10}, SHAPE),
    ("normal", {}, SHAPE),
    ("normal", {"mean": 3.0, "std": 0.01}, SHAPE),
    ("trunc_normal", {}, SHAPE),
    ("trunc_normal", {"std": 0.02, "a": -0.04, "b": 0.04}, SHAPE),
    ("trunc_normal", {"mean": 1.0, "std": 2.0, "a": 4.0, "b": 5.0}, SHAPE),
    ("trunc_normal", {"a": -9.0, "b": -6.0}, SHAPE),
    ("xavier_uniform", {}, SHAPE),
    ("xavier_uniform", {"gain": 2.0}, KERNEL),
    ("xavier_normal", {}, SHAPE),
    ("xavier_normal", {"gain": 0.5}, KERNEL),
    ("kaiming_uniform", {"a": 5**0.5}, SHAPE),
    ("kaiming_uniform", {"mode": "fan_out", "nonlinearity": "relu"}, KERNEL),
    ("kaiming_normal", {}, SHAPE),
    ("kaiming_normal", {"mode": "fan_out", "nonlinearity": "tanh"}, KERNEL),
    ("kaiming_normal", {"nonlinearity": "selu"}, SHAPE),
]


def ours(name: str, arguments: dict[str, ArgumentValue], shape: tuple[int, ...]) -> np.ndarray:
    initializer = Initializer(name=name, arguments=arguments)
    return values(initializer, name="w", shape=shape, dtype=DType.F32, seed=0)


def torchs(name: str, arguments: dict[str, ArgumentValue], shape: tuple[int, ...]) -> np.ndarray:
    """What the call that the Python target writes fills in."""
    call = torch_call(Initializer(name=name, arguments=arguments))
    function: Any = getattr(torch.nn.init, call.function.removeprefix("nn.init."))
    torch.manual_seed(0)
    return function(torch.empty(shape), *call.positional, **call.keywords).numpy().ravel()


@pytest.mark.filterwarnings("ignore:mean is more than 2 std")  # torch's, about its older sampler
@pytest.mark.parametrize(("name", "arguments", "shape"), CASES)
def test_the_distribution_is_torchs(
    name: str, arguments: dict[str, ArgumentValue], shape: tuple[int, ...]
) -> None:
    draws = ours(name, arguments, shape)
    assert len(draws) == 100_000
    assert ks_2samp(draws, torchs(name, arguments, shape)).pvalue > 1e-3


@pytest.mark.parametrize("name", ["xavier_uniform", "xavier_normal"])
@pytest.mark.parametrize("gain", [0.95, 1.05])
def test_a_wrong_gain_fails(name: str, gain: float) -> None:
    assert ks_2samp(ours(name, {"gain": gain}, SHAPE), torchs(name, {}, SHAPE)).pvalue < 1e-3


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("kaiming_normal", {"nonlinearity": "relu"}, {"nonlinearity": "tanh"}),
        ("kaiming_uniform", {"mode": "fan_in"}, {"mode": "fan_out"}),
        ("trunc_normal", {"std": 0.5}, {}),
        ("trunc_normal", {"a": -1.8}, {}),
    ],
)
def test_another_argument_fails(
    name: str, wrong: dict[str, ArgumentValue], right: dict[str, ArgumentValue]
) -> None:
    assert ks_2samp(ours(name, wrong, SHAPE), torchs(name, right, SHAPE)).pvalue < 1e-3


def test_neighbouring_elements_are_independent() -> None:
    draws = ours("normal", {}, SHAPE).astype(np.float64)
    for lag in (1, 2, 4, 400):
        assert abs(np.mean(draws[lag:] * draws[:-lag])) < 4 / np.sqrt(len(draws))


def test_sums_over_names_are_normal() -> None:
    """Streams of different names are independent: their mean over 400 names is Gaussian."""
    initializer = Initializer(name="normal")
    streams = [
        values(initializer, name=f"layer{i}.weight", shape=[500], dtype=DType.F64, seed=0)
        for i in range(400)
    ]
    assert kstest(np.sum(streams, axis=0) / 20, "norm").pvalue > 1e-3


def test_a_truncated_normal_keeps_its_bounds_far_out_in_the_tail() -> None:
    draws = ours("trunc_normal", {"a": 20.0, "b": 30.0}, SHAPE).astype(np.float64)
    assert draws.min() >= 20
    assert draws.max() <= 30
    # So far out, the excess over the bound is nearly exponential with rate 20.
    assert np.mean(draws - 20) == pytest.approx(1 / 20, rel=0.02)
