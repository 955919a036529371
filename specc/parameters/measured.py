"""Parameters with what their values are like, each read once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from specc.parameters.info import ParameterInfo
from specc.parameters.statistics import Histogram, Statistics, histogram, statistics

BINS = 48
"""Bins of the histograms that are shown: fine enough for a picture, narrow enough for a line."""


@dataclass(frozen=True)
class Measured:
    """A parameter, its statistics and its histogram."""

    info: ParameterInfo
    statistics: Statistics
    histogram: Histogram


def measured(parameters: Iterable[ParameterInfo], bins: int = BINS) -> tuple[Measured, ...]:
    """Each parameter measured. Raises SpecError where a file cannot be read."""
    found = []
    for parameter in parameters:
        values = parameter.values()
        found.append(Measured(parameter, statistics(values), histogram(values, bins)))
    return tuple(found)


def record(one: Measured, *, statistics: bool, histogram: bool) -> dict[str, object]:
    """The numbers for programs to read; what is not finite is None, as JSON has no name for it."""
    found: dict[str, object] = {}
    if statistics:
        found["statistics"] = {name: _json(value) for name, value in asdict(one.statistics).items()}
    if histogram:
        ends = {"low": _json(one.histogram.low), "high": _json(one.histogram.high)}
        found["histogram"] = {**ends, "counts": list(one.histogram.counts)}
    return found


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
