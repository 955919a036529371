"""Timing: whole processes and calls, in turns, so that a busy machine slows both sides alike."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent


class BenchmarkFailed(Exception):
    """What was to be measured did not do its work, so there is nothing to report."""


@dataclass(frozen=True)
class Usage:
    """What one process took: seconds on the clock, seconds of CPU, and MiB at its peak."""

    seconds: float
    cpu: float
    peak: float


def specc(*arguments: object) -> list[str]:
    """The command line of ``specc`` under this interpreter."""
    return [sys.executable, "-m", "specc", *map(str, arguments)]


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Runs a process to its end. Raises BenchmarkFailed where it fails.

    A child's peak counts the memory of the process that made it, up to its first instruction, so
    whoever calls this must be small: nothing here imports a framework.
    """
    # Bytecode is written as in everyday use; a first, unmeasured run does so.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    # What a process prints goes to a file and not to a pipe, which it could fill and wait for.
    with Path(os.devnull).open("wb") as nothing:
        start = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, env=kept | dict(environment or {}), stdout=nothing
        )
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise BenchmarkFailed(f"exit code {child.returncode}: {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, KiB on Linux
    return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20)


def peak_together(command: Sequence[str]) -> float:
    """Runs a process to its end; the MiB that it and its children have together at their peak.

    They are looked at every 10 ms, which slows them, and a page that several share counts once.
    Where the system does not tell (outside Linux), it is the process's own peak.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        return process(command).peak
    with Path(os.devnull).open("wb") as nothing:
        child = subprocess.Popen(command, cwd=ROOT, stdout=nothing)
        peak = 0
        while child.poll() is None:
            peak = max(peak, sum(map(_proportional_size, (child.pid, *_children(child.pid)))))
            time.sleep(0.01)
    if child.returncode:
        raise BenchmarkFailed(f"exit code {child.returncode}: {' '.join(command)}")
    return peak / 1024


def _children(process: int) -> list[int]:
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except OSError:  # it has ended meanwhile
        return []
    return [int(number) for number in text.split()]


def _proportional_size(process: int) -> int:
    """KiB of memory, a page that n processes map counting 1/n."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def in_turns(
    actions: Mapping[str, Callable[[], Usage]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[Usage]]:
    """Runs each action once a round, in the same order, and gives what each run took."""
    if warm_up:
        for action in actions.values():
            action()
    taken: dict[str, list[Usage]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(action())
    return taken


def ratio(numerators: Iterable[float], denominators: Iterable[float]) -> float:
    """The median over the rounds of one round's ratio."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))


def machine() -> dict[str, str]:
    """What kind of machine this is, and with what it was measured; no names and no paths."""
    from importlib.metadata import PackageNotFoundError, version

    def installed(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = (
        *("specc", "torch", "torchvision", "transformers", "onnx", "onnx-ir", "onnxscript"),
        *("onnxruntime-gpu", "pydantic", "lark", "numpy"),
    )
    return {
        "machine": f"{platform.system()} {platform.machine()}, {cores} CPU cores",
        # Well above 1, others were at work: then ratios hold, and seconds do not.
        "load average": f"{os.getloadavg()[0]:.1f} in the last minute",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{package: installed(package) for package in packages},
    }
