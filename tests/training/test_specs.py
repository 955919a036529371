"""The specs that ship with specc train to what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import specc

SPECS = Path(__file__).resolve().parents[2] / "specs"
RUN_ONNX = SPECS.parent / "docs" / "examples" / "run_onnx.py"

ACCURACY = {"softmax_regression": 0.93, "mlp": 0.95, "lenet": 0.97, "rnn_scratch": 0.95}


def final_accuracy(name: str, seed: int) -> float:
    program = specc.compile(SPECS / f"{name}.net")
    assert program.warnings == ()
    return specc.train(program, seed=seed, device="cpu").final["accuracy"]


def test_linear_regression_finds_the_rule() -> None:
    program = specc.compile(SPECS / "linear_regression.net")
    for seed in range(3):
        weight, bias = specc.train(program, seed=seed, device="cpu").module.parameters()
        assert abs(weight[0, 0].item() - 2) < 0.02
        assert abs(weight[0, 1].item() + 3.4) < 0.02
        assert abs(bias.item() - 4.2) < 0.02


@pytest.mark.parametrize("name", ACCURACY)
def test_digits_are_recognised(name: str) -> None:
    assert final_accuracy(name, seed=0) >= ACCURACY[name]


@pytest.mark.parametrize("name", ["softmax_regression", "mlp"])
def test_small_networks_do_not_depend_on_a_lucky_seed(name: str) -> None:
    assert min(final_accuracy(name, seed) for seed in (1, 2, 3, 4)) >= ACCURACY[name]


@pytest.mark.slow
def test_lenet_does_not_depend_on_a_lucky_seed() -> None:
    assert min(final_accuracy("lenet", seed) for seed in (1, 2, 3, 4)) >= ACCURACY["lenet"]


def test_the_example_runs_the_onnx_file_of_a_run(tmp_path: Path) -> None:
    program = specc.compile(SPECS / "lenet.net", settings={"epochs": 1})
    specc.train(program, tmp_path, device="cpu")
    graph = tmp_path / "lenet.onnx"
    program.build(graph, weights=tmp_path / "model.safetensors")
    done = run_example(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "360 test images" in done.stdout
    assert "largest difference to PyTorch" in done.stdout


def test_the_example_notices_other_weights(tmp_path: Path) -> None:
    program = specc.compile(SPECS / "softmax_regression.net")
    program.build(tmp_path / "model.safetensors", seed=0)
    program.build(tmp_path / "other.onnx", seed=1)
    done = run_example(tmp_path)
    assert done.returncode == 1
    assert "do not agree" in done.stderr


def run_example(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RUN_ONNX, folder],
        cwd=SPECS.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
