"""Parameters as aligned text, and as lines of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from specc.frontend.excerpt import printable
from specc.parameters import blocks
from specc.parameters.info import ParameterInfo
from specc.parameters.measured import Measured
from specc.parameters.measured import record as measured_record
from specc.summary.columns import aligned

_TALL = 6
"""So many histograms or fewer are drawn over several lines, below the table."""
_HEIGHT = 6

# Bounds such as 1 / sqrt(150) are exact in the data; six digits tell them apart for a reader.
_LONG_NUMBER = re.compile(r"\d+\.\d{7,}(e-?\d+)?")


@dataclass(frozen=True)
class Show:
    """What a table shows beside what the parameters are; ``encoding`` is that of the terminal."""

    statistics: bool = False
    histograms: bool = False
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it; a column in which nothing stands is left out."""

    heading: str
    cell: Callable[[ParameterInfo], str]
    right: bool = False


def _initializer(parameter: ParameterInfo) -> str:
    return _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.6g}", parameter.initializer or "")


def _role(parameter: ParameterInfo) -> str:
    role = "" if parameter.role in (None, "parameter") else str(parameter.role)
    return " ".join(filter(None, ("frozen" if parameter.frozen else "", role)))


def _held(parameter: ParameterInfo) -> str:
    """What differs where the values come from."""
    if parameter.held is None:
        return ""
    own = (parameter.name, parameter.dtype)
    return " ".join(there for there, here in zip(parameter.held, own, strict=True) if there != here)


_WHAT = (
    Column("name", lambda p: p.name),
    Column("shape", lambda p: str(list(p.shape))),
    Column("dtype", lambda p: p.dtype),
)
_ORIGIN = (
    Column("initializer", _initializer),
    Column("role", _role),
    Column("device", lambda p: p.device),
    Column("also named", lambda p: ", ".join(p.aliases)),
    Column("in the file", _held),
)


def table(
    parameters: Sequence[ParameterInfo],
    title: str,
    measured: Sequence[Measured] = (),
    show: Show = Show(),
) -> str:
    """One line a parameter, below a line that counts them.

    ``measured`` are the same parameters measured, where ``show`` asks for what that gives.
    """
    of = {one.info.name: one for one in measured}
    drawn_below = show.histograms and len(parameters) <= _TALL
    columns = list(_WHAT)
    if show.statistics:
        columns += _statistics(of)
    if show.histograms and not drawn_below:
        columns += _histograms(of, show)
    columns += _ORIGIN
    cells = [[printable(column.cell(p)) for column in columns] for p in parameters]
    kept = [i for i in range(len(columns)) if any(row[i] for row in cells)]
    head = [columns[i].heading for i in kept]
    rows = [[row[i] for i in kept] for row in cells]
    lines = aligned([head, *rows], [columns[i].right for i in kept])
    for one in measured if drawn_below else ():
        lines += ["", *_drawn(one, show)]
    return "\n".join([_counted(parameters, title), *lines])


def _statistics(of: Mapping[str, Measured]) -> list[Column]:
    def number(name: str) -> Column:
        return Column(name, lambda p: _number(getattr(of[p.name].statistics, name)), right=True)

    def zeros(parameter: ParameterInfo) -> str:
        share = of[parameter.name].statistics.zeros
        return f"{share:.1%}" if share > 0 else ""

    def nan(parameter: ParameterInfo) -> str:
        count = of[parameter.name].statistics.nan
        return f"{count:,}" if count else ""

    numbers = [number(name) for name in ("mean", "std", "min", "max", "norm")]
    return [*numbers, Column("zeros", zeros, right=True), Column("NaN", nan, right=True)]


def _histograms(of: Mapping[str, Measured], show: Show) -> list[Column]:
    fits = blocks.fits(show.encoding)
    drawing = Column(
        "histogram", lambda p: blocks.line(of[p.name].histogram.coarser(), blocks=fits)
    )
    if show.statistics:  # the ends stand there
        return [drawing]
    low = Column("from", lambda p: _number(of[p.name].histogram.low), right=True)
    return [low, drawing, Column("to", lambda p: _number(of[p.name].histogram.high))]


def _drawn(one: Measured, show: Show) -> list[str]:
    """A histogram over several lines, the name above it and its ends below."""
    picture = blocks.drawn(one.histogram, _HEIGHT, blocks=blocks.fits(show.encoding))
    low, high = _number(one.histogram.low), _number(one.histogram.high)
    width = len(one.histogram.counts)
    ends = f"{low}{high:>{max(width - len(low), len(high) + 1)}}"
    return [printable(one.info.name), *(f"  {line}".rstrip() for line in picture), f"  {ends}"]


def _number(value: float) -> str:
    return f"{value + 0.0:.4g}"  # which makes -0 a 0


def _counted(parameters: Sequence[ParameterInfo], title: str) -> str:
    tensors = f"{len(parameters):,} tensor{'s' * (len(parameters) != 1)}"
    elements = sum(p.size for p in parameters)
    return f"{printable(title)}: {tensors}, {elements:,} elements"


def record(parameter: ParameterInfo) -> dict[str, object]:
    """A parameter for programs to read."""
    return {
        "name": parameter.name,
        "shape": list(parameter.shape),
        "dtype": parameter.dtype,
        "role": parameter.role,
        "initializer": parameter.initializer,
        "layer": parameter.layer,
        "slot": parameter.slot,
        "aliases": list(parameter.aliases),
        "frozen": parameter.frozen,
        "device": parameter.device or None,
        "held": parameter.held and dict(zip(("name", "dtype"), parameter.held, strict=True)),
    }


def json_lines(
    parameters: Sequence[ParameterInfo],
    measured: Sequence[Measured] = (),
    show: Show = Show(),
) -> str:
    """A JSON object a line."""
    if not measured:
        return "\n".join(json.dumps(record(parameter)) for parameter in parameters)
    return "\n".join(
        json.dumps(
            record(one.info)
            | measured_record(one, statistics=show.statistics, histogram=show.histograms)
        )
        for one in measured
    )
