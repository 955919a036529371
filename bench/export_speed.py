"""From a description of ResNet-152 to an ONNX file, beside torch.onnx.export."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.measure import in_turns, peak_together, process, ratio, specc
from bench.report import Bound, Report

NAME = "export_speed"
_OURS = "specc build std.resnet --set depth=152 -o x.onnx --no-verify"
_THEIRS = "torch.onnx.export(resnet152(), dynamo=True)"
_TIME, _MEMORY = 0.1, 1 / 3


def run(*, tiny: bool = False) -> Report:
    """Times both as whole processes. ``tiny`` exports a ResNet-18 instead."""
    depth = "18" if tiny else "152"
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.onnx", Path(folder) / "theirs.onnx"
        commands: dict[str, Sequence[str]] = {
            _OURS: specc(
                "build", "std.resnet", "--set", f"depth={depth}", "-o", ours, "--no-verify"
            )
        }
        if find_spec("onnxscript") is not None:
            commands[_THEIRS] = [sys.executable, "-m", "bench.export_worker", str(theirs), depth]
        actions = {name: partial(process, command) for name, command in commands.items()}
        taken = in_turns(actions, rounds=1 if tiny else 5, warm_up=not tiny)
        peaks = {name: peak_together(command) for name, command in commands.items()}
    report = Report(
        name=NAME,
        title="Export of ResNet-152 to ONNX",
        method=(
            "Whole processes from the description to the file, imports and initial values "
            "included, run in turns; 60 million float32 parameters in one file, a dynamic batch. "
            "`specc build --no-verify` of `specs/resnet.net` beside a process that makes "
            "torchvision's ResNet-152 and calls `torch.onnx.export(dynamo=True)` by its default "
            "settings, which also fold each BatchNorm into its convolution; specc keeps them, and "
            "every parameter's name. specc lets a second process draw; the memory is that of all "
            "processes together. Medians; a ratio is the median of each round's."
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
                f"{peaks[name]:.0f}",
                f"{ratio((u.seconds for u in usages), (u.seconds for u in base)):.3f}",
                f"{peaks[name] / peaks.get(_THEIRS, peaks[_OURS]):.3f}",
            )
        )
        report.raw[name] = [usage.seconds for usage in usages]
    if _THEIRS in taken and not tiny:
        ours_taken = taken[_OURS]
        seconds = ratio((u.seconds for u in ours_taken), (u.seconds for u in base))
        peak = peaks[_OURS] / peaks[_THEIRS]
        report.bounds += [
            Bound("time, specc / torch.onnx.export", seconds, _TIME),
            Bound("peak memory, specc / torch.onnx.export", peak, _MEMORY),
        ]
    return report
