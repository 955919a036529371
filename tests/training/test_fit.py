"""Data and network are compared before the first update."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import specc
from specc.frontend.diagnostics import Fault
from specc.ir.recipe import Choice, Recipe, SettingValue
from specc.recipe.complete import complete
from specc.training.fit import Dataset, dataset

HERE = Path()


def recipe(loss: str, data: Choice) -> Recipe:
    return complete(
        Recipe(data=data, loss=Choice(name=loss), optimizer=Choice(name="adam"), epochs=1)
    )


def fitted(
    net: str, loss: str = "cross_entropy", data: str = "digits", **arguments: SettingValue
) -> Dataset:
    chosen = recipe(loss, Choice(name=data, arguments=dict(arguments)))
    return dataset(specc.compile(net).network, chosen)


def fitted_arrays(net: str, loss: str, folder: Path, **arrays: np.ndarray) -> Dataset:
    np.savez(folder / "d.npz", **arrays)
    chosen = recipe(loss, Choice(name="npz", arguments={"path": "d.npz"}))
    return dataset(specc.compile(net).network, chosen, folder)


def refusal(net: str, **arguments: object) -> str:
    with pytest.raises(Fault) as caught:
        fitted(net, **arguments)  # type: ignore[arg-type]
    assert caught.value.fact.code == "data-mismatch"
    diagnostic = caught.value.fact.diagnostic()
    return f"{diagnostic.message}\n{diagnostic.help or ''}"


def test_images_stay_images_for_an_input_of_images() -> None:
    data = fitted("net A(x: [N, 1, 8, 8]) -> [N, 10] { x |> flatten |> Linear(10) }")
    assert data.train.x.shape == (1437, 1, 8, 8)
    assert data.train.x.dtype == torch.float32
    assert data.train.y.dtype == torch.int64


def test_images_are_flattened_for_an_input_of_features() -> None:
    images = fitted("net A(x: [N, 1, 8, 8]) -> [N, 10] { x |> flatten |> Linear(10) }")
    features = fitted("net A(x: [N, 64]) -> [N, 10] { Linear(10)(x) }")
    assert torch.equal(features.train.x, images.train.x.flatten(1))


def test_symbolic_sizes_take_the_data() -> None:
    net = "net A(x: [N, C, H, H]) -> [N, 10] { x |> AdaptiveAvgPool(1) |> flatten |> Linear(10) }"
    net = net.replace("[N, C, H, H]", "[N, 1, H, H]")
    assert fitted(net, resize=12).test.x.shape == (360, 1, 12, 12)


def test_the_input_decides_the_dtype() -> None:
    data = fitted("net A(x: f64[N, 64]) -> f64[N, 64] { x * 2 }")
    assert data.train.x.dtype == torch.float64


def test_the_output_decides_the_dtype_of_real_targets() -> None:
    net = "net A(x: f64[N, 1]) -> f64[N, 1] { x * 2 }"
    data = fitted(net, "mse", "synthetic_regression", w=(1.0,))
    assert data.train.y.dtype == torch.float64


@pytest.mark.parametrize(
    ("net", "says"),
    [
        ("net A(x: [N, 63]) -> [N, 10] { Linear(10)(x) }", "the input is f32[N, 63]"),
        (
            "net A(x: [N, 1, 28, 28]) -> [N, 10] { x |> flatten |> Linear(10) }",
            "digits(resize=28)",
        ),
        ("net A(x: [N, 8, 8]) -> [N, 10] { x |> flatten |> Linear(10) }", "inputs of [N, 1, 8, 8]"),
        ("net A(x: [32, 64]) -> [32, 10] { Linear(10)(x) }", "no dim for the examples"),
        (
            "net A(x: [N, 1, H, W]) -> [N, 4, H - 8, W - 8] { x |> Conv(4, 5) |> Conv(4, 5) }",
            "does not work at the sizes of digits, H = 8, W = 8",
        ),
        ("net A(x: [N, N]) -> [N, N] { x * 2 }", "has the batch's size twice"),
        ("net A(x: i64[N, 64]) -> [N, 64, 10] { Embedding(17, 10)(x) }", "gives real numbers"),
        ("net A(x: [N, 64]) -> [N, 9] { Linear(9)(x) }", "the output needs 10"),
        ("net A(x: [N, 64]) -> [N] { sum(x, dim=1) }", "compares outputs"),
        ("net A(x: [N, 64]) -> [64, 64] { ones(64, 64) + sum(x) }", "an output for each of them"),
        ("net A(x: [N, 64]) -> i64[N] { argmax(x, dim=1) }", "needs real numbers"),
        ("net A(x: [N, 64], y: [N, 64]) -> [N, 64] { x + y }", "2 inputs and 1 outputs"),
    ],
)
def test_a_mismatch_with_the_network_is_said(net: str, says: str) -> None:
    assert says in refusal(net)


def test_targets_of_a_regression_have_the_outputs_shape() -> None:
    net = "net A(x: [N, 2]) -> [N, 3] { Linear(3)(x) }"
    assert "targets [N, 1]" in refusal(net, loss="mse", data="synthetic_regression")


def test_targets_without_a_dim_get_one(tmp_path: Path) -> None:
    net = "net A(x: [N, 2]) -> [N, 1] { Linear(1)(x) }"
    data = fitted_arrays(net, "mse", tmp_path, x=np.ones((10, 2)), y=np.arange(10))
    assert data.train.y.shape == (8, 1)
    assert data.train.y.dtype == torch.float32


def test_integers_feed_an_embedding(tmp_path: Path) -> None:
    net = "net A(x: i64[N, T]) -> [N, 5] { x |> Embedding(9, 4) |> mean(dim=1) |> Linear(5) }"
    x = np.arange(30, dtype=np.uint8).reshape(10, 3) % 9
    data = fitted_arrays(net, "cross_entropy", tmp_path, x=x, y=np.arange(10) % 5)
    assert data.train.x.dtype == torch.int64


def test_a_class_for_every_position(tmp_path: Path) -> None:
    net = "net A(x: [N, 4, T]) -> [N, 3, T] { x |> Conv(3, 1) }"
    x, y = np.ones((10, 4, 6)), np.ones((10, 6), np.int64)
    assert fitted_arrays(net, "cross_entropy", tmp_path, x=x, y=y).train.y.shape == (8, 6)
    with pytest.raises(Fault, match="Mismatch"):
        fitted_arrays(net, "cross_entropy", tmp_path, x=x, y=y[:, :5])


@pytest.mark.parametrize(
    ("loss", "y", "says"),
    [
        ("cross_entropy", np.linspace(0, 1, 10), "the targets of d.npz are real"),
        ("cross_entropy", np.arange(10) % 2 - 1, "-1 is no number of a class"),
        ("bce", np.linspace(0, 2, 10), "targets from 0 to 1"),
    ],
)
def test_unsuitable_targets_are_refused(
    loss: str, y: np.ndarray, says: str, tmp_path: Path
) -> None:
    net = "net A(x: [N, 2]) -> [N, 1] { x |> Linear(1) |> sigmoid }"
    with pytest.raises(Fault) as caught:
        fitted_arrays(net, loss, tmp_path, x=np.ones((10, 2)), y=y)
    assert says in caught.value.fact.message
