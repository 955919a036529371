"""onnxruntime on the graph that specc builds, beside the one that torch.onnx.export makes."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from bench.measure import ROOT, ratio
from bench.report import Bound, Report

NAME = "onnxruntime_speed"
_BOUND = 1.03
"""Never slower: more than two copies of one graph differ by."""


def run(*, tiny: bool = False) -> Report:
    """Times inference of ResNet-50 and GPT-2 from both graphs."""
    rounds = 2 if tiny else 40
    command = [sys.executable, "-m", "bench.onnxruntime_worker", "--rounds", str(rounds)]
    done = subprocess.run(
        command + ["--tiny"] * tiny, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    report = Report(
        name=NAME,
        title="Speed of the ONNX graph",
        method=(
            "`specs/resnet.net` and `specs/gpt2.net` as `specc build` lowers them, beside the "
            "graphs that `torch.onnx.export(dynamo=True)` makes of torchvision's and "
            "transformers' classes, both with the same dynamic axes and weights, by its default "
            "settings. onnxruntime on one thread of the CPU with all its optimizations, the same "
            f"answers up to 1e-4 of the greatest. Taken in turns in one process, {rounds} rounds; "
            "a ratio is the median of each round's. The last column is what two sessions of the "
            "exported graph differ by: noise."
        ),
        columns=(
            *("network", "specc (ms)", "exported (ms)", "specc / exported"),
            "exported again / exported",
        ),
    )
    for name, seconds in json.loads(done.stdout.splitlines()[-1]).items():
        ours, theirs, again = (seconds[side] for side in ("specc", "exported", "exported again"))
        report.rows.append(
            (
                name,
                f"{1e3 * median(ours):.2f}",
                f"{1e3 * median(theirs):.2f}",
                f"{ratio(ours, theirs):.3f}",
                f"{ratio(again, theirs):.3f}",
            )
        )
        report.bounds.append(Bound(f"{name}: specc / exported", ratio(ours, theirs), _BOUND))
        for side, figures in seconds.items():
            report.raw[f"{name}, {side}"] = figures
    return report
