"""Asserts that a network of one operator gives certain values on every target."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from specc.ir.graph import Network
from specc.ir.types import TensorType
from specc.ops.registry import operators
from specc.ops.single import single
from specc.targets.onnx import HIGHEST_OPSET, LOWEST_OPSET, to_onnx
from specc.targets.torch import TORCH_DTYPES, module

DTYPES = {torch_dtype: dtype for dtype, torch_dtype in TORCH_DTYPES.items()}
OPSETS = (LOWEST_OPSET, 18, HIGHEST_OPSET)


def network(name: str, inputs: Sequence[torch.Tensor], arguments: dict[str, Any]) -> Network:
    types = tuple(TensorType(DTYPES[x.dtype], tuple(x.shape)) for x in inputs)
    return single(operators()[name], types, arguments)


def on_onnxruntime(net: Network, inputs: Sequence[torch.Tensor], opset: int) -> list[NDArray[Any]]:
    model = to_onnx(net, opset=opset).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feeds = {port.name: x.numpy() for port, x in zip(net.inputs, inputs, strict=True)}
    return [np.asarray(result) for result in session.run(None, feeds)]


def assert_gives(
    expected: torch.Tensor, name: str, *inputs: torch.Tensor, **arguments: Any
) -> None:
    """Asserts that shape rule, PyTorch and onnxruntime at several opsets all give ``expected``."""
    net = network(name, inputs, arguments)
    (port,) = net.outputs
    assert (TORCH_DTYPES[port.type.dtype], port.type.shape) == (expected.dtype, expected.shape)
    torch.testing.assert_close(module(net)(*inputs), expected, equal_nan=True)
    for opset in OPSETS:
        (found,) = on_onnxruntime(net, inputs, opset)
        torch.testing.assert_close(torch.from_numpy(found), expected, equal_nan=True)
