"""A network as one file, of the kind that its suffix names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from specc.built import BuildOptions, Built
from specc.facts import BadOutput
from specc.frontend.diagnostics import Fault
from specc.given import write_values
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.weights.files import write_text


def write(
    network: Network, operators: Mapping[str, Operator], target: Path, options: BuildOptions
) -> Built:
    """Writes the file, whole or not at all.

    Raises Fault with BadOutput for a suffix that names none, and what each kind raises.
    """
    if target.suffix == ".onnx":
        from specc.verification.build import build_graph

        return build_graph(network, operators, target, options)
    if target.suffix == ".py":
        from specc.targets.python import source

        write_text(target, source(network, operators, standalone=True))
    elif target.suffix == ".json":
        write_text(target, json_text(network))
    elif target.suffix == ".safetensors":
        write_values(target, network, options)
    else:
        raise Fault(BadOutput(name=target.name))
    return Built((target,))


def json_text(network: Network) -> str:
    """The IR as JSON; ``specc.sound.sound_network`` reads it back without loss."""
    return network.model_dump_json(indent=1) + "\n"
