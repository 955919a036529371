"""An ONNX file on disk: whole or not at all, with its weights beside it where they are too many."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx_ir as oir

from specc.ir.graph import Network
from specc.targets.onnx.lower import to_ir_model
from specc.weights.files import atomic_write

INLINE_LIMIT = 2_000_000_000
"""Bytes of weights up to which a model is one file: a protobuf message ends at 2**31 bytes."""

ALIGNMENT = 65_536
"""Where tensors start in a data file: what Windows asks of an offset that is mapped into memory."""

SMALLEST_EXTERNAL = 1024
"""Bytes from which a tensor goes to the data file; the constants of shapes stay where they are."""


def save(
    network: Network,
    path: str | Path,
    *,
    weights: Mapping[str, Any] | None = None,
    seed: int = 0,
    opset: int | None = None,
    limit: int = INLINE_LIMIT,
    check: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Writes ``network`` as an ONNX file and gives the paths of all files that it takes.

    Args:
        network: The network.
        path: Where the model goes. Weights of more than ``limit`` bytes go to ``<path>.data``.
        weights: As for ``to_ir_model``.
        seed: As for ``to_ir_model``.
        opset: As for ``to_ir_model``.
        limit: Bytes of weights from which on they are in a file of their own.
        check: Is called with the finished model's path before it takes its place. What it raises
            leaves no file behind.

    Raises:
        Fault: as ``to_ir_model``.
        OSError: if the files cannot be written.
    """
    path = Path(path)
    model = to_ir_model(network, weights=weights, seed=seed, opset=opset)
    if _weight_bytes(model) <= limit:
        with atomic_write(path) as temporary:
            # Nothing in a model is a protobuf map, so the bytes are the same on every run.
            Path(temporary).write_bytes(oir.to_proto(model).SerializeToString())
            if check is not None:
                check(Path(temporary))
        return [path]
    return _save_in_two(model, path, check)


def _save_in_two(model: oir.Model, path: Path, check: Callable[[Path], None] | None) -> list[Path]:
    """The model and its data file, which it knows by a relative name."""
    data = path.with_name(path.name + ".data")
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        temporary = Path(folder)
        oir.save(
            model,
            temporary / path.name,
            format="protobuf",
            external_data=data.name,
            size_threshold_bytes=SMALLEST_EXTERNAL,
            alignment=ALIGNMENT,
            align_threshold=0,
        )
        if check is not None:
            check(temporary / path.name)
        # No moment at which a model stands beside another model's weights.
        path.unlink(missing_ok=True)
        (temporary / data.name).replace(data)
        try:
            (temporary / path.name).replace(path)
        except BaseException:
            data.unlink(missing_ok=True)
            raise
    return [path, data]


def _weight_bytes(model: oir.Model) -> int:
    tensors = (value.const_value for value in model.graph.initializers.values())
    return sum(tensor.nbytes for tensor in tensors if tensor is not None)
