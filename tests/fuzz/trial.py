"""Compiles one text after the other in a process, and says what came of each."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from specc.compiler import Text, compile_network
from specc.frontend.diagnostics import SpecError
from specc.frontend.source import Source
from specc.invariants import verify
from tests.fuzz.mutation import Mutant

SECONDS, MEGABYTES = 2.0, 512
_GIVE_UP = 10  # seconds


@dataclass(frozen=True)
class Outcome:
    """What came of one text. ``escaped`` says what should not have happened; empty is well.

    ``touches`` says whether a primary or secondary place lies in a changed line; None where the
    text compiled.
    """

    name: str
    codes: tuple[str, ...] = ()
    escaped: str = ""
    touches: bool | None = None
    seconds: float = 0.0


class _TooSlow(BaseException):
    """Not an Exception, so that nothing in the compiler can take it for one of its own."""


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _TooSlow

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_GIVE_UP)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def attempt(subject: Mutant) -> Outcome:
    """Compiles one text, and renders its diagnostics where it is refused."""
    start = time.process_time()
    codes: tuple[str, ...] = ()
    escaped, touches = "", None
    limit = sys.getrecursionlimit()
    try:
        with _alarm():
            compiled = compile_network(Text(Source("<text>", subject.text), None))
            problems = verify(compiled.network)
            escaped = f"unsound: {problems[0]}" if problems else ""
    except SpecError as error:
        codes = tuple(diagnostic.code for diagnostic in error.diagnostics)
        escaped = _misplaced(error)
        touches = _touches(error, subject)
        rendered = str(error)
        if not rendered.isascii() and not all(c.isprintable() or c == "\n" for c in rendered):
            escaped = escaped or "an unprintable character in the diagnostics"
    except BaseException as error:  # noqa: BLE001 - whatever escapes is what is looked for
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = " < ".join(
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames
        )
        escaped = f"{type(error).__name__}: {str(error)[:200]} at {where}"
    if sys.getrecursionlimit() != limit:
        escaped = escaped or "the recursion limit was not put back"
    return Outcome(subject.name, codes, escaped, touches, time.process_time() - start)


def _misplaced(error: SpecError) -> str:
    """What is wrong with the places of the diagnostics."""
    if not error.diagnostics:
        return "no diagnostics"
    for diagnostic in error.diagnostics:
        labels = (diagnostic.primary, *diagnostic.secondary, *diagnostic.uses)
        for label in labels:
            if label is None:
                return f"{diagnostic.code}: no place"
            text = error.sources.files[label.span.file].text
            if not 0 <= label.span.start <= label.span.end <= len(text):
                return f"{diagnostic.code}: {label.span} is outside the text"
    return ""


def _touches(error: SpecError, subject: Mutant) -> bool:
    lines, text = subject.lines, subject.text
    for diagnostic in error.diagnostics:
        labels = [diagnostic.primary, *diagnostic.secondary]
        if diagnostic.primary is not None and diagnostic.primary.span.file != 0:
            labels += diagnostic.uses  # wrong in an imported file, because of how it is used here
        for label in labels:
            if label is None or label.span.file != 0:
                continue
            first = text.count("\n", 0, label.span.start)
            last = text.count("\n", 0, max(label.span.start, label.span.end - 1))
            if first < lines.stop and last >= lines.start:
                return True
    return False


def peak_megabytes() -> float:
    """The most memory that this process ever had."""
    peak = _peak_kib()
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _attempt_all(
    make: Callable[[int], Mutant], numbers: Sequence[int]
) -> tuple[list[Outcome], float]:
    outcomes = [attempt(make(number)) for number in numbers]
    return outcomes, peak_megabytes()


def _peak_kib() -> int:
    """The most memory that this process took.

    Linux hands ru_maxrss on from the process that starts this one; VmHWM begins anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for entry in status.read_text().splitlines():
            if entry.startswith("VmHWM:"):
                return int(entry.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def attempt_all(
    make: Callable[[int], Mutant], numbers: range, processes: int
) -> tuple[list[Outcome], float]:
    """The outcomes of these mutants, and the most memory that a process took for any of them.

    The processes are fresh, so that neither this one's memory nor its modules count.
    """
    shares = [numbers[i::processes] for i in range(processes)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        results = pool.map(partial(_attempt_all, make), shares, chunksize=1)
    return [o for outcomes, _ in results for o in outcomes], max(peak for _, peak in results)
