"""Signals that wait while something must not be broken off in the middle."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

# In the order in which they act: what ends the process before what ends a piece of work. Windows
# has no SIGHUP, which a closed terminal sends.
_WAITING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)
)


class Deferral:
    """Lets Ctrl-C, SIGTERM and SIGHUP wait from ``begin`` to the end of the ``with`` block.

    Those that arrived act then, as they would have without it. A signal that no Python function
    handles ends the process at once, as ever, and in a thread other than the main one nothing
    waits, since no handler runs there.

    >>> try:
    ...     with Deferral() as signals:
    ...         signals.begin()
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("whole")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    whole
    interrupted
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._arrived: set[int] = set()

    def __enter__(self) -> Deferral:
        return self

    def begin(self) -> None:
        """From here on they wait; a second call changes nothing."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _WAITING:
            if callable(signal.getsignal(number)) and number not in self._handlers:
                self._handlers[number] = signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._arrived.add(number)

    def __exit__(self, *raised: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for number in self._handlers:
            if number in self._arrived:
                signal.raise_signal(number)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Lets signals wait throughout the block; see ``Deferral``."""
    with Deferral() as signals:
        signals.begin()
        yield
