"""Parameters as onnx-ir tensors: given arrays or initial values, read when they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import onnx_ir as oir
from numpy.typing import NDArray

from specc.ir.graph import Network, Parameter
from specc.targets.initial_values import Draw
from specc.targets.onnx.dtypes import ONNX_DTYPES, onnx_shape
from specc.weights.fit import fit
from specc.weights.safetensors import StoredTensor, Weights

GivenWeights: TypeAlias = Weights | Mapping[str, NDArray[Any]]
"""A weight file's tensors, or arrays by name; an alias may stand in an owner's place."""


class ParameterTensors:
    """The tensor of each parameter of a network: the given weights', else what ``draw`` gives.

    Raises a Fault with WeightsDoNotFit for weights that are not the network's.
    """

    def __init__(self, network: Network, weights: GivenWeights | None, draw: Draw) -> None:
        self._draw = draw
        self._given: dict[str, StoredTensor] | None = None
        if weights is not None:
            stored = weights if isinstance(weights, Weights) else Weights.of(weights)
            self._given = fit(stored, network.parameters, network.aliases)

    def __getitem__(self, parameter: Parameter) -> oir.TensorProtocol:
        """The parameter's values; arrays in memory are neither copied nor read here."""
        given = None if self._given is None else self._given[parameter.name]
        draw = self._draw
        dtype = ONNX_DTYPES[parameter.type.dtype]

        def read() -> oir.Tensor[Any]:
            if given is not None:
                return oir.Tensor(given.read(), dtype)
            return oir.Tensor(draw(parameter), dtype)

        return oir.LazyTensor(read, dtype, onnx_shape(parameter.type.shape))
