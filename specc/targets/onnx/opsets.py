"""The versions of ONNX that the target writes."""

from __future__ import annotations

from functools import cache

from onnx import OperatorSetIdProto, helper

from specc.frontend.diagnostics import Fault
from specc.targets.facts import OpsetOutOfRange

LOWEST_OPSET = 17  # the first with LayerNormalization; Shape takes `start` and `end` from 15 on
HIGHEST_OPSET = 24
DEFAULT_OPSET = 21  # the first that keeps metadata on nodes (IR version 10)


def checked_opset(opset: int | None) -> int:
    """``opset``, or the default for None. Raises a Fault with OpsetOutOfRange."""
    if opset is None:
        return DEFAULT_OPSET
    if not LOWEST_OPSET <= opset <= HIGHEST_OPSET:
        raise Fault(OpsetOutOfRange(opset=opset, lowest=LOWEST_OPSET, highest=HIGHEST_OPSET))
    return opset


@cache
def ir_version(opset: int) -> int:
    """The file format's version that came with ``opset``, so that old runtimes read old opsets."""
    return int(helper.find_min_ir_version_for([OperatorSetIdProto(domain="", version=opset)]))
