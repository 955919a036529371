"""Initial values that other processes draw while the caller is at something else.

A value depends on its parameter and the seed alone, so it does not matter who draws it. Threads
would not do: an operation on arrays that fit a cache is too short to pass Python's lock around.
"""

from __future__ import annotations

import math
import mmap
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from specc.initialize.rounding import NUMPY_DTYPES
from specc.signals import deferred
from specc.targets.initial_values import (
    Draw,
    Parameter,
    drawn,
    drawn_part,
    is_drawn_in_parts,
    static_shape,
)

_SHARE = 2**22
"""Elements that are worth another process: some 80 ms of drawing."""

_PART = 2**18
"""Elements that a process draws at a time: some 5 ms."""

_PAUSE = 0.0005
"""Seconds between two looks at what another process does: a tenth of a part."""

_UNRESERVED: int = getattr(mmap, "MAP_NORESERVE", 0)
"""Lets memory be more than the machine has while little of it is used; new in Python 3.13."""

_AHEAD = 128
"""Parts that are drawn and not yet taken: 128 MiB of float32."""


@contextmanager
def drawing(parameters: Iterable[Parameter], seed: int, processes: int) -> Iterator[Draw]:
    """Gives what ``drawn`` gives for each of ``parameters``, sooner.

    Inside, up to ``processes`` draw them in their order, the caller's own among them while it
    waits. The others are forked: no thread may hold a lock at that time that numpy needs. Where the
    system has no such processes, or there is little to draw, the caller's draws alone.

    >>> import specc
    >>> parameters = specc.compile("std.lenet").network.parameters
    >>> with drawing(parameters, seed=0, processes=2) as draw:
    ...     draw(parameters[0]).shape
    (6, 1, 5, 5)
    """
    divided = [parameter for parameter in parameters if is_drawn_in_parts(parameter)]
    elements = sum(math.prod(static_shape(parameter)) for parameter in divided)
    others = min(processes - 1, elements // _SHARE)
    ahead = _Ahead.of(divided, seed) if others >= 1 and _can_fork() else None
    if ahead is None:
        yield lambda parameter: drawn(parameter, seed)
        return
    with ahead.others(others):
        yield ahead.take


def _can_fork() -> bool:
    # multiprocessing lets the processes of a pool have none of their own.
    return sys.platform == "linux" and not multiprocessing.current_process().daemon


@dataclass(frozen=True)
class _Part:
    """Elements ``start`` to ``stop`` of a parameter, and where they go in the shared memory."""

    parameter: Parameter
    start: int
    stop: int
    offset: int

    @property
    def nbytes(self) -> int:
        return (self.stop - self.start) * self.dtype.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        return NUMPY_DTYPES[self.parameter.type.dtype]


_DRAWN, _TAKEN = 1, 2
"""States of a part, which begins with 0."""


class _Ahead:
    """Parts of parameters in memory that processes share, drawn in order.

    What the processes tell each other is in that memory too: the number of the first part that no
    process has claimed, and the state of each part. It is read and written under the lock.
    """

    def __init__(self, parameters: Sequence[Parameter], seed: int) -> None:
        self._seed = seed
        self.parts: list[_Part] = []
        self._of: dict[str, range] = {}
        end = 0
        for parameter in parameters:
            first = len(self.parts)
            size = math.prod(static_shape(parameter))
            for start in range(0, size, _PART):
                part = _Part(parameter, start, min(start + _PART, size), end)
                self.parts.append(part)
                # Parts share no page, so that each one's can be given back.
                end += -(-part.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
            self._of[parameter.name] = range(first, len(self.parts))
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _UNRESERVED
        self._memory = mmap.mmap(-1, end + 8 + len(self.parts), flags=flags)
        self._next = self._shared(1, np.int64, end)
        self._states = self._shared(len(self.parts), np.uint8, end + 8)
        self._fork = multiprocessing.get_context("fork")
        self._lock = self._fork.Lock()
        self._others: list[ForkProcess] = []

    @classmethod
    def of(cls, parameters: Sequence[Parameter], seed: int) -> Self | None:
        """None where the system does not grant what processes share."""
        try:
            return cls(parameters, seed)
        except OSError:
            return None

    def _shared(self, count: int, dtype: Any, offset: int) -> NDArray[Any]:
        return np.ndarray((count,), dtype, self._memory, offset)

    def _place(self, part: _Part) -> NDArray[Any]:
        return self._shared(part.stop - part.start, part.dtype, part.offset)

    @contextmanager
    def others(self, count: int) -> Iterator[None]:
        """Lets ``count`` processes draw throughout the block."""
        self._others = [
            self._fork.Process(target=self._work, args=(os.getpid(),), daemon=True)
            for _ in range(count)
        ]
        try:
            # Ctrl-C waits until it means nothing to them; there are as many as the system grants.
            with deferred(), suppress(OSError), warnings.catch_warnings():
                # From 3.12 on Python warns of any thread, such as those that numpy's BLAS keeps.
                warnings.simplefilter("ignore", DeprecationWarning)
                for other in self._others:
                    other.start()
            yield
        finally:
            for other in self._others:
                if other.pid is not None:
                    other.kill()
                    other.join()

    # ---- in the other processes ------------------------------------------------------------------

    def _work(self, caller: int) -> None:
        """Draws until there is nothing left to draw, or nobody left to draw for."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is the caller's to end them
        while self._next[0] < len(self.parts) and os.getppid() == caller:
            if not self._draw_next(at_most=_AHEAD):
                time.sleep(_PAUSE)

    # ---- in all of them --------------------------------------------------------------------------

    def _draw_next(self, at_most: int) -> bool:
        """Draws the first part that no process has claimed. False where there is none.

        Nor is there one where ``at_most`` parts are drawn and not yet taken.
        """
        with self._lock:
            number = int(self._next[0])
            while number < len(self.parts) and self._states[number] == _TAKEN:
                number += 1
            self._next[0] = number
            waiting = np.count_nonzero(self._states[:number] != _TAKEN)
            if number == len(self.parts) or waiting >= at_most:
                return False
            self._next[0] += 1
        self._draw(number)
        return True

    def _draw(self, number: int) -> None:
        part = self.parts[number]
        self._place(part)[:] = drawn_part(part.parameter, self._seed, part.start, part.stop)
        with self._lock:  # after which every process sees what was written
            self._states[number] = _DRAWN

    # ---- in the caller's -------------------------------------------------------------------------

    def take(self, parameter: Parameter) -> NDArray[Any]:
        """A parameter's values in its shape; they do not stay in the shared memory."""
        numbers = self._of.pop(parameter.name, range(0))
        if not numbers or self._is_out_of_turn(numbers):
            return drawn(parameter, self._seed)
        shape = static_shape(parameter)
        values = np.empty(math.prod(shape), NUMPY_DTYPES[parameter.type.dtype])
        for number in numbers:
            part = self.parts[number]
            self._await(number)
            values[part.start : part.stop] = self._place(part)
            self._memory.madvise(mmap.MADV_REMOVE, part.offset, part.nbytes)
            with self._lock:
                self._states[number] = _TAKEN
        return values.reshape(shape)

    def _is_out_of_turn(self, numbers: range) -> bool:
        """Whether others come before; these are then nobody's to draw any more."""
        with self._lock:
            if numbers.start <= self._next[0]:
                return False
            self._states[numbers.start : numbers.stop] = _TAKEN
            return True

    def _await(self, number: int) -> None:
        """Comes back when a part is drawn, and meanwhile draws what is next."""
        while self._state(number) != _DRAWN:
            if self._draw_next(at_most=len(self.parts)):
                continue
            if any(other.exitcode for other in self._others):  # ended by a signal, or by a fault
                self._draw(number)
            else:
                time.sleep(_PAUSE)

    def _state(self, number: int) -> int:
        with self._lock:
            return int(self._states[number])
