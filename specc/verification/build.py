"""An ONNX file that takes its place only where it answers as PyTorch does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from specc.built import BuildOptions, Built
from specc.given import has_torch
from specc.ir.graph import Network
from specc.ops.operator import Operator
from specc.signals import deferred
from specc.targets.ahead import drawing

if TYPE_CHECKING:  # what a check of a spec does without
    from specc.verification.report import ParityReport


def build_graph(
    network: Network, operators: Mapping[str, Operator], target: Path, options: BuildOptions
) -> Built:
    """Writes the graph, and with ``verify`` compares it with PyTorch where torch is installed.

    Raises a Fault where answers differ; no file is left then.
    """
    weights, seed = options.weights, options.seed
    reports: list[ParityReport] = []
    unverified: str | None = None

    def check(path: Path, domains: list[str]) -> None:
        nonlocal unverified
        with deferred():  # an exception in PyTorch's start aborts the process
            from specc.verification.parity import LIMIT, libraries
            from specc.verification.parity import verify as compare

        if domains and not libraries(network, operators):
            unverified = f"onnxruntime has no library for the operators of {', '.join(domains)}"
            return
        reports.append(
            compare(
                network,
                path,
                weights=weights,
                seed=seed,
                limit=LIMIT if options.limit is None else options.limit,
                operators=operators,
            )
        )

    with drawing(network.parameters if weights is None else (), seed, options.processes) as draw:
        from specc.targets.onnx import save  # takes its time, in which the others draw

        paths = save(
            network,
            target,
            weights=weights,
            seed=seed,
            draw=draw,
            opset=options.opset,
            strip=options.strip,
            operators=operators,
            check=check if options.verify and has_torch() else None,
        )
    return Built(tuple(paths), reports[0] if reports else None, unverified)
