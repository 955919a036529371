"""Reading and writing safetensors files: one file, or a folder of shards with its index."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from specc.frontend.diagnostics import Fault
from specc.weights.facts import UnreadableWeights, UnsafeWeights, conversion
from specc.weights.files import atomic_write
from specc.weights.header import HEADER_LIMIT, TensorEntry, parse_json, read_header

Array = NDArray[Any]

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"
PICKLED = {".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle"}
"""Suffixes of formats that rest on pickle, which can hold code; none is read."""

_SHOWN = 5
"""Names of a folder's files that a message lists."""

_NUMPY_NAMES: dict[str, type] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NUMPY_DTYPES = {name: np.dtype(scalar) for name, scalar in _NUMPY_NAMES.items()}
_FORMAT_NAMES = {dtype: name for name, dtype in _NUMPY_DTYPES.items()}


class Held(NamedTuple):
    """What a tensor is where it comes from, whatever it is renamed or converted to."""

    name: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor whose type is known and whose data is read by ``read()``, afresh each time."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    read: Callable[[], Array]
    held: Held | None = None


class Weights(Mapping[str, StoredTensor]):
    """Tensors by name, unread; ``source`` says where they come from, for messages."""

    def __init__(
        self,
        tensors: Mapping[str, StoredTensor],
        metadata: Mapping[str, str] | None = None,
        source: str = "memory",
    ) -> None:
        self._tensors = dict(tensors)
        self.metadata = dict(metadata or {})
        self.source = source

    def __getitem__(self, name: str) -> StoredTensor:
        return self._tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    @classmethod
    def of(cls, arrays: Mapping[str, Array], source: str = "memory") -> Weights:
        """Weights that are in memory, such as a state dict as numpy arrays."""
        return cls({name: in_memory(array, name) for name, array in arrays.items()}, source=source)


def in_memory(array: Array, name: str | None = None) -> StoredTensor:
    """An array as a tensor that is read already."""
    held = None if name is None else Held(name, array.dtype)
    return StoredTensor(array.dtype, array.shape, lambda: array, held)


def read_weights(path: str | os.PathLike[str]) -> Weights:
    """Opens a safetensors file, a shard index, or a folder with either; headers alone are read.

    Raises:
        Fault: with ``UnreadableWeights`` or, for a pickled format, ``UnsafeWeights``.
    """
    found = Path(path)
    if found.suffix.lower() in PICKLED and found.is_file():
        raise Fault(UnsafeWeights(path=str(found)))
    if found.is_dir():
        index, single = found / INDEX_NAME, found / SINGLE_NAME
        if index.is_file():
            return _read_sharded(index)
        if not single.is_file():
            problem = f"the folder has neither {INDEX_NAME} nor {SINGLE_NAME}"
            _refuse(found, problem, _advice(found))
        return _read_file(single)
    if found.name.endswith(".safetensors.index.json"):
        return _read_sharded(found)
    return _read_file(found)


def _read_file(path: Path) -> Weights:
    header = read_header(path)
    tensors = {name: _stored(path, name, entry) for name, entry in header.tensors.items()}
    return Weights(tensors, header.metadata, str(path))


def _stored(path: Path, name: str, entry: TensorEntry) -> StoredTensor:
    dtype = _NUMPY_DTYPES[entry.dtype]

    def read() -> Array:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                array: Array = file.get_tensor(name)
        except (SafetensorError, OSError) as error:
            _refuse(path, f"the data of {name!r}: {error}")
        if array.dtype != dtype or array.shape != entry.shape:
            _refuse(path, f"{name!r} has changed since the file was opened")
        return array

    return StoredTensor(dtype, entry.shape, read, Held(name, dtype))


def _read_sharded(index: Path) -> Weights:
    """Shards lie beside their index, which says for each name in which shard it is."""
    try:
        if index.stat().st_size > HEADER_LIMIT:
            _refuse(index, f"it is longer than {HEADER_LIMIT} bytes")
        content = parse_json(index, index.read_bytes())
    except OSError as error:
        _refuse(index, error.strerror or type(error).__name__)
    shard_of = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(shard_of, dict) or not all(map(_is_plain_file_name, shard_of.values())):
        _refuse(index, "its weight_map does not map names to safetensors files beside it")
    tensors: dict[str, StoredTensor] = {}
    metadata: dict[str, str] = {}
    for shard in sorted(set(shard_of.values())):
        weights = _read_file(index.parent / shard)
        named = {name for name, file in shard_of.items() if file == shard}
        if (odd := min(named ^ set(weights), default=None)) is not None:
            _refuse(index, f"it and {shard} disagree on whether {odd!r} is there")
        tensors |= weights
        metadata |= weights.metadata
    return Weights({name: tensors[name] for name in shard_of}, metadata, str(index))


def _is_plain_file_name(name: object) -> bool:
    """Whether the name stays in its folder, on every system."""
    return (
        isinstance(name, str)
        and name.endswith(".safetensors")
        and name.isprintable()
        and not any(separator in name for separator in "/\\:")
    )


def is_storable(dtype: np.dtype[Any]) -> bool:
    """Whether the format has this dtype."""
    return dtype.newbyteorder("=") in _FORMAT_NAMES


def write_weights(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Array | StoredTensor],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a safetensors file, whole or not at all, the same bytes for the same content.

    A stored tensor is read when it is written and not kept, so memory holds one of them at a time.

    Raises:
        Fault: with ``CannotWrite``, where the system refuses.
    """
    # The safetensors library writes metadata in an order that differs from run to run.
    header: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    order = in_file_order({name: tensor.dtype for name, tensor in tensors.items()})
    position = 0
    for name in order:
        dtype, shape = tensors[name].dtype, tensors[name].shape
        end = position + dtype.itemsize * int(np.prod(shape, dtype=object))
        header[name] = {
            "dtype": _FORMAT_NAMES[dtype.newbyteorder("=")],
            "shape": list(shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with atomic_write(path) as staged, staged.open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in order:
            found = tensors[name]
            array = np.ascontiguousarray(found.read() if isinstance(found, StoredTensor) else found)
            little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
            file.write(little_endian.reshape(-1).view(np.uint8).data)


def in_file_order(dtypes: Mapping[str, np.dtype[Any]]) -> list[str]:
    """The names of tensors in the order in which ``write_weights`` reads and writes them.

    Wide elements come first, so that each tensor begins at a multiple of its element's size.
    """
    return sorted(dtypes, key=lambda name: (-dtypes[name].itemsize, name))


def _advice(folder: Path) -> str | None:
    """What to do where a folder's weights have other names, or another format."""
    try:
        names = sorted(file.name for file in folder.iterdir())
    except OSError:
        return None
    named = [name for name in names if name.endswith((".safetensors", ".safetensors.index.json"))]
    if named:
        return f"it has {', '.join(named[:_SHOWN])}: name the file in place of the folder"
    pickled = [name for name in names if Path(name).suffix.lower() in PICKLED]
    if len(pickled) == 1:
        return f"convert it: {conversion(str(folder / pickled[0]), str(folder / SINGLE_NAME))}"
    return None


def _refuse(path: Path, problem: str, advice: str | None = None) -> NoReturn:
    raise Fault(UnreadableWeights(path=str(path), problem=problem, advice=advice))
