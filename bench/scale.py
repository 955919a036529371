"""How the time to check and build grows with the number of layers."""

from __future__ import annotations

import filecmp
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.generated import FORMS, spec
from bench.measure import BenchmarkFailed, Usage, in_turns, process, ratio, specc
from bench.report import Bound, Report

NAME = "scale"
GROWTH = 12.0
SECONDS = 60.0
_TARGETS = (".json", ".py", ".onnx")


def run(*, tiny: bool = False) -> Report:
    """Checks each form at both sizes; at the smaller one builds each target, from text and JSON."""
    small, large, rounds = (10, 100, 1) if tiny else (10_000, 100_000, 3)
    report = Report(
        name=NAME,
        title="Scale",
        method=(
            f"Generated specs of {small:,} and {large:,} linear layers, each with a weight and a "
            f"bias of its own. `specc check` as a whole process, the two sizes in turns, medians "
            f"of {rounds}; growth is the median of each round's. The builds are of the {small:,} "
            "layers, whole processes too, with `--no-verify`, and end by loading the JSON and "
            "building from it, which has to give the same bytes, and by making the PyTorch module "
            "of it and applying that to a batch."
        ),
        columns=(
            *("form", f"check {small:,} (s)", f"check {large:,} (s)", "growth", "peak MiB"),
            *(f"`{suffix}` (s)" for suffix in _TARGETS),
            *("from JSON: `.py` and `.onnx` (s)", "from JSON: module (s)"),
        ),
    )
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            _measure(form, small, large, rounds, Path(folder), report)
    return report


def _measure(form: str, small: int, large: int, rounds: int, folder: Path, report: Report) -> None:
    paths = {}
    for layers in (small, large):
        paths[layers] = folder / f"{layers}.net"
        paths[layers].write_text(spec(form, layers), encoding="utf-8")
    checks = {
        str(layers): lambda path=path: process(specc("check", path))
        for layers, path in paths.items()
    }
    taken = in_turns(checks, rounds, warm_up=False)
    seconds = {layers: [usage.seconds for usage in usages] for layers, usages in taken.items()}
    growth = ratio(seconds[str(large)], seconds[str(small)])
    longest = median(seconds[str(large)])
    built = {suffix: _build(paths[small], folder / f"text{suffix}") for suffix in _TARGETS}
    again = _from_json(folder)
    module = process([sys.executable, "-c", _MODULE, str(folder)])
    report.rows.append(
        (
            form,
            f"{median(seconds[str(small)]):.2f}",
            f"{longest:.2f}",
            f"{growth:.2f}",
            f"{median(usage.peak for usage in taken[str(large)]):.0f}",
            *(f"{usage.seconds:.2f}" for usage in built.values()),
            f"{again.seconds:.2f}",
            f"{module.seconds:.2f}",
        )
    )
    report.bounds += [
        Bound(f"{form}: growth of `specc check`", growth, GROWTH),
        Bound(f"{form}: seconds for {large:,}", longest, SECONDS),
    ]
    for layers, figures in seconds.items():
        report.raw[f"{form}, {layers}"] = figures


def _build(path: Path, target: Path) -> Usage:
    flags = ["--no-verify"] if target.suffix == ".onnx" else []
    return process(specc("build", path, "-o", target, *flags))


_FROM_JSON = """
import sys
from pathlib import Path
import specc
folder = Path(sys.argv[1])
program = specc.Program.from_json((folder / "text.json").read_text(encoding="utf-8"))
program.build(folder / "json.py")
program.build(folder / "json.onnx", verify=False)
"""


_MODULE = """
import sys
from pathlib import Path
import torch, specc
program = specc.Program.from_json((Path(sys.argv[1]) / "text.json").read_text(encoding="utf-8"))
assert program.module()(torch.zeros(2, 8)).shape == (2, 8)
"""


def _from_json(folder: Path) -> Usage:
    usage = process([sys.executable, "-c", _FROM_JSON, str(folder)])
    for suffix in (".py", ".onnx"):
        if not filecmp.cmp(folder / f"text{suffix}", folder / f"json{suffix}", shallow=False):
            raise BenchmarkFailed(f"{suffix} differs between text and JSON")
    return usage
