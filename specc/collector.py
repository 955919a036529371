"""Rests Python's cyclic garbage collector while much is made and nothing is thrown away."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector() -> Iterator[None]:
    """No collection inside; afterwards the collector is as it was before.

    The collector looks through what has been made each time that enough has been added. A tree, an
    IR or a set of modules only grows while it is made, so that those searches find nothing, and
    take up to half of the time.

    >>> with resting_collector():
    ...     gc.isenabled()
    False
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
