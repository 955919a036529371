"""Headers of safetensors files whose weights nobody should take; see also ``tests/weights``.

Each stands beside what the diagnostic says. Eight zero bytes of data follow every header.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from specc.weights.metadata import IR_KEY


def weight_file(header: Any) -> bytes:
    """A file with this header: bytes as they are, anything else as JSON."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + bytes(8)


def _tensor(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | changes


def _with_ir(text: str) -> dict[str, Any]:
    return {"__metadata__": {IR_KEY: text}, "weight": _tensor()}


HEADERS: dict[str, tuple[Any, str]] = {
    "a name that is a path, and no architecture": (
        {"../../etc/passwd": _tensor()},
        "no architecture",
    ),
    "a name that is code, and no architecture": (
        {"__import__('os')": _tensor()},
        "no architecture",
    ),
    "an architecture that is code": (_with_ir("__import__('os').system('id')"), "no network"),
    "an architecture that is a pickle": (_with_ir("\x80\x04cos\nsystem\n."), "no network"),
    "an architecture that nests": (_with_ir("[" * 100_000), "no network"),
    "an empty architecture": (_with_ir(""), "no network"),
    "an architecture of another version": (_with_ir('{"version": 999}'), "no network"),
    "metadata that is a list": ({"__metadata__": [1], "weight": _tensor()}, "map of strings"),
    "metadata that nests": (
        b'{"__metadata__": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
        "nested too deeply",
    ),
    "the architecture given twice": (
        b'{"__metadata__": {"' + IR_KEY.encode() + b'": "", "' + IR_KEY.encode() + b'": ""}}',
        "twice",
    ),
    "a shape of huge sizes": ({"weight": _tensor(shape=[10**30])}, "list of sizes"),
    "a number of 10,000 digits": (
        b'{"weight": {"dtype": "F32", "shape": [' + b"9" * 10_000 + b'], "data_offsets": [0, 8]}}',
        "not JSON",
    ),
    "offsets that go backwards": ({"weight": _tensor(data_offsets=[8, 0])}, "beginning and an end"),
    "offsets beyond the file": (
        {"weight": _tensor(shape=[2**40], data_offsets=[0, 2**42])},
        "truncated",
    ),
    "no JSON": (b"import os; os.system('id')", "no safetensors header"),
}
