"""The compiled module beside the same network written by hand in PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from bench.measure import ROOT, ratio
from bench.report import Bound, Report

NAME = "module_speed"
_BOUND = 1.03
_HOW = (
    "One thread on the CPU, float32; a training step is `zero_grad`, forward, cross entropy, "
    "`backward` and SGD's step. Taken in turns in one process, {rounds} rounds of at least 0.03 s; "
    "a ratio is the median of each round's. The last column is what two copies of the other "
    "network differ by: noise."
)


def run(*, tiny: bool = False) -> Report:
    """Times forward and training step of three networks."""
    return compared(
        Report(
            name=NAME,
            title="Speed of the compiled module",
            method=(
                "The module that specc makes of a spec beside the same network written by hand in "
                "PyTorch (`bench/by_hand.py`), with the same weights and, to the bit, the same "
                "answers. "
            ),
            columns=columns("by hand"),
        ),
        rounds=2 if tiny else 150,
    )


def compared(report: Report, rounds: int, *options: str) -> Report:
    """Fills the report with what ``bench.module_worker`` measures with ``options``."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.module_worker", "--rounds", str(rounds), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    report.method += _HOW.format(rounds=rounds)
    for name, modes in json.loads(done.stdout).items():
        for mode, seconds in modes.items():
            ours, theirs, again = (
                seconds[side] for side in ("compiled", "reference", "reference again")
            )
            report.rows.append(
                (
                    name,
                    mode,
                    f"{1e3 * median(ours):.3f}",
                    f"{1e3 * median(theirs):.3f}",
                    f"{ratio(ours, theirs):.3f}",
                    f"{ratio(again, theirs):.3f}",
                )
            )
            what = f"{name}, {mode}: {report.columns[4]}"
            report.bounds.append(Bound(what, ratio(ours, theirs), _BOUND))
            for side, figures in seconds.items():
                report.raw[f"{name}, {mode}, {side}"] = figures
    return report


def columns(other: str) -> tuple[str, ...]:
    """What a row says, beside the ``other`` network."""
    return (
        *("network", "mode", "compiled (ms)", f"{other} (ms)", f"compiled / {other}"),
        f"{other} again / {other}",
    )
