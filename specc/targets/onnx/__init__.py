"""The ONNX target: the IR as an ONNX graph, built with onnx-ir; nothing is traced or run.

Each operator's entry lowers itself (``lower``) against a builder (``builder``) that checks nodes
against ONNX's own schemas, computes symbolic sizes (``sizes``) and shares constants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import onnx_ir as oir

from specc.ir.graph import Network
from specc.targets.onnx.lower import to_ir_model
from specc.targets.onnx.opsets import DEFAULT_OPSET, HIGHEST_OPSET, LOWEST_OPSET

__all__ = ["DEFAULT_OPSET", "HIGHEST_OPSET", "LOWEST_OPSET", "to_ir_model", "to_onnx"]


def to_onnx(
    network: Network,
    *,
    weights: Mapping[str, Any] | None = None,
    seed: int = 0,
    opset: int | None = None,
) -> onnx.ModelProto:
    """``network`` as an ONNX model with its weights in it; the same bytes on every run.

    Takes and raises what ``to_ir_model`` does. A model of 2 GB or more cannot be one message:
    ``save`` writes it.
    """
    return oir.to_proto(to_ir_model(network, weights=weights, seed=seed, opset=opset))
