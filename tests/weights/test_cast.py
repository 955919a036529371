"""Weights of other dtypes become those of the network where someone asks for it."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

import specc
from specc.cli.main import main
from specc.frontend.diagnostics import Fault, SpecError
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.types import DType, TensorType
from specc.weights.cast import cast
from specc.weights.facts import UnreadableWeights
from specc.weights.fit import Parameter
from specc.weights.safetensors import Weights, write_weights

TEXT = """
net Tied(x: i64[N]) -> [N, 5] {
    table = Embedding(5, 3)
    return x |> table |> head: Linear(5, weight=table.weight)
}
"""


class Wanted:
    """A parameter ``w`` of a dtype."""

    def __init__(self, dtype: DType, shape: tuple[int, ...]) -> None:
        self.name = "w"
        self.type = TensorType(dtype, shape)


def converted(array: np.ndarray, dtype: DType) -> np.ndarray:
    wanted: Parameter = Wanted(dtype, array.shape)
    return cast(Weights.of({"w": array}), [wanted], {})["w"].read()


@pytest.mark.parametrize("wanted", [DType.F16, DType.BF16, DType.F32, DType.F64])
@pytest.mark.parametrize("found", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_floats_are_rounded_as_torch_rounds_them(found: type, wanted: DType) -> None:
    values = np.array([0.1, -1.00390625, 3.0, 32000.0, 1e-8, np.inf, np.nan]).astype(found)
    result = converted(values, wanted)
    assert result.dtype == NUMPY_DTYPES[wanted]
    if found is np.float64 and wanted is DType.BF16:  # which torch rounds twice
        return
    target = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
    expected = torch.tensor(values.astype(np.float64)).to(target.get(wanted.value, torch.float64))
    assert np.array_equal(result.astype(np.float64), expected.double().numpy(), equal_nan=True)


@pytest.mark.parametrize("wanted", [DType.I8, DType.U8, DType.I32, DType.I64, DType.F32])
def test_ints_become_ints_and_floats(wanted: DType) -> None:
    result = converted(np.array([0, 1, 100], np.int16), wanted)
    assert (result.dtype, result.tolist()) == (NUMPY_DTYPES[wanted], [0, 1, 100])


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (np.array([300], np.int64), DType.U8),
        (np.array([-1], np.int64), DType.U8),
        (np.array([255], np.uint8), DType.I8),
        (np.array([70000.0], np.float32), DType.F16),
    ],
)
def test_a_value_that_does_not_fit_is_refused(value: np.ndarray, wanted: DType) -> None:
    with pytest.raises(Fault) as caught:
        converted(value, wanted)
    assert isinstance(caught.value.fact, UnreadableWeights)
    assert caught.value.fact.problem.startswith("'w' holds a value")


@pytest.mark.parametrize(
    ("value", "wanted"), [(np.ones(1), DType.I64), (np.ones(1, np.bool_), DType.F32)]
)
def test_other_kinds_stay_as_they_are(value: np.ndarray, wanted: DType) -> None:
    assert converted(value, wanted).dtype == value.dtype


# ---- in a program --------------------------------------------------------------------------------


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """The current folder, with a net, weights in half precision under all names, and these."""
    monkeypatch.chdir(tmp_path)
    state = specc.compile(TEXT).module(seed=1).half().state_dict()
    arrays = {name: value.numpy() for name, value in state.items()}
    arrays["head.weight"] = arrays["table.weight"]
    write_weights("half.safetensors", arrays)
    Path("tied.net").write_text(TEXT)
    return arrays


def test_without_it_another_dtype_does_not_fit(halves: dict[str, np.ndarray]) -> None:
    with pytest.raises(SpecError) as caught:
        specc.compile(TEXT).module(weights="half.safetensors")
    (found,) = caught.value.diagnostics
    assert found.code == "weights-do-not-fit"
    assert found.help == "names and shapes fit: --cast (in Python, cast=True) converts the dtypes"


def test_with_it_every_target_takes_them(halves: dict[str, np.ndarray]) -> None:
    program = specc.compile(TEXT)
    module = program.module(weights="half.safetensors", cast=True)
    wanted = halves["table.weight"].astype(np.float32)
    assert np.array_equal(module.table.weight.detach().numpy(), wanted)
    (table,) = program.parameters("table.*", weights="half.safetensors", cast=True)
    assert np.array_equal(table.values(), wanted)
    built = program.build("x.onnx", weights="half.safetensors", cast=True)
    assert built.parity is not None


def test_the_command_line_takes_it(
    halves: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["build", "tied.net", "-o", "x.safetensors", "--weights", "half.safetensors"]
    assert main(command) == 3
    assert "--cast" in capsys.readouterr().err
    assert main([*command, "--cast"]) == 0
    assert specc.read("x.safetensors")["table.weight"].dtype == np.float32


def test_it_means_nothing_without_weights(
    halves: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "tied.net", "-o", "x.onnx", "--cast"]) == 2
    assert "--cast means nothing" in capsys.readouterr().err
