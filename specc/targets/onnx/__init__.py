"""The ONNX target: the IR as an ONNX graph, built with onnx-ir; nothing is traced or run.

Each operator's entry lowers itself (``lower``) against a builder (``builder``) that checks nodes
against ONNX's own schemas, computes symbolic sizes (``sizes``) and shares constants.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx
import onnx_ir as oir

from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.targets.onnx.lower import to_ir_model
from specc.targets.onnx.opsets import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET
from specc.targets.onnx.save import save
from specc.targets.onnx.weights import GivenWeights

__all__ = ["DEFAULT_OPSET", "HIGHEST_OPSET", "LOWEST_OPSET", "save", "to_ir_model", "to_onnx"]


def to_onnx(
    network: Network,
    *,
    weights: GivenWeights | None = None,
    seed: int = 0,
    opset: int | None = None,
    operators: Mapping[str, Operator] | None = None,
    strip: bool = False,
) -> onnx.ModelProto:
    """``network`` as an ONNX model with its weights in it; the same bytes on every run.

    Takes and raises what ``to_ir_model`` does. A model of 2 GB or more cannot be one message:
    ``save`` writes it.
    """
    model = to_ir_model(
        network, weights=weights, seed=seed, opset=opset, operators=operators, strip=strip
    )
    return oir.to_proto(model)
