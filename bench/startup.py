"""``specc check`` of a small spec as a whole process, beside ``import torch``."""

from __future__ import annotations

import sys
from statistics import median

from bench.measure import in_turns, process, ratio, specc
from bench.report import Bound, Report

NAME = "startup"
_OURS = "specc check specs/lenet.net"
_THEIRS = 'python -c "import torch"'


def run(*, tiny: bool = False) -> Report:
    """Times both, and the interpreter alone, in turns."""
    commands = {
        _OURS: specc("check", "specs/lenet.net"),
        _THEIRS: [sys.executable, "-c", "import torch"],
        "specc --help": specc("--help"),
        'python -c ""': [sys.executable, "-c", ""],
    }
    actions = {name: lambda command=command: process(command) for name, command in commands.items()}
    taken = in_turns(actions, rounds=1 if tiny else 15)
    seconds = {name: [usage.seconds for usage in usages] for name, usages in taken.items()}
    rows = [
        (
            f"`{name}`",
            f"{median(seconds[name]):.3f}",
            f"{median(usage.cpu for usage in usages):.3f}",
            f"{median(usage.peak for usage in usages):.0f}",
            f"{ratio(seconds[name], seconds[_THEIRS]):.3f}",
        )
        for name, usages in taken.items()
    ]
    return Report(
        name=NAME,
        title="Start-up",
        method=(
            "Whole processes, run in turns, their bytecode cached. Medians of "
            f"{len(seconds[_OURS])}; the ratio is the median of each round's."
        ),
        columns=("process", "seconds", "CPU seconds", "peak MiB", "of importing torch"),
        rows=rows,
        bounds=[
            Bound(f"`{_OURS}` of `import torch`", ratio(seconds[_OURS], seconds[_THEIRS]), 1 / 3)
        ],
        raw=seconds,
    )
