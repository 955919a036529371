"""Files that appear whole or not at all, also when the process is interrupted."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from specc.frontend.diagnostics import Fault
from specc.signals import deferred
from specc.weights.facts import CannotWrite


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a path to write to; what was written takes ``path``'s place when the block succeeds.

    The path given lies in a hidden folder of its own beside ``path`` and bears ``path``'s name.
    Files written next to it (external data, which is referred to by name) move along, before the
    main file. On an exception, Ctrl-C, SIGTERM or SIGHUP all of it is removed and what stood there
    before is untouched.

    Raises:
        Fault: with ``CannotWrite``, where the system refuses. Other exceptions of the block pass.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(f"{folder}/x.json") as staged:
    ...         _ = staged.write_text("{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['x.json']
    """
    target = Path(path)
    staging = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}"
    with _terminated_as_exception(), _refusals_as_facts(staging, target):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            staging.mkdir()
            yield staging / target.name
            _publish(staging, target)
        finally:
            with deferred():  # a second Ctrl-C would leave what is not removed yet
                shutil.rmtree(staging, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text as UTF-8, whole or not at all. Raises Fault with CannotWrite."""
    with atomic_write(path) as staged:
        staged.write_text(text, encoding="utf-8", newline="\n")


def _publish(staging: Path, target: Path) -> None:
    main = staging / target.name
    assert main.is_file(), f"nothing was written to {main}"
    sides = sorted(file for file in staging.iterdir() if file != main)
    # All data is on the disk before the first name changes, and the main file comes last, so that
    # it never names side files that are not there.
    for file in (*sides, main):
        _sync(file)
    with deferred():  # between the names, an old main file would refer to new side files
        for file in sides:
            file.replace(target.parent / file.name)
        main.replace(target)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _sync(target.parent)


def _sync(path: Path) -> None:
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _refusals_as_facts(staging: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # A full disk names no file. Another file's error is the block's own affair.
        if error.filename is not None and not str(error.filename).startswith(
            (str(staging), str(target.parent))
        ):
            raise
        reason = error.strerror or type(error).__name__
        raise Fault(CannotWrite(path=str(target), reason=reason)) from error


_TERMINATING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP, which a closed terminal sends


class _Terminated(BaseException):
    """A signal that ends the process, on its way out through the blocks that clean up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _terminated_as_exception() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP run the clean-up and then end the process as they would have.

    A handler that the program has set itself is left alone, as is a signal that it ignores (under
    ``nohup``, say), and signals reach the main thread only.
    """
    ours_to_set = (
        [number for number in _TERMINATING if signal.getsignal(number) is signal.SIG_DFL]
        if threading.current_thread() is threading.main_thread()
        else []
    )

    def raise_terminated(number: int, frame: FrameType | None) -> None:
        raise _Terminated(number)

    for number in ours_to_set:
        signal.signal(number, raise_terminated)
    try:
        yield
    except _Terminated as terminated:
        if terminated.number not in ours_to_set:  # an outer block's, which ends the process
            raise
        signal.signal(terminated.number, signal.SIG_DFL)
        os.kill(os.getpid(), terminated.number)
        raise  # reached only where the signal is blocked
    finally:
        for number in ours_to_set:
            signal.signal(number, signal.SIG_DFL)
