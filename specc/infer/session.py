"""onnxruntime sessions: numpy in, numpy out, bfloat16 included."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

_BFLOAT16 = 16  # onnx.TensorProto.BFLOAT16; this module needs onnxruntime alone
_FATAL = 4  # what is less is raised, and need not be printed as well

_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(bfloat16)": np.dtype(ml_dtypes.bfloat16),
    "tensor(double)": np.dtype(np.float64),
    "tensor(int8)": np.dtype(np.int8),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(bool)": np.dtype(np.bool_),
}


def session(
    model: str | Path | bytes,
    device: str = "cpu",
    *,
    threads: int | None = None,
    libraries: Iterable[str] = (),
) -> ort.InferenceSession:
    """A session for a file or a serialized model.

    Args:
        model: The file, or a model's bytes.
        device: ``cpu``, ``cuda`` or ``cuda:1``. Operators that have no CUDA kernel run on the CPU.
        threads: How many work on one operator; None leaves it to onnxruntime.
        libraries: Paths of shared libraries with operators of domains that are not ONNX's own.

    Raises:
        ValueError: if this build of onnxruntime does not have the device.
        Exception: onnxruntime's own, for a file or a library that it cannot load.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _FATAL
    if threads is not None:
        options.intra_op_num_threads = threads
    for library in libraries:
        options.register_custom_ops_library(library)
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=_providers(device))


def _providers(device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    if kind == "cpu" and not index:
        return ["CPUExecutionProvider"]
    if kind != "cuda" or not (index.isdecimal() or index == ""):
        raise ValueError(f"no such device: {device!r} (cpu, cuda, or cuda with a number: cuda:1)")
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise ValueError("this onnxruntime has no CUDA; onnxruntime-gpu has")
    return [("CUDAExecutionProvider", {"device_id": int(index or 0)}), "CPUExecutionProvider"]


def run(
    session: ort.InferenceSession,
    inputs: Mapping[str, ArrayLike],
    *,
    limit: float | None = None,
) -> dict[str, NDArray[Any]]:
    """The outputs by name. Inputs become arrays of the dtypes that the model takes.

    Args:
        session: The session.
        inputs: An array for each input of the model.
        limit: The seconds after which the run is stopped, between two nodes.

    Raises:
        ValueError: for a missing or an unknown input.
        TypeError: for a dtype that would lose something on the way.
        TimeoutError: where the run was stopped.
        Exception: onnxruntime's own, where a shape is wrong.
    """
    wanted = {port.name: port.type for port in session.get_inputs()}
    if wrong := wanted.keys() ^ inputs.keys():
        names = ", ".join(sorted(wrong))
        raise ValueError(f"the model takes {', '.join(wanted)}; missing or unknown: {names}")
    values = {name: _to_ort(name, inputs[name], type_) for name, type_ in wanted.items()}
    outputs = [port.name for port in session.get_outputs()]
    if limit is None:
        results = session.run_with_ort_values(outputs, values)
    else:
        with _stop_after(limit) as options:
            results = session.run_with_ort_values(outputs, values, options)
    return dict(zip(outputs, map(_to_numpy, results), strict=True))


@contextmanager
def _stop_after(limit: float) -> Iterator[ort.RunOptions]:
    """Options of a run that is stopped after ``limit`` seconds, which raises TimeoutError."""
    options = ort.RunOptions()
    options.log_severity_level = _FATAL
    timer = threading.Timer(limit, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield options
    except Exception as error:
        if options.terminate:  # onnxruntime has no exception of its own for it
            raise TimeoutError(f"{limit:g} s have passed") from error
        raise
    finally:
        timer.cancel()


def _to_ort(name: str, value: ArrayLike, type_: str) -> ort.OrtValue:
    dtype = _DTYPES[type_]
    array = np.asarray(value)
    if array.dtype != dtype:
        if isinstance(value, np.ndarray | np.generic):
            raise TypeError(f"{name} is {array.dtype}; the model takes {dtype}")
        array = array.astype(dtype)  # a list has no dtype of its own
    array = np.asarray(array, order="C")
    if dtype == ml_dtypes.bfloat16:  # not a dtype of numpy's, so onnxruntime is told
        bits = array.view(np.uint16)
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, _BFLOAT16)
    return ort.OrtValue.ortvalue_from_numpy(array)


def _to_numpy(value: ort.OrtValue) -> NDArray[Any]:
    if value.data_type() != "tensor(bfloat16)":
        return np.asarray(value.numpy())
    assert value.device_name().lower() == "cpu", value.device_name()
    content = ctypes.string_at(value.data_ptr(), value.tensor_size_in_bytes())
    return np.frombuffer(content, ml_dtypes.bfloat16).reshape(value.shape()).copy()
