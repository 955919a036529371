"""Statistics, histograms and pictures of parameters."""

from __future__ import annotations

import math
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch
from matplotlib.image import imread

import specc
from specc.parameters import statistics as measuring
from specc.parameters.blocks import drawn, fits, line
from specc.parameters.info import ParameterInfo, of_weights
from specc.parameters.measured import measured
from specc.parameters.picture import save_picture
from specc.parameters.statistics import Histogram, histogram, statistics
from specc.weights.safetensors import Weights


def info(name: str, values: np.ndarray) -> ParameterInfo:
    (found,) = of_weights(Weights.of({name: values}))
    return found


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [7, 2**20])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16, np.int64, np.bool_])
def test_statistics_are_those_of_torch(
    dtype: type, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "_CHUNK", chunk)
    values = (100 + 10 * np.random.default_rng(0).standard_normal((5, 6))).round().astype(dtype)
    values[0, :3] = 0
    found, tensor = statistics(values), torch.tensor(values.astype(np.float64))
    assert found.mean == pytest.approx(tensor.mean().item())
    assert found.std == pytest.approx(tensor.std(correction=0).item())
    assert (found.min, found.max) == (tensor.min().item(), tensor.max().item())
    assert found.norm == pytest.approx(tensor.norm().item())
    assert found.zeros == (tensor == 0).double().mean().item()
    assert found.nan == 0


def test_a_small_spread_about_a_large_mean_keeps_its_digits() -> None:
    assert statistics(1e8 + np.array([-1.0, 1.0])).std == pytest.approx(1.0)


def test_nan_is_counted_and_left_out() -> None:
    found = statistics(np.array([1.0, np.nan, 3.0, np.nan]))
    assert (found.mean, found.std, found.min, found.max, found.nan) == (2, 1, 1, 3, 2)


@pytest.mark.parametrize("values", [np.empty(0), np.full(3, np.nan)])
def test_of_no_elements_the_numbers_are_nan(values: np.ndarray) -> None:
    found = statistics(values)
    assert math.isnan(found.mean)
    assert math.isnan(found.max)
    assert found.nan == values.size


def test_infinities_are_seen() -> None:
    found = statistics(np.array([1.0, np.inf]))
    assert (found.mean, found.max, found.norm) == (np.inf, np.inf, np.inf)
    assert math.isnan(found.std)


@pytest.mark.parametrize("chunk", [7, 2**20])
def test_histograms_are_those_of_numpy(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_CHUNK", chunk)
    values = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    found = histogram(values, 16)
    assert list(found.counts) == np.histogram(values.astype(np.float64), 16)[0].tolist()
    assert (found.low, found.high) == (values.min(), values.max())


def test_a_histogram_is_of_finite_elements() -> None:
    found = histogram(np.array([np.nan, 0.0, 1.0, np.inf, -np.inf]), 2)
    assert found == Histogram(0.0, 1.0, (1, 1))


@pytest.mark.parametrize("value", [0.0, 1.0, -3e300, 1e20, 5e-324])
def test_a_constant_stands_in_the_middle(value: float) -> None:
    assert histogram(np.full(5, value), 4).counts == (0, 0, 5, 0)


@pytest.mark.parametrize("values", [[-1.7e308, 1.7e308], [1e-320, 2e-320], [1.0, 1.0 + 2**-52]])
def test_the_ends_of_what_floats_hold_have_a_histogram(values: list[float]) -> None:
    assert sum(histogram(np.array(values), 4).counts) == 2


def test_of_no_elements_there_is_an_empty_histogram() -> None:
    found = histogram(np.empty((0, 3)), 4)
    assert found.counts == (0, 0, 0, 0)
    assert math.isnan(found.low)


def test_a_coarser_histogram_has_all_elements() -> None:
    assert Histogram(0, 1, (1, 2, 3, 4)).coarser() == Histogram(0, 1, (3, 7))


def test_they_are_asked_of_a_program() -> None:
    (weight,) = specc.compile("std.mlp").parameters("hidden.weight", seed=1)
    values = weight.values()
    assert weight.statistics().max == values.max()
    assert sum(weight.histogram(bins=8).counts) == values.size


# ---- characters ----------------------------------------------------------------------------------


def test_a_line_has_a_character_a_bin_and_shows_whatever_is_there() -> None:
    assert line(Histogram(0, 1, (0, 1, 1000, 500))) == " ▁█▄"
    assert line(Histogram(0, 1, (0, 1, 1000, 500)), blocks=False) == " .@="
    assert line(Histogram(math.nan, math.nan, (0, 0))) == "  "


def test_a_drawing_stands_on_its_last_line() -> None:
    assert drawn(Histogram(0, 1, (4, 8, 1)), 3) == [" █ ", "▄█ ", "██▃"]


def test_a_terminal_without_blocks_is_known() -> None:
    assert [fits(name) for name in ("utf-8", "ascii", "latin-1", "nonsense")] == [
        *(True, False, False, False)
    ]


# ---- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 5, 31, 500])
def test_a_picture_has_room_for_all(count: int, tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)
    parameters = [info(f"features.{i}.weight", values) for i in range(count)]
    save_picture(tmp_path / "p.png", "Net", measured(parameters))
    height, width, _ = imread(tmp_path / "p.png").shape
    assert 0.5 < width / height < 3
    assert height * width > 30_000 * math.sqrt(count)  # room for what is to be read


def test_whatever_a_tensor_holds_is_drawn(tmp_path: Path) -> None:
    kinds = [
        np.empty(0), np.full(2, np.nan), np.array([np.inf, 1, 2]), np.array(3), np.zeros(4),
        np.array([-1.7e308, 1.7e308]), np.array([True, False]), np.array([5e-324, 0]),
        np.array([1e20, 1e20]),
    ]  # fmt: skip
    for repeat in (1, 5):
        parameters = [info(f"$x^{i}_{{$", values) for i, values in enumerate(kinds * repeat)]
        save_picture(tmp_path / "p.png", "a $ sign", measured(parameters))
        assert imread(tmp_path / "p.png").std() > 0
