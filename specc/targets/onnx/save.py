"""An ONNX file on disk: whole or not at all, with its weights beside it where they are too many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx_ir as oir

from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.targets.initial_values import Draw
from specc.targets.onnx.lower import to_ir_model
from specc.targets.onnx.own import foreign_domains
from specc.targets.onnx.stream import write
from specc.targets.onnx.weights import GivenWeights
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
    weights: GivenWeights | None = None,
    seed: int = 0,
    draw: Draw | None = None,
    opset: int | None = None,
    limit: int = INLINE_LIMIT,
    strip: bool = False,
    operators: Mapping[str, Operator] | None = None,
    check: Callable[[Path, list[str]], None] | None = None,
) -> list[Path]:
    """Writes ``network`` as an ONNX file and gives the paths of all files that it takes.

    Args:
        network: The network.
        path: Where the model goes. Weights of more than ``limit`` bytes go to ``<path>.data``.
        weights: As for ``to_ir_model``.
        seed: As for ``to_ir_model``.
        draw: As for ``to_ir_model``.
        opset: As for ``to_ir_model``.
        limit: Bytes of weights from which on they are in a file of their own.
        strip: As for ``to_ir_model``.
        operators: As for ``to_ir_model``.
        check: Is called before the finished model takes its place, with its path and the domains
            whose operators neither ONNX nor the model defines. What it raises leaves no file.

    Raises:
        Fault: as ``to_ir_model``, or with CannotWrite.
    """
    path = Path(path)
    model = to_ir_model(
        network,
        weights=weights,
        seed=seed,
        draw=draw,
        opset=opset,
        operators=operators,
        strip=strip,
    )
    data = path.with_name(f"{path.name}.data") if _weight_bytes(model) > limit else None
    with atomic_write(path) as staged:
        if data is None:
            # Nothing in a model is a protobuf map, so the bytes are the same on every run.
            with staged.open("wb") as file:
                write(model, file)
        else:  # a file beside the staged one moves along with it
            oir.save(
                model,
                staged,
                format="protobuf",
                external_data=data.name,
                size_threshold_bytes=SMALLEST_EXTERNAL,
                alignment=ALIGNMENT,
                align_threshold=0,
            )
        if check is not None:
            check(staged, foreign_domains(model))
    return [path] if data is None else [path, data]


def _weight_bytes(model: oir.Model) -> int:
    tensors = (value.const_value for value in model.graph.initializers.values())
    return sum(tensor.nbytes for tensor in tensors if tensor is not None)
