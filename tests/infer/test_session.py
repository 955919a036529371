"""onnxruntime sessions: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from specc.infer.session import run, session
from specc.initialize.rounding import NUMPY_DTYPES
from specc.ir.types import DType, parse_type
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.onnx import to_onnx


def session_of(operator: str, dtype: str) -> Any:
    """A session that applies one operator to an input of two columns."""
    net = single(operators()[operator], (parse_type(f"{dtype}[N, 2]"),), {})
    return session(to_onnx(net).SerializeToString())


@pytest.mark.parametrize("dtype", DType)
def test_every_dtype_goes_in_and_comes_out(dtype: DType) -> None:
    x = np.array([[1.5, 2.0], [0.0, 3.0]]).astype(NUMPY_DTYPES[dtype])
    y = run(session_of("identity", dtype.value), {"x": x.T})["y"]
    assert y.dtype == x.dtype
    assert np.array_equal(y, x.T)
    y[0] = 0  # the result is the caller's own


def test_lists_take_the_models_dtype() -> None:
    assert run(session_of("relu", "f16"), {"x": [[1, -2]]})["y"].tolist() == [[1.0, 0.0]]


def test_arrays_of_another_dtype_are_refused() -> None:
    with pytest.raises(TypeError, match="x is float64; the model takes float32"):
        run(session_of("relu", "f32"), {"x": np.ones([1, 2])})


@pytest.mark.parametrize("names", [[], ["x", "z"], ["z"]])
def test_the_inputs_must_be_the_models(names: list[str]) -> None:
    with pytest.raises(ValueError, match="missing or unknown"):
        run(session_of("relu", "f32"), {name: [[1, 2]] for name in names})


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:x", "cuda:-1"])
def test_unknown_devices_are_refused(device: str) -> None:
    with pytest.raises(ValueError, match="no such device"):
        session(b"", device)
