"""ONNX files: one or two of them, whole or none."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest

import specc
from specc.infer.session import run, session
from specc.targets.onnx import save, to_onnx
from specc.targets.onnx.save import ALIGNMENT
from tests.targets.test_onnx import mlp

X = np.linspace(-1, 1, 60, dtype=np.float32).reshape(3, 20)


def test_a_small_model_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "mlp.onnx"
    assert save(mlp(), path) == [path]
    assert path.read_bytes() == to_onnx(mlp()).SerializeToString()
    assert list(tmp_path.iterdir()) == [path]


def test_large_weights_go_to_a_file_beside_the_model(tmp_path: Path) -> None:
    path = tmp_path / "mlp.onnx"
    assert save(mlp(), path, limit=100) == [path, tmp_path / "mlp.onnx.data"]
    model = onnx.load(path, load_external_data=False)
    (stored,) = [t for t in model.graph.initializer if t.external_data]
    entries = {entry.key: entry.value for entry in stored.external_data}
    assert stored.name == "hidden.weight"
    assert entries["location"] == "mlp.onnx.data"
    assert int(entries["offset"]) % ALIGNMENT == 0
    onnx.checker.check_model(str(path), full_check=True)
    small = run(session(to_onnx(mlp()).SerializeToString()), {"x": X})
    assert np.array_equal(run(session(path), {"x": X})["y"], small["y"])


def test_no_more_than_one_weight_is_in_memory(tmp_path: Path) -> None:
    weight = 4 * 1024 * 1024
    program = specc.compile(
        "net A(x: f32[N, 1024]) { x |> layers: [Linear(1024, bias=false) for i in 0..12] }"
    )
    tracemalloc.start()
    try:
        save(program.network, tmp_path / "deep.onnx")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "deep.onnx").stat().st_size > 12 * weight
    assert peak < 4 * weight


@pytest.mark.parametrize("limit", [0, 10**9])
def test_the_same_model_is_the_same_bytes(tmp_path: Path, limit: int) -> None:
    contents = []
    for _ in range(2):
        files = save(mlp(), tmp_path / "mlp.onnx", limit=limit)
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_check_sees_the_finished_model(tmp_path: Path, limit: int) -> None:
    seen = []

    def check(path: Path, domains: list[str]) -> None:
        seen.append(run(session(path), {"x": X})["y"].shape)
        assert not domains
        assert not (tmp_path / "mlp.onnx").exists()

    save(mlp(), tmp_path / "mlp.onnx", limit=limit, check=check)
    assert seen == [(3, 4)]


@pytest.mark.parametrize("limit", [0, 10**9])
def test_a_failed_check_leaves_what_was_there(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "mlp.onnx"
    path.write_bytes(b"before")

    def check(staged: Path, domains: list[str]) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        save(mlp(), path, limit=limit, check=check)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"before"
