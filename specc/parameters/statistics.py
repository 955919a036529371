"""What the values of a tensor are like, in numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 2**20
"""Elements that are widened to float64 together, to bound memory."""


@dataclass(frozen=True)
class Statistics:
    """Of the elements that are not NaN, in float64; of none, all but the counts are NaN.

    ``std`` is that of the elements as they are, with n in the denominator. ``norm`` is the square
    root of the sum of squares, ``zeros`` the share of elements that are 0, of all, and ``nan`` how
    many elements are NaN.
    """

    mean: float
    std: float
    min: float
    max: float
    norm: float
    zeros: float
    nan: int


@dataclass(frozen=True)
class Histogram:
    """How many finite elements lie in each of equally wide bins from ``low`` to ``high``."""

    low: float
    high: float
    counts: tuple[int, ...]

    def coarser(self) -> Histogram:
        """The same with bins that are twice as wide; their number is even."""
        pairs = zip(self.counts[::2], self.counts[1::2], strict=True)
        return Histogram(self.low, self.high, tuple(first + second for first, second in pairs))


def statistics(values: NDArray[Any]) -> Statistics:
    """The statistics of a tensor of any shape and dtype.

    >>> statistics(np.array([0.0, 3.0, 4.0, 5.0, np.nan])).mean
    3.0
    """
    total = squares = 0.0
    least, greatest = math.inf, -math.inf
    count = zeros = 0
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are what the numbers show
        for part in _parts(values):
            count += part.size
            zeros += int(part.size - np.count_nonzero(part))
            total += float(part.sum())
            squares += float(np.square(part).sum())
            least, greatest = min(least, float(part.min())), max(greatest, float(part.max()))
        if count == 0:
            nothing = math.nan
            return Statistics(nothing, nothing, nothing, nothing, nothing, nothing, values.size)
        mean = total / count
        # A second pass, since the difference of large sums would lose the digits of a small spread.
        spread = sum(float(np.square(part - mean).sum()) for part in _parts(values))
    return Statistics(
        mean=mean,
        std=math.sqrt(spread / count),
        min=least,
        max=greatest,
        norm=math.sqrt(squares),
        zeros=zeros / values.size,
        nan=values.size - count,
    )


def histogram(values: NDArray[Any], bins: int = 32) -> Histogram:
    """The histogram of a tensor's finite elements; of none, from NaN to NaN.

    >>> histogram(np.array([0, 0, 1, 2]), bins=2)
    Histogram(low=0.0, high=2.0, counts=(2, 2))
    """
    low, high = math.inf, -math.inf
    for part in _parts(values):
        finite = part[np.isfinite(part)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        return Histogram(math.nan, math.nan, (0,) * bins)
    counts = np.zeros(bins, np.int64)
    # By hand, since numpy's refuses a range that is too narrow for its edges. Halves, since the
    # width of the range may be beyond what float64 holds; a constant stands in the middle.
    width = high / 2 - low / 2
    for part in _parts(values):
        finite = part[np.isfinite(part)]
        share = (finite / 2 - low / 2) / width if width > 0 else np.full(finite.shape, 0.5)
        position = np.minimum((share * bins).astype(np.int64), bins - 1)
        counts += np.bincount(position, minlength=bins)
    return Histogram(low, high, tuple(map(int, counts)))


def _parts(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """The elements that are not NaN, in float64, some at a time."""
    flat = values.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK].astype(np.float64)
        kept = part[~np.isnan(part)]
        if kept.size:
            yield kept
