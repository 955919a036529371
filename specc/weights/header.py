"""A safetensors file's header, judged before anything else of the file is used.

The format: eight bytes with the header's length (little-endian), the header (JSON: a map of names
to dtype, shape and data_offsets, and strings under ``__metadata__``), then the data. Offsets count
from the data's beginning; the tensors fill it without holes or overlaps.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from specc.frontend.diagnostics import Fault
from specc.weights.facts import UnreadableWeights, UnsafeWeights

HEADER_LIMIT = 32 * 2**20
"""Bytes of a header; 300,000 tensors fit in."""
_NAME_LIMIT = 2**10
_RANK_LIMIT = 64
_SIZE_LIMIT = 2**63

ELEMENT_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U64": 8,
    "U32": 4,
    "U16": 2,
    "U8": 1,
    "BOOL": 1,
}
"""The dtypes that are read, by the format's names, and the bytes of an element."""

# Control characters, halves of surrogate pairs and marks that change the direction of writing.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class TensorEntry:
    """One tensor, as the header describes it; ``begin`` and ``end`` count from the data's start."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Header:
    """A header that its file bears out."""

    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]


def read_header(path: Path) -> Header:
    """Reads and checks the header of a safetensors file; no data is read.

    Raises:
        Fault: with ``UnreadableWeights``, whatever the file holds, or ``UnsafeWeights`` for what
            looks like a pickle.
    """
    if not path.is_file():  # a pipe or a device would block, or never end
        _refuse(path, "it is no file" if path.exists() else "there is no such file")
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if size < 8:
                _refuse(path, f"it is {size} bytes long, too short for a safetensors file")
            if start.startswith((b"PK\x03\x04", b"\x80")) and length > size:
                raise Fault(UnsafeWeights(path=str(path)))  # a pickle, or a zip archive of one
            if length > min(size - 8, HEADER_LIMIT):
                _refuse(path, _too_long(length, size - 8))
            text = file.read(length)
    except OSError as error:
        _refuse(path, error.strerror or type(error).__name__)
    return _checked(path, _parse(path, text), data_bytes=size - 8 - length)


def parse_json(path: Path, text: bytes) -> Any:
    """JSON without duplicate keys. Raises ``UnreadableWeights``."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            _refuse(path, f"{_shown(twice)} stands there twice")
        return found

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except UnicodeDecodeError:
        _refuse(path, "its header is not UTF-8 text")
    except RecursionError:
        _refuse(path, "its header is nested too deeply")
    except ValueError:  # no JSON, or a number of thousands of digits
        _refuse(path, "its header is not JSON")


def _parse(path: Path, text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        _refuse(path, "it has no safetensors header")
    header = parse_json(path, text)
    assert isinstance(header, dict)
    return header


def _checked(path: Path, header: dict[str, Any], data_bytes: int) -> Header:
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        _refuse(path, "its metadata is not a map of strings")
    tensors = {name: _entry(path, name, entry) for name, entry in header.items()}
    position = 0
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != position:
            where = "overlaps another tensor" if entry.begin < position else "follows a hole"
            _refuse(path, f"the data of {_shown(name)} {where}")
        position = entry.end
    if position > data_bytes:
        _refuse(path, f"it is truncated: {position - data_bytes} of {position} data bytes missing")
    if position < data_bytes:
        _refuse(path, f"{data_bytes - position} bytes follow the last tensor")
    return Header(tensors, metadata)


def _entry(path: Path, name: str, entry: Any) -> TensorEntry:
    if not is_name(name):
        _refuse(path, f"{_shown(name)} is no name for a tensor")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        _refuse(path, f"{_shown(name)} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ELEMENT_BYTES:
        _refuse(path, f"{_shown(name)} has a dtype that is not supported: {_shown(dtype)}")
    if not _are_sizes(shape) or len(shape) > _RANK_LIMIT:
        _refuse(path, f"the shape of {_shown(name)} is not a list of sizes")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        _refuse(path, f"the data_offsets of {_shown(name)} are not a beginning and an end")
    begin, end = offsets
    expected = math.prod(shape) * ELEMENT_BYTES[dtype]
    if end - begin != expected:
        _refuse(path, f"{_shown(name)} has {end - begin} bytes of data, not {expected}")
    return TensorEntry(dtype, tuple(shape), begin, end)


def is_name(name: str) -> bool:
    """Whether a tensor may be called that: something printable, of up to 1,024 characters."""
    return 0 < len(name) <= _NAME_LIMIT and name != "__metadata__" and not _FORBIDDEN.search(name)


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(size) is int and 0 <= size < _SIZE_LIMIT for size in value
    )


def _too_long(length: int, rest: int) -> str:
    if length > rest:
        return f"it is truncated or no safetensors file: its header would have {length} bytes"
    return f"its header has {length} bytes, over the limit of {HEADER_LIMIT}"


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return f"of type {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _refuse(path: Path, problem: str) -> NoReturn:
    raise Fault(UnreadableWeights(path=str(path), problem=problem))
