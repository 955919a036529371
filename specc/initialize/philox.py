"""Random bits by position: Philox4x64-10, a fixed and published counter-based function.

Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). A block of four 64-bit words
is a function of a 256-bit counter and a 128-bit key, so any stretch of a stream can be made alone.

The counter's words, lowest first, are (block, 0, draw, 0), and word i of a draw is lane i % 4 of
block i // 4. numpy computes the function; nothing of its distributions, whose streams may change,
is used.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from specc.signals import deferred

with deferred():  # its compiled modules swallow what is raised while they start, Ctrl-C too
    from numpy.random import Philox

_LANES = 4
_COUNTERS = 2**256


def stream_key(seed: int, name: str) -> int:
    """The 128-bit key of a parameter's stream: BLAKE2b over the seed's digits, NUL and the name."""
    text = f"{seed}\0{name}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")


def philox_blocks(key: int, counter: int, blocks: int) -> NDArray[np.uint64]:
    """``4 * blocks`` words: Philox4x64-10 of ``counter``, ``counter + 1``, ..."""
    # numpy counts up before it computes a block, so its counter starts one below ours.
    generator = Philox(key=key, counter=(counter - 1) % _COUNTERS)
    return np.asarray(generator.random_raw(_LANES * blocks), dtype=np.uint64)


def random_words(key: int, draw: int, start: int, stop: int) -> NDArray[np.uint64]:
    """Words ``start`` to ``stop`` of a draw, 64 uniform bits each."""
    first = start // _LANES
    blocks = -(-stop // _LANES) - first
    words = philox_blocks(key, first + (draw << 128), blocks)
    return words[start - first * _LANES : stop - first * _LANES]


def uniform_left_closed(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Multiples of 2**-53 in [0, 1), each equally likely."""
    return _scaled(words >> np.uint64(11))


def uniform_open(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Odd multiples of 2**-53 in (0, 1), each equally likely, and symmetric about 1/2."""
    numbers = words >> np.uint64(11)
    numbers |= np.uint64(1)
    return _scaled(numbers)


def _scaled(numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
    # Below 2**53 either sign reads the same, and processors convert signed integers faster.
    result = numbers.view(np.int64).astype(np.float64)
    result *= 2.0**-53
    return result
