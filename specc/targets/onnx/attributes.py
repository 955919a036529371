"""Attributes of ONNX nodes, checked against the operator's schema as they are set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx_ir as oir
from onnx.defs import OpSchema

from specc.ir.types import DType
from specc.targets.onnx.dtypes import ONNX_DTYPES


@cache
def schema(op_type: str, opset: int) -> OpSchema:
    """The definition of an operator of the default domain that holds at ``opset``.

    Raises onnx.defs.SchemaError where there is none: a lowering is wrong.
    """
    return onnx.defs.get_schema(op_type, opset, "")


def _int(value: Any) -> int:
    if isinstance(value, DType):  # the `to` of a Cast
        return int(ONNX_DTYPES[value])
    assert value == int(value), value
    return int(value)


_Kind = OpSchema.AttrType
_MAKE: dict[Any, Callable[[str, Any], oir.Attr]] = {
    _Kind.INT: lambda name, value: oir.AttrInt64(name, _int(value)),
    _Kind.INTS: lambda name, value: oir.AttrInt64s(name, [_int(item) for item in value]),
    _Kind.FLOAT: lambda name, value: oir.AttrFloat32(name, float(value)),
    _Kind.FLOATS: lambda name, value: oir.AttrFloat32s(name, [float(item) for item in value]),
    _Kind.STRING: lambda name, value: oir.AttrString(name, str(value)),
    _Kind.STRINGS: lambda name, value: oir.AttrStrings(name, [str(item) for item in value]),
    _Kind.TENSOR: lambda name, value: oir.AttrTensor(name, oir.Tensor(np.asarray(value))),
}


def onnx_attributes(op_type: str, opset: int, given: Mapping[str, Any]) -> list[oir.Attr]:
    """The attributes of a node, those of value None left out; an int serves as a float."""
    known = schema(op_type, opset).attributes
    attributes = []
    for name, value in given.items():
        if value is None:
            continue
        assert name in known, f"{op_type} of opset {opset} has no attribute {name!r}"
        attributes.append(_MAKE[known[name].type](name, value))
    return attributes
