"""A network as one file, of the kind that its suffix names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from specc.built import Built
from specc.facts import BadOutput
from specc.frontend.diagnostics import Fault
from specc.given import write_values
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.weights.files import write_text

if TYPE_CHECKING:
    from specc.weights.safetensors import Weights


def write(
    network: Network,
    operators: Mapping[str, Operator],
    target: Path,
    *,
    weights: Weights | None,
    seed: int,
    processes: int,
    opset: int | None,
    verify: bool,
    strip: bool,
    limit: float | None,
) -> Built:
    """Writes the file, whole or not at all; what its kind has no use for is without effect.

    Raises Fault with BadOutput for a suffix that names none, and what each kind raises.
    """
    if target.suffix == ".onnx":
        from specc.verification.build import build_graph

        return build_graph(
            network,
            operators,
            target,
            weights=weights,
            seed=seed,
            processes=processes,
            opset=opset,
            strip=strip,
            verify=verify,
            limit=limit,
        )
    if target.suffix == ".py":
        from specc.targets.python import source

        write_text(target, source(network, operators, standalone=True))
    elif target.suffix == ".json":
        write_text(target, json_text(network))
    elif target.suffix == ".safetensors":
        write_values(target, network, weights, seed=seed, processes=processes)
    else:
        raise Fault(BadOutput(name=target.name))
    return Built((target,))


def json_text(network: Network) -> str:
    """The IR as JSON; ``specc.sound.sound_network`` reads it back without loss."""
    return network.model_dump_json(indent=1) + "\n"
