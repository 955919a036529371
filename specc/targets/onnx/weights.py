"""Parameters as onnx-ir tensors: over the caller's arrays, or drawn when they are first read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_ir as oir

from specc.initialize.values import initial_values
from specc.ir.graph import Network, Parameter
from specc.targets.onnx.dtypes import ONNX_DTYPES, onnx_shape


class Weights:
    """The tensor of each parameter of a network."""

    def __init__(self, network: Network, weights: Mapping[str, Any] | None, seed: int) -> None:
        self._given = weights
        self._seed = seed

    def tensor(self, parameter: Parameter) -> oir.TensorProtocol:
        """The parameter's values; no copy is made of a given array."""
        dtype, shape = ONNX_DTYPES[parameter.type.dtype], onnx_shape(parameter.type.shape)
        if self._given is not None:
            return oir.Tensor(self._given[parameter.name], dtype, shape=shape)
        seed = self._seed

        def draw() -> oir.Tensor[Any]:
            ((_, values),) = initial_values([parameter], seed)
            return oir.Tensor(values, dtype)

        return oir.LazyTensor(draw, dtype, shape)
