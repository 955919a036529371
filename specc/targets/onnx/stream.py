"""An ONNX file written piece by piece, so that no more than one weight is in memory at a time."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np
import onnx
import onnx_ir as oir

_Message: TypeAlias = onnx.ModelProto | onnx.GraphProto | onnx.TensorProto

_LENGTH_DELIMITED = 2
"""Protobuf's wire type of what its length stands before: bytes and messages."""


def write(model: oir.Model, file: BinaryIO) -> None:
    """Writes the bytes of ``oir.to_proto(model).SerializeToString()``.

    In protobuf a length stands before each message, and the lengths of tensors follow from their
    types. So all but their data is encoded first, and each tensor is drawn, or read from a weight
    file, when its turn comes. As a whole message they would be in memory three times.

    >>> import io
    >>> model = oir.Model(oir.Graph([], [], nodes=[], name="empty"), ir_version=10)
    >>> file = io.BytesIO()
    >>> write(model, file)
    >>> file.getvalue() == oir.to_proto(model).SerializeToString()
    True
    """
    initializers = model.graph.initializers.values()
    tensors = [one.const_value for one in initializers if one.const_value is not None]
    proto = _without_data(model)
    frames = [
        _Frame.of(header, tensor.nbytes)
        for header, tensor in zip(proto.graph.initializer, tensors, strict=True)
    ]
    before, after = _around(proto, "graph")
    first, last = _around(proto.graph, "initializer")
    size = len(first) + sum(frame.size for frame in frames) + len(last)
    file.write(before + _key(onnx.ModelProto, "graph", size) + first)
    for frame, tensor in zip(frames, tensors, strict=True):
        file.write(frame.before)
        start = file.tell()
        assert isinstance(tensor, oir.Tensor | oir.LazyTensor), tensor
        tensor.tofile(file)
        assert file.tell() - start == tensor.nbytes, f"{tensor.name} has another size than its type"
        file.write(frame.after)
    file.write(last + after)


class _Frame(NamedTuple):
    """What stands around the data of an initializer."""

    before: bytes
    after: bytes
    size: int
    """Of all three, in bytes."""

    @classmethod
    def of(cls, header: onnx.TensorProto, nbytes: int) -> _Frame:
        first, last = _around(header, "raw_data")
        first += _key(onnx.TensorProto, "raw_data", nbytes)
        size = len(first) + nbytes + len(last)
        key = _key(onnx.GraphProto, "initializer", size)
        return cls(key + first, last, len(key) + size)


def _without_data(model: oir.Model) -> onnx.ModelProto:
    """The model as a message, each initializer with its name and type and no elements."""
    nothing = oir.Tensor(np.empty(0, np.uint8))
    values = [one for one in model.graph.initializers.values() if one.const_value is not None]
    tensors = [one.const_value for one in values]
    try:
        for value, tensor in zip(values, tensors, strict=True):
            assert tensor is not None
            value.const_value = oir.LazyTensor(
                lambda: nothing,
                tensor.dtype,
                oir.Shape(tensor.shape.numpy()),
                name=tensor.name,
                doc_string=tensor.doc_string,
                metadata_props=dict(tensor.metadata_props),
            )
        return oir.to_proto(model)
    finally:
        for value, tensor in zip(values, tensors, strict=True):
            value.const_value = tensor


def _around(message: _Message, field: str) -> tuple[bytes, bytes]:
    """The encodings of the fields before ``field`` and of those after it.

    Protobuf writes a message's fields in the order of their numbers.
    """
    number = message.DESCRIPTOR.fields_by_name[field].number
    first, last = type(message)(), type(message)()
    first.CopyFrom(message)
    last.CopyFrom(message)
    for one, _ in message.ListFields():
        if one.number >= number:
            first.ClearField(one.name)
        if one.number <= number:
            last.ClearField(one.name)
    return first.SerializeToString(), last.SerializeToString()


def _key(message: type[_Message], field: str, size: int) -> bytes:
    """What stands before ``size`` bytes that are the value of ``field``."""
    number = message.DESCRIPTOR.fields_by_name[field].number
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the low ones first; a byte's eighth bit says that more follow."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
