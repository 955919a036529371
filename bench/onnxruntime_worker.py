"""Times onnxruntime on two graphs of a network; a process of its own, since it imports torch.

The last line that it prints is JSON: for each network, seconds a run in each round, of three
sessions. The third is a second one of the exported graph: what it differs by is noise.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from bench import published
from bench.published import Published


def main() -> None:
    """Measures every network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    networks = published.TINY if options.tiny else published.NETWORKS
    print(json.dumps({name: _measure(one, options.rounds) for name, one in networks.items()}))


def _measure(network: Published, rounds: int) -> dict[str, list[float]]:
    x = network.inputs()
    program, reference = network.pair()
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.onnx", Path(folder) / "theirs.onnx"
        program.build(ours, weights=published.state(reference), verify=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                reference,
                (x if x.shape[0] > 1 else x.repeat(2, *[1] * (x.dim() - 1)),),
                theirs,
                dynamo=True,
                external_data=False,
                dynamic_shapes=(dict.fromkeys(network.dynamic, torch.export.Dim.AUTO),),
            )
        sessions = {
            "specc": _session(ours),
            "exported": _session(theirs),
            "exported again": _session(theirs),
        }
    with torch.no_grad():
        expected = reference(x).numpy()
    taken: dict[str, list[float]] = {side: [] for side in sessions}
    sides = list(sessions)
    for name in sides:
        apart = np.abs(_run(sessions[name], x) - expected).max() / np.abs(expected).max()
        assert apart < 1e-4, f"{name} differs by {apart}"
    for _ in range(rounds):
        for side in sides:
            start = time.perf_counter()
            _run(sessions[side], x)
            taken[side].append(time.perf_counter() - start)
        sides = sides[1:] + sides[:1]
    return taken


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, x: torch.Tensor) -> Any:
    (port,) = session.get_inputs()
    return session.run(None, {port.name: x.numpy()})[0]


if __name__ == "__main__":
    main()
