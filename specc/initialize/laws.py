"""What an initializer draws, with all its numbers worked out: plain data, free of numpy.

``catalogue`` turns ``xavier_uniform(gain=2)`` over a shape into ``Uniform(-bound, bound)``;
``values`` turns a law into numbers. The laws here are the whole list that ``values`` knows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """Every element is ``value``."""

    value: int | float


@dataclass(frozen=True)
class Uniform:
    """Uniform on [low, high)."""

    low: float
    high: float


@dataclass(frozen=True)
class Normal:
    """Gaussian."""

    mean: float
    std: float


@dataclass(frozen=True)
class TruncatedNormal:
    """Gaussian, conditioned on lying in [low, high] (absolute bounds, not multiples of ``std``)."""

    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class OnesAt:
    """Zero but for ones at the flat (row-major) positions, which ascend.

    The positions are ``group * group_stride + i * stride + offset`` for each group and each i below
    ``per_group``.
    """

    groups: int
    per_group: int
    group_stride: int
    stride: int
    offset: int

    def positions(self) -> list[int]:
        """All flat positions, ascending."""
        return [
            group * self.group_stride + i * self.stride + self.offset
            for group in range(self.groups)
            for i in range(self.per_group)
        ]


@dataclass(frozen=True)
class Orthogonal:
    """``gain`` times a Haar-distributed semi-orthogonal matrix [rows, columns]."""

    rows: int
    columns: int
    gain: float


@dataclass(frozen=True)
class SparseNormal:
    """A matrix [rows, columns], Gaussian(0, std) but for ``zeros`` random zeros in each column."""

    rows: int
    columns: int
    zeros: int
    std: float


Law = Constant | Uniform | Normal | TruncatedNormal | OnesAt | Orthogonal | SparseNormal
