"""Operators that a host program defines: ``op`` makes the entry of the table from a few lines.

The entry is the same as a built-in one (``specc.ops.operator.Operator``), so all that is made from
entries is made from these as well: checks, both targets, documentation, and ``specc.testing``.
"""

from specc.extension.define import op
from specc.extension.onnx_forms import OnnxNode

__all__ = ["OnnxNode", "op"]
