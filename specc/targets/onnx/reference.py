"""A small network run on arrays, by ONNX's own reference evaluator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as oir
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from specc.ir.graph import Network
from specc.targets.onnx.lower import to_ir_model
from specc.targets.onnx.opsets import DEFAULT_OPSET


def run(network: Network, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """The outputs of ``network``, which has no parameters.

    The reference evaluator and not onnxruntime: it has every operator in float64, where a runtime
    lacks kernels, it follows the standard's text, and it has no threads or fused kernels of its
    own whose last bit depends on the machine.
    """
    assert not network.parameters
    model = oir.to_proto(to_ir_model(network, opset=DEFAULT_OPSET, strip=True))
    # Infinities and NaN are values like others here; a network's own arithmetic does not warn.
    with np.errstate(all="ignore"):
        named = {port.name: value for port, value in zip(network.inputs, inputs, strict=True)}
        return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, named)]
