"""Tensors in files: what goes in comes out, and what is no safe file is refused."""

from __future__ import annotations

import json
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn

import specc
from specc.cli.main import main
from specc.frontend.diagnostics import SpecError
from specc.weights.safetensors import write_weights

TORCH_DTYPES = [
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.uint8),
    *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.safetensors"


def refused(call: Any) -> tuple[str, str]:
    """The code and the message of the error that ``call`` raises."""
    with pytest.raises(SpecError) as caught:
        call()
    (found,) = caught.value.diagnostics
    return found.code, f"{found.message}; {found.help}"


# ---- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", TORCH_DTYPES, ids=str)
def test_a_torch_tensor_of_any_dtype(path: Path, dtype: torch.dtype) -> None:
    tensor = torch.tensor([[0, 1, 1]]).to(dtype)
    specc.save(path, tensor)
    found = specc.read(path)
    assert found.dtype is dtype
    assert found.tolist() == tensor.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, ml_dtypes.bfloat16, ">f4"])
def test_a_numpy_array(path: Path, dtype: Any) -> None:
    array = np.array([[0, 1, 1]]).astype(dtype)
    specc.save(path, array)
    found = specc.read(path)
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype.newbyteorder("=")
    assert np.array_equal(found, array)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,)])
def test_any_shape(path: Path, shape: tuple[int, ...]) -> None:
    specc.save(path, torch.ones(shape))
    assert specc.read(path).shape == shape


@pytest.mark.parametrize("length", [0, 1, 12])
def test_a_list_keeps_its_order(path: Path, length: int) -> None:
    specc.save(path, [torch.full((i,), i) for i in range(length)])
    found = specc.read(path)
    assert [tensor.tolist() for tensor in found] == [[i] * i for i in range(length)]


def test_a_dict_keeps_its_order(path: Path) -> None:
    given = {"x": torch.arange(4, dtype=torch.int8), "a.b": torch.ones(2, dtype=torch.float64)}
    specc.save(path, given)
    found = specc.read(path)
    assert list(found) == ["x", "a.b"]
    assert all(torch.equal(found[name], given[name]) for name in given)


def test_the_values_of_a_module_are_kept_and_nothing_else(path: Path) -> None:
    layer = nn.Linear(3, 2)
    specc.save(path, {"w": layer.weight, "t": layer.weight.T, "row": layer.weight[1]})
    found = specc.read(path)
    assert not found["w"].requires_grad
    assert torch.equal(found["t"], layer.weight.T)
    found["w"].zero_()
    assert torch.equal(found["row"], layer.weight[1])


def test_either_framework_reads_what_the_other_saved(path: Path) -> None:
    specc.save(path, [torch.ones(2)])
    (array,) = specc.read(path, framework="numpy")
    assert isinstance(array, np.ndarray)
    specc.save(path, np.ones(2))
    assert isinstance(specc.read(path, framework="torch"), torch.Tensor)


def test_other_tools_read_the_file(path: Path) -> None:
    specc.save(path, {"a": np.arange(3)})
    assert load_file(path)["a"].tolist() == [0, 1, 2]


def test_files_of_other_tools_are_dicts_of_arrays(path: Path) -> None:
    save_file({"b": torch.ones(2), "a": torch.zeros(1)}, path)
    found = specc.read(path)
    assert {name: array.tolist() for name, array in found.items()} == {"a": [0], "b": [1, 1]}


def test_the_file_takes_its_place_whole(path: Path) -> None:
    specc.save(path, torch.ones(2))
    with pytest.raises(TypeError):
        specc.save(path, [torch.ones(3), "text"])
    assert specc.read(path).tolist() == [1, 1]
    assert list(path.parent.iterdir()) == [path]


# ---- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3.0, "the value is an array or a tensor"),
        ("x", "the value is an array or a tensor"),
        (None, "not None"),
        ([torch.ones(1), 2], "'1' is an array or a tensor"),
        ({"a": [torch.ones(1)]}, "'a' is an array or a tensor"),
        ({1: torch.ones(1)}, "the names of tensors are strings"),
        ([torch.ones(1), np.ones(1)], "not both"),
        (torch.ones(1, dtype=torch.complex64), "complex64"),
        (np.array(["text"]), "which safetensors files do not hold"),
        (np.array([object()]), "which safetensors files do not hold"),
        (torch.ones(2, 2).to_sparse(), "sparse"),
        ({"a": torch.empty(2, device="meta")}, "'a': a tensor on the meta device has no values"),
    ],
)
def test_nothing_but_tensors_is_saved(path: Path, value: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        specc.save(path, value)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", "__metadata__", "a\nb", "x" * 2000])
def test_a_name_that_a_file_cannot_have_is_refused(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a tensor"):
        specc.save(path, {name: torch.ones(1)})


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    code, _ = refused(lambda: specc.save(tmp_path / "no" / "x.safetensors", torch.ones(1)))
    assert code == "cannot-write"


def test_a_file_that_is_not_there_truncated_or_corrupt_is_an_error(path: Path) -> None:
    assert refused(lambda: specc.read(path))[0] == "unreadable-weights"
    specc.save(path, torch.ones(100))
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert "truncated: 7 of 400" in refused(lambda: specc.read(path))[1]
    path.write_bytes(b"\xff" * 50)
    assert refused(lambda: specc.read(path))[0] == "unreadable-weights"


@pytest.mark.parametrize(
    "structure",
    [
        "not json",
        "[]",
        "1",
        '{"kind": "set", "names": ["a"], "framework": "numpy"}',
        '{"kind": "dict", "names": ["b"], "framework": "numpy"}',
        '{"kind": "dict", "names": 3, "framework": "numpy"}',
        '{"kind": "dict", "names": ["a", "a"], "framework": "numpy"}',
        '{"kind": "dict", "names": ["a"], "framework": "os"}',
        '{"kind": "list", "names": ["a"], "framework": "numpy"}',
        '{"kind": ["dict"], "names": [["a"]], "framework": "numpy"}',
        "[" * 100_000,
    ],
)
def test_what_a_file_says_of_itself_is_not_believed(path: Path, structure: str) -> None:
    write_weights(path, {"a": np.ones(1)}, {"specc.value": structure})
    assert "what it says of its tensors" in refused(lambda: specc.read(path))[1]


def test_another_framework_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="framework is"):
        specc.read(path, framework="jax")  # type: ignore[arg-type]


# ---- torch's own files ---------------------------------------------------------------------------


class Evil:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def test_a_pickled_file_is_not_read_and_the_command_that_converts_is_named(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "x.pt")
    code, said = refused(lambda: specc.read(tmp_path / "x.pt"))
    assert code == "unsafe-weights"
    assert f"specc convert {tmp_path}/x.pt -o {tmp_path}/x.safetensors" in said


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(b=torch.ones(2, 3).T, a=torch.arange(2)),
        [torch.ones(1, dtype=torch.bfloat16), torch.zeros(2)],
        torch.arange(3.0),
        nn.Parameter(torch.arange(3.0)),
    ],
    ids=["state dict", "list", "tensor", "parameter"],
)
def test_a_torch_file_is_converted(tmp_path: Path, path: Path, value: Any) -> None:
    torch.save(value, tmp_path / "x.pt")
    specc.convert(tmp_path / "x.pt", path)
    found = specc.read(path)
    if isinstance(value, OrderedDict):
        assert list(found) == ["b", "a"]
        assert all(torch.equal(found[name], value[name]) for name in value)
    elif isinstance(value, list):
        assert all(torch.equal(a, b) for a, b in zip(found, value, strict=True))
    else:
        assert torch.equal(found, value)


def test_copies_of_one_storage_are_each_written(tmp_path: Path, path: Path) -> None:
    shared = torch.ones(2)
    torch.save({"a": shared, "b": shared}, tmp_path / "x.pt")
    assert specc.convert(tmp_path / "x.pt", path) == {"a": (2,), "b": (2,)}


def test_a_part_is_taken(tmp_path: Path, path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": {"w": torch.ones(1)}}, tmp_path / "x.ckpt")
    code, said = refused(lambda: specc.convert(tmp_path / "x.ckpt", path))
    assert code == "unreadable-weights"
    assert "its entry 'epoch' is a Python int, not a tensor" in said
    assert "--part state_dict" in said
    assert (
        "did you mean 'state_dict'"
        in refused(lambda: specc.convert(tmp_path / "x.ckpt", path, part="state_dcit"))[1]
    )
    assert specc.convert(tmp_path / "x.ckpt", path, part="state_dict") == {"w": (1,)}


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_file_does_not_run(tmp_path: Path, path: Path, legacy: bool) -> None:
    value = {"w": torch.ones(1), "x": Evil(tmp_path / "made")}
    torch.save(value, tmp_path / "x.pt", _use_new_zipfile_serialization=not legacy)
    code, said = refused(lambda: specc.convert(tmp_path / "x.pt", path))
    assert code == "unreadable-weights"
    assert "mkdir" in said
    assert "weights_only" not in said
    assert not (tmp_path / "made").exists()
    assert not path.exists()


def test_a_plain_pickle_does_not_run(tmp_path: Path, path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(pickle.dumps(Evil(tmp_path / "made")))
    assert refused(lambda: specc.convert(tmp_path / "x.pt", path))[0] == "unreadable-weights"
    assert not (tmp_path / "made").exists()


def test_a_damaged_file_is_refused(tmp_path: Path, path: Path) -> None:
    torch.save({"a": torch.ones(100)}, tmp_path / "x.pt")
    whole = (tmp_path / "x.pt").read_bytes()
    for damaged in (whole[:-300], whole[: len(whole) // 2], b"", b"text", whole[100:]):
        (tmp_path / "x.pt").write_bytes(damaged)
        assert refused(lambda: specc.convert(tmp_path / "x.pt", path))[0] == "unreadable-weights"


@pytest.mark.parametrize(
    "value",
    [3, {"a": 3}, {1: torch.ones(1)}, {"a": torch.ones(1, dtype=torch.complex64)}, "text"],
    ids=str,
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, path: Path, value: Any) -> None:
    torch.save(value, tmp_path / "x.pt")
    assert refused(lambda: specc.convert(tmp_path / "x.pt", path))[0] == "unreadable-weights"


def test_the_command_line_converts_what_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    program = specc.compile("std.mlp")
    torch.save(program.module(seed=1).state_dict(), "mlp.pt")
    assert main(["build", "std.mlp", "-o", "x.safetensors", "--weights", "mlp.pt"]) == 3
    advice = capsys.readouterr().err
    command = advice[advice.index("specc convert") :].split()
    assert main(command[1:]) == 0
    assert capsys.readouterr().out.startswith("wrote mlp.safetensors (")
    assert main(["build", "std.mlp", "-o", "x.safetensors", "--weights", "mlp.safetensors"]) == 0
    assert main(["convert", "mlp.pt", "-o", "mlp.txt"]) == 2


def test_a_folder_of_shards_gives_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    program = specc.compile("std.mlp")
    state = program.module(seed=1).state_dict()
    Path("shards").mkdir()
    weight_map = {}
    for number, name in enumerate(state, start=1):
        file = f"model-{number:05}-of-{len(state):05}.safetensors"
        save_file({name: state[name]}, f"shards/{file}")
        weight_map[name] = file
    Path("shards/model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert main(["build", "std.mlp", "-o", "x.onnx", "--weights", "shards"]) == 0
    assert main(["params", "shards"]) == 0
    assert next(iter(state)) in capsys.readouterr().out
    module = program.module(weights="shards")
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
