"""From a description of ResNet-152 to an ONNX file, beside torch.onnx.export."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.measure import Usage, in_turns, process, ratio, specc
from bench.report import Report

NAME = "export_speed"
_OURS = "specc build resnet152.net -o x.onnx --no-verify"
_THEIRS = "torch.onnx.export(model, dynamo=True)"


def run(*, tiny: bool = False) -> Report:
    """Times both as whole processes. ``tiny`` exports a perceptron instead."""
    spec = "specs/mlp.net" if tiny else "bench/specs/resnet152.net"
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.onnx", Path(folder) / "theirs.onnx"
        actions: dict[str, Callable[[], Usage]] = {
            _OURS: partial(process, specc("build", spec, "-o", ours, "--no-verify"))
        }
        if find_spec("onnxscript") is not None:
            command = [sys.executable, "-m", "bench.export_worker", str(theirs)]
            actions[_THEIRS] = partial(process, command + ["--tiny"] * tiny)
        taken = in_turns(actions, rounds=1 if tiny else 5, warm_up=not tiny)
    report = Report(
        name=NAME,
        title="Export of ResNet-152 to ONNX",
        method=(
            "Whole processes from the description to the file, imports and initial values "
            "included, run in turns; 60 million float32 parameters in one file, a dynamic batch. "
            "`specc build --no-verify` of `bench/specs/resnet152.net` beside "
            "`torch.onnx.export(dynamo=True)` of the same network in `bench/resnet_by_hand.py`, "
            "by its default settings, which also fold each BatchNorm into its convolution; specc "
            "keeps them, and every parameter's name. Medians; a ratio is the median of each "
            "round's."
            + ("" if _THEIRS in taken else " onnxscript, which torch.onnx needs, is missing.")
        ),
        columns=("process", "seconds", "CPU seconds", "peak MiB", "time ratio", "memory ratio"),
    )
    base = taken.get(_THEIRS, taken[_OURS])
    for name, usages in taken.items():
        report.rows.append(
            (
                f"`{name}`",
                f"{median(usage.seconds for usage in usages):.2f}",
                f"{median(usage.cpu for usage in usages):.2f}",
                f"{median(usage.peak for usage in usages):.0f}",
                f"{ratio((u.seconds for u in usages), (u.seconds for u in base)):.3f}",
                f"{ratio((u.peak for u in usages), (u.peak for u in base)):.3f}",
            )
        )
        report.raw[name] = [usage.seconds for usage in usages]
    return report
