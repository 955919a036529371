"""Initial values: element = f(seed, name, draw, index), in float64, rounded once.

A value depends on nothing but the seed, the parameter's name, its initializer and its index, so a
slice can be made alone, on any thread or rank, and adding a parameter changes no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specc.initialize import catalogue
from specc.initialize.laws import (
    Constant,
    Law,
    Normal,
    OnesAt,
    Orthogonal,
    SparseNormal,
    TruncatedNormal,
    Uniform,
)
from specc.initialize.normal import cumulative, quantile
from specc.initialize.orthogonal import random_orthonormal_columns
from specc.initialize.philox import random_words, stream_key, uniform_left_closed, uniform_open
from specc.initialize.rounding import NUMPY_DTYPES, rounded
from specc.ir.initializer import Edit, Initializer, Slice
from specc.ir.types import DType

Array = NDArray[np.float64]

_CHUNK = 2**16
"""Elements that are worked on together: 512 KiB of float64, to bound memory and stay in caches."""


def values(
    initializer: Initializer,
    *,
    name: str,
    shape: Sequence[int],
    dtype: DType,
    seed: int,
    draw: int = 0,
    start: int = 0,
    stop: int | None = None,
) -> NDArray[Any]:
    """The flat (row-major) elements ``start`` to ``stop`` of a parameter's initial value.

    ``catalogue.problem`` must find nothing wrong with the initializer. ``draw`` tells the draws of
    one parameter apart.

    >>> normal = Initializer(name="normal", arguments={"std": 0.01})
    >>> whole = values(normal, name="out.weight", shape=[10, 84], dtype=DType.F32, seed=0)
    >>> part = values(normal, name="out.weight", shape=[10, 84], dtype=DType.F32, seed=0, start=800)
    >>> bool((whole[800:] == part).all())
    True
    """
    wrong = catalogue.problem(initializer, shape, dtype)
    assert wrong is None, f"{initializer} {wrong.reason}"
    size = math.prod(shape)
    stop = size if stop is None else stop
    assert 0 <= start <= stop <= size, (start, stop, size)
    law = catalogue.law(initializer, shape)
    stream = Stream(stream_key(seed, name), _WORDS_OF_A_DRAW * draw)
    result = np.empty(stop - start, NUMPY_DTYPES[dtype])
    match law:
        case Constant(value):
            result[:] = (
                rounded(np.array(value, np.float64), dtype) if dtype.is_float else int(value)
            )
        case OnesAt():
            result[:] = 0
            positions = np.asarray(law.positions(), dtype=np.int64)
            result[positions[(positions >= start) & (positions < stop)] - start] = 1
        case Orthogonal() | SparseNormal():
            result[:] = rounded(_matrix(law, stream)[start:stop], dtype)
        case _:
            _fill(result, dtype, start, _sampler(law, stream))
    return result


def is_elementwise(initializer: Initializer, shape: Sequence[int]) -> bool:
    """Whether each element is drawn, and from no other's random words."""
    return isinstance(catalogue.law(initializer, shape), Uniform | Normal | TruncatedNormal)


_WORDS_OF_A_DRAW = 2
"""Draws of raw words that an initializer may take: ``sparse`` takes two."""


@dataclass(frozen=True)
class Stream:
    """Where an initializer's random words come from: a parameter's key, from a draw on."""

    key: int
    first: int = 0

    def words(self, start: int, stop: int, draw: int = 0) -> NDArray[np.uint64]:
        """Words ``start`` to ``stop`` of the initializer's own draw ``draw``."""
        return random_words(self.key, self.first + draw, start, stop)


_EDITS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda part, value: value,
    "+=": np.add,
    "-=": np.subtract,
    "*=": np.multiply,
    "/=": np.divide,
}


def apply_edits(flat: NDArray[Any], shape: Sequence[int], edits: Sequence[Edit]) -> None:
    """Makes ``edits`` in a tensor of ``shape``, given as its flat elements, in its own dtype.

    >>> weight = np.zeros(6, np.float32)
    >>> apply_edits(weight, [2, 3], [Edit(operator="+=", value=1), Edit(index=(1, 0), value=42)])
    >>> weight.tolist()
    [1.0, 1.0, 1.0, 42.0, 1.0, 1.0]
    """
    tensor = flat.reshape(shape)  # a view, since the elements are contiguous
    for edit in edits:
        index = tuple(entry.slice if isinstance(entry, Slice) else entry for entry in edit.index)
        value = flat.dtype.type(edit.value)
        tensor[index] = _EDITS[edit.operator](tensor[index], value)


Sampler = Callable[[int, int], Array]
"""Elements ``start`` to ``stop`` in float64."""


def _fill(result: NDArray[Any], dtype: DType, start: int, sample: Sampler) -> None:
    if len(result) > _CHUNK:
        _keep_freed_memory()
    for offset in range(0, len(result), _CHUNK):
        end = min(offset + _CHUNK, len(result))
        result[offset:end] = rounded(sample(start + offset, start + end), dtype)


@cache
def _keep_freed_memory() -> None:
    """Lets the C library give a chunk's arrays the memory that the last chunk's have freed.

    glibc returns freed memory to the system from a threshold on, which grows with the largest array
    that has been freed (``M_MMAP_THRESHOLD`` in mallopt(3)). Without, the system hands out and
    clears the same pages for every chunk, which takes up to half as long as the drawing.
    """
    np.empty(2**23, np.uint8)


def _sampler(law: Law, stream: Stream) -> Sampler:
    """The first draw, through the inverse of the law's distribution function."""
    match law:
        case Uniform(low, high):
            width = high - low
            return lambda start, stop: _moved(
                uniform_left_closed(stream.words(start, stop)), width, low
            )
        case Normal(mean, std):
            return lambda start, stop: _moved(_standard_normal(stream, start, stop), std, mean)
        case TruncatedNormal():
            return _truncated(law, stream)
        case _:
            raise AssertionError(law)


def _moved(elements: Array, factor: float, offset: float) -> Array:
    """``offset + factor * elements``, in place."""
    elements *= factor
    elements += offset
    return elements


def _standard_normal(stream: Stream, start: int, stop: int) -> Array:
    return quantile(uniform_open(stream.words(start, stop)))


def _truncated(law: TruncatedNormal, stream: Stream) -> Sampler:
    """The inverse of the distribution function between the bounds, in the tail that is precise."""
    low, high = (law.low - law.mean) / law.std, (law.high - law.mean) / law.std
    mirrored = low > 0
    if mirrored:  # Φ is near 1 there, where float64 is coarse, so draw from the other tail
        low, high = -high, -low
    scale = -law.std if mirrored else law.std
    lowest = cumulative(low)
    probability = cumulative(high) - lowest

    def sample(start: int, stop: int) -> Array:
        p = lowest + probability * uniform_open(stream.words(start, stop))
        z = quantile(np.minimum(p, 1 - 2.0**-53))
        return np.clip(law.mean + scale * z, law.low, law.high)

    return sample


def _matrix(law: Orthogonal | SparseNormal, stream: Stream) -> Array:
    """The whole matrix, flat: its elements hang together, so no slice can be made alone."""
    size = law.rows * law.columns
    match law:
        case Orthogonal(rows, columns, gain):
            gaussian = np.empty(size)
            _fill(gaussian, DType.F64, 0, lambda a, b: _standard_normal(stream, a, b))
            wide = rows < columns
            tall = random_orthonormal_columns(
                gaussian.reshape(columns, rows) if wide else gaussian.reshape(rows, columns)
            )
            return gain * (tall.T if wide else tall).ravel()
        case SparseNormal(rows, columns, zeros, std):
            result = np.empty(size)
            scaled = lambda a, b: std * _standard_normal(stream, a, b)  # noqa: E731
            _fill(result, DType.F64, 0, scaled)
            matrix = result.reshape(rows, columns)
            # A second draw ranks each column's rows; those that rank first are zeroed.
            ranks = stream.words(0, size, draw=1).reshape(rows, columns)
            chosen = np.argsort(ranks, axis=0, kind="stable")[:zeros]
            np.put_along_axis(matrix, chosen, 0.0, axis=0)
            return result
