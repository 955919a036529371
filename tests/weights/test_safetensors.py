"""Weights go through files unchanged; hostile and broken files are facts."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st

from specc.frontend.diagnostics import Fault
from specc.weights import header
from specc.weights.facts import UnreadableWeights, UnsafeWeights
from specc.weights.safetensors import INDEX_NAME, Weights, read_weights, write_weights

DTYPES = [
    *(np.float16, ml_dtypes.bfloat16, np.float32, np.float64, np.int8, np.int16, np.int32),
    *(np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.bool_),
]


def _sample(dtype: Any, shape: tuple[int, ...] = (2, 3)) -> np.ndarray:
    return (np.random.default_rng(0).normal(size=shape) * 9).round().clip(0).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 3), (), (0, 4), (5,)])
def test_every_dtype_and_shape_survives(tmp_path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
    path, array = tmp_path / "w.safetensors", _sample(dtype, shape)
    write_weights(path, {"a": array, "b": np.ones(3, np.int8)}, {"spec": "net X"})
    weights = read_weights(path)
    assert weights.metadata == {"spec": "net X"}
    assert (weights["a"].dtype, weights["a"].shape) == (array.dtype, shape)
    found = weights["a"].read()
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


def test_the_library_reads_what_is_written_and_the_reverse(tmp_path: Path) -> None:
    tensors = {
        "x.weight": _sample(np.float32),
        "b": _sample(ml_dtypes.bfloat16),
        "é": _sample(bool),
    }
    write_weights(tmp_path / "ours.safetensors", tensors, {"k": 'a "quoted"\nline'})
    theirs = safetensors.numpy.load_file(tmp_path / "ours.safetensors")
    safetensors.numpy.save_file(tensors, tmp_path / "theirs.safetensors", {"k": "v"})
    ours = read_weights(tmp_path / "theirs.safetensors")
    for name, array in tensors.items():
        assert (theirs[name] == array).all()
        assert (ours[name].read() == array).all()


def test_the_same_content_is_the_same_bytes(tmp_path: Path) -> None:
    tensors = {name: _sample(np.float32) for name in "cab"}
    metadata = {str(i): "v" for i in range(20)}
    write_weights(tmp_path / "1", tensors, metadata)
    write_weights(tmp_path / "2", dict(reversed(tensors.items())), dict(reversed(metadata.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_views_and_big_endian_arrays_are_written_as_what_they_mean(tmp_path: Path) -> None:
    array = _sample(np.float32)
    write_weights(tmp_path / "w", {"t": array.T, "b": array.astype(">f4")})
    weights = read_weights(tmp_path / "w")
    assert (weights["t"].read() == array.T).all()
    assert (weights["b"].read() == array).all()


def test_every_tensor_is_aligned_to_its_elements(tmp_path: Path) -> None:
    tensors = {"a": np.ones(3, np.int8), "b": np.ones(1, np.float64), "c": np.ones(1, np.float16)}
    write_weights(tmp_path / "w", tensors)
    length = struct.unpack("<Q", (tmp_path / "w").read_bytes()[:8])[0]
    assert length % 8 == 0
    for name, entry in header.read_header(tmp_path / "w").tensors.items():
        assert entry.begin % tensors[name].itemsize == 0


def test_data_is_read_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, {"a": np.zeros(4, np.float32)})
    weights = read_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[:-16] + np.ones(4, np.float32).tobytes())
    assert weights["a"].read().tolist() == [1, 1, 1, 1]
    path.unlink()
    with pytest.raises(Fault):
        weights["a"].read()


# ---- what is refused -----------------------------------------------------------------------------


def _problem(path: Path) -> str:
    with pytest.raises(Fault) as caught:
        read_weights(path)
    assert isinstance(caught.value.fact, UnreadableWeights)
    assert caught.value.fact.diagnostic().message.startswith("cannot read weights from")
    return caught.value.fact.problem


def _with_header(path: Path, text: str | bytes | dict[str, Any], data: bytes = b"") -> Path:
    if isinstance(text, dict):
        text = json.dumps(text)
    encoded = text.encode() if isinstance(text, str) else text
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)
    return path


def _tensor(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes


HOSTILE: list[tuple[str | bytes | dict[str, Any], str]] = [
    ("", "no safetensors header"),
    ("[]", "no safetensors header"),
    (" {}", "no safetensors header"),
    ("{", "not JSON"),
    ('{"a": NaN', "not JSON"),
    (b"{\xff}", "not UTF-8"),
    ('{"a":' + "[" * 100_000, "nested too deeply"),
    ('{"a":' + '{"a":' * 100_000, "nested too deeply"),
    ('{"a":' + "9" * 5000 + "}", "not JSON"),
    ('{"a":{},"a":{}}', "'a' stands there twice"),
    ('{"a":{"dtype":"F32","dtype":"F64"}}', "'dtype' stands there twice"),
    ({"__metadata__": {"k": 1}}, "metadata is not a map of strings"),
    ({"__metadata__": []}, "metadata is not a map of strings"),
    ({"a": []}, "not described"),
    ({"a": _tensor(extra=1)}, "not described"),
    ({"": _tensor()}, "is no name"),
    ({"a\x00b": _tensor()}, "is no name"),
    ({"a\u202eb": _tensor()}, "is no name"),
    ('{"\\ud800": {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', "is no name"),
    ({"a" * 2000: _tensor()}, "is no name"),
    ({"a": _tensor(dtype="Q4")}, "not supported"),
    ({"a": _tensor(dtype=["F32"])}, "not supported"),
    ({"a": _tensor(shape=[-2])}, "not a list of sizes"),
    ({"a": _tensor(shape=[True, 2])}, "not a list of sizes"),
    ({"a": _tensor(shape=[2.0])}, "not a list of sizes"),
    ({"a": _tensor(shape=[2**64])}, "not a list of sizes"),
    ({"a": _tensor(shape=[1] * 100)}, "not a list of sizes"),
    ({"a": _tensor(shape={"0": 2})}, "not a list of sizes"),
    ({"a": _tensor(data_offsets=[8, 0])}, "not a beginning and an end"),
    ({"a": _tensor(data_offsets=[0])}, "not a beginning and an end"),
    ({"a": _tensor(data_offsets=[0, 4])}, "has 4 bytes of data, not 8"),
    ({"a": _tensor(shape=[2**62, 2**62])}, "has 8 bytes of data"),
    ({"a": _tensor(data_offsets=[8, 16])}, "follows a hole"),
    ({"a": _tensor(), "b": _tensor()}, "overlaps another tensor"),
    ({"a": _tensor(), "b": _tensor(data_offsets=[4, 12])}, "overlaps another tensor"),
    ({"a": _tensor(shape=[4], data_offsets=[0, 16])}, "truncated: 8 of 16 data bytes"),
    ({"a": _tensor(shape=[1], data_offsets=[0, 4])}, "4 bytes follow the last tensor"),
]


@pytest.mark.parametrize(("text", "problem"), HOSTILE, ids=[str(i) for i in range(len(HOSTILE))])
def test_a_hostile_header_is_refused(
    tmp_path: Path, text: str | bytes | dict[str, Any], problem: str
) -> None:
    assert problem in _problem(_with_header(tmp_path / "w.safetensors", text, bytes(8)))


def test_the_header_that_the_hostile_ones_vary_is_read(tmp_path: Path) -> None:
    weights = read_weights(_with_header(tmp_path / "w", {"a": _tensor()}, bytes(8)))
    assert weights["a"].read().tolist() == [0, 0]


def test_headers_of_impossible_length_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(struct.pack("<Q", 2**63) + b"{}")
    assert "its header would have" in _problem(path)
    path.write_bytes(b"short")
    assert "too short" in _problem(path)
    with path.open("wb") as file:  # a sparse file, so that the length is true
        file.write(struct.pack("<Q", header.HEADER_LIMIT + 1))
        file.truncate(header.HEADER_LIMIT + 100)
    assert "over the limit" in _problem(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "no such file" in _problem(tmp_path / "missing.safetensors")
    assert "neither" in _problem(tmp_path)
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe")
        assert "it is no file" in _problem(tmp_path / "pipe")


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int, cut: bool
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "w"
    write_weights(path, {"a": _sample(np.float32), "b": _sample(np.int8)}, {"k": "v"})
    content = bytearray(path.read_bytes())
    at = position % len(content)
    if cut:
        del content[at:]
    else:
        content[at] = byte
    path.write_bytes(content)
    problem = None
    try:
        for tensor in read_weights(path).values():
            tensor.read()
    except Fault as fault:
        problem = fault.fact
    # A changed byte of data or metadata cannot be told; a missing one can.
    assert isinstance(problem, UnreadableWeights) or (problem is None and not cut)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".pkl", ".PT"])
def test_pickled_formats_are_refused_with_a_command_that_converts(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"it's a model{suffix}"
    shared = torch.arange(6.0).reshape(2, 3)
    torch.save({"a": shared.T, "b": shared}, path)
    with pytest.raises(Fault) as caught:
        read_weights(path)
    fact = caught.value.fact
    assert isinstance(fact, UnsafeWeights)
    assert fact.help is not None
    command = fact.help.removeprefix("convert it: ")
    if suffix == ".pt":  # torch takes seconds to load
        run = ["sh", "-c", command.replace("specc", f"{sys.executable} -m specc", 1)]
        subprocess.run(run, check=True)
        converted = read_weights(path.with_suffix(".safetensors"))
        assert (converted["a"].read() == shared.T.numpy()).all()


def test_a_pickle_by_another_name_is_told(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(Fault) as caught:
        read_weights(path)
    assert isinstance(caught.value.fact, UnsafeWeights)
    assert caught.value.fact.help == (
        f"convert it: specc convert {path} -o {tmp_path / 'w.converted.safetensors'}"
    )


def test_a_file_that_is_not_there_is_not_to_be_converted(tmp_path: Path) -> None:
    assert _problem(tmp_path / "w.pt") == "there is no such file"


def test_a_folder_whose_weights_have_another_name_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        read_weights(tmp_path)
    assert caught.value.fact.help is None
    torch.save({"a": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(Fault) as caught:
        read_weights(tmp_path)
    target = tmp_path / "model.safetensors"
    command = f"specc convert {tmp_path / 'pytorch_model.bin'} -o {target}"
    assert caught.value.fact.help == f"convert it: {command}"
    write_weights(tmp_path / "adapter.safetensors", {"a": np.ones(2)})
    with pytest.raises(Fault) as caught:
        read_weights(tmp_path)
    assert caught.value.fact.help == (
        "it has adapter.safetensors: name the file in place of the folder"
    )


# ---- shards --------------------------------------------------------------------------------------


def _write_shards(folder: Path, **weight_map: Any) -> None:
    write_weights(folder / "model-1.safetensors", {"a": np.ones(2, np.float32)})
    write_weights(folder / "model-2.safetensors", {"b": _sample(np.int8), "c": _sample(np.int64)})
    given = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-2.safetensors"}
    (folder / INDEX_NAME).write_text(json.dumps({"metadata": {}, "weight_map": given | weight_map}))


def test_shards_are_read_through_their_index(tmp_path: Path) -> None:
    _write_shards(tmp_path)
    for place in (tmp_path, tmp_path / INDEX_NAME):
        weights = read_weights(place)
        assert list(weights) == ["a", "b", "c"]
        assert (weights["c"].read() == _sample(np.int64)).all()


@pytest.mark.parametrize(
    "name", ["../model-1.safetensors", "/etc/x.safetensors", "a\\b.safetensors", "c:x.safetensors"]
)
def test_a_shard_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    _write_shards(tmp_path)
    _write_shards(folder, a=name)
    assert "weight_map does not map names" in _problem(folder)


@pytest.mark.parametrize("name", ["model.pt", "..", "", 3, None, ["model-1.safetensors"]])
def test_a_shard_that_is_no_safetensors_file_is_refused(tmp_path: Path, name: Any) -> None:
    _write_shards(tmp_path, a=name)
    assert "weight_map does not map names" in _problem(tmp_path)


def test_an_index_that_its_shards_do_not_bear_out_is_refused(tmp_path: Path) -> None:
    _write_shards(tmp_path, d="model-1.safetensors")
    assert "disagree on whether 'd'" in _problem(tmp_path)
    _write_shards(tmp_path, a="model-3.safetensors")
    assert "no such file" in _problem(tmp_path)
    (tmp_path / INDEX_NAME).write_text("[]")
    assert "weight_map" in _problem(tmp_path)


def test_weights_in_memory_read_as_those_in_files() -> None:
    weights = Weights.of({"a": _sample(np.float32)}, source="a module")
    assert weights["a"].shape == (2, 3)
    assert (weights["a"].read() == _sample(np.float32)).all()
