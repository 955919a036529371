"""Parameters as a picture: a panel each where they are few, a strip each where they are many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specc.frontend.excerpt import printable
from specc.parameters.measured import BINS, Measured

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Image = NDArray[np.float64]

_FILL, _LINE, _GREY = "#9dc1e4", "#1f5fa8", "#9a9a9a"
_INK, _QUIET, _ALARM = "#333333", "#777777", "#c0392b"
_MOST_PANELS = 30
_ROWS = 84
"""Strips in a column; more columns stand side by side."""
_OFFSETS = (5.0, 40.0, 75.0)
"""Where the numbers behind a strip begin, in points."""


def save_picture(path: Path, title: str, measured: Sequence[Measured]) -> None:
    """Draws the distribution of each parameter's values, as a PNG.

    Up to 30 have a histogram each. More have a strip each, from the least value at the left to the
    greatest at the right, darker where more elements lie. Names of parameters that hold NaN are
    red; buffers and constants are grey.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _panels(measured) if len(measured) <= _MOST_PANELS else _strips(measured)
    FigureCanvasAgg(figure)
    elements = sum(one.info.size for one in measured)
    count = f"{len(measured):,} tensor{'s' * (len(measured) != 1)}, {elements:,} elements"
    figure.suptitle(
        _plain(f"{title}: {count}"), color=_INK, fontweight="bold", fontsize=12, ha="center"
    )
    figure.savefig(path, format="png")


# ---- few -----------------------------------------------------------------------------------------


def _panels(measured: Sequence[Measured]) -> Figure:
    from matplotlib.figure import Figure

    columns = math.ceil(math.sqrt(len(measured)))
    rows = math.ceil(len(measured) / columns)
    figure = Figure(figsize=(3.1 * columns, 2.1 * rows + 0.5), dpi=150, layout="constrained")
    for position, one in enumerate(measured, start=1):
        _panel(figure.add_subplot(rows, columns, position), one)
    return figure


def _panel(axes: Axes, one: Measured) -> None:
    """A histogram with the name, the shape and the numbers above it."""
    found, numbers = one.histogram, one.statistics
    if any(found.counts):
        edges = _edges(one)
        axes.stairs(found.counts, edges, fill=True, color=_FILL if _is_trained(one) else "#d9d9d9")
        axes.stairs(found.counts, edges, color=_color(one), linewidth=0.9)
        axes.margins(x=0.02)
        if not _is_drawable(one):
            ends = (one.histogram.low, one.histogram.high)
            axes.set_xticks([0, 1], [f"{end:.3g}" for end in ends])
        else:
            axes.locator_params(axis="x", nbins=5)
        axes.set_ylim(0, max(found.counts) * 1.08)
    else:
        axes.set_xticks([])
        axes.text(0.5, 0.5, _nothing(one), ha="center", va="center", color=_QUIET, fontsize=9,
                  transform=axes.transAxes)  # fmt: skip
    name_color = _ALARM if numbers.nan else _INK
    axes.set_title(_shortened(one.info.name, 38), color=name_color, fontsize=9, loc="left", pad=15)
    shape = " × ".join(map(str, one.info.shape)) or "scalar"
    parts = [shape, f"mean {numbers.mean:.3g}", f"std {numbers.std:.3g}"]
    if numbers.zeros > 0:
        parts.append(f"{numbers.zeros:.0%} zeros")
    if numbers.nan:
        parts.append(f"{numbers.nan:,} NaN")
    axes.text(0, 1.03, "   ".join(parts), transform=axes.transAxes, fontsize=6.5, color=_QUIET)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_QUIET)
    axes.tick_params(colors=_QUIET, labelsize=7)


def _edges(one: Measured) -> list[float]:
    low, high, bins = one.histogram.low, one.histogram.high, len(one.histogram.counts)
    if not _is_drawable(one):
        return [i / bins for i in range(bins + 1)]
    if low == high:
        half = abs(low) / 2 or 0.5
        low, high = low - half - half / bins, high + half - half / bins  # its bin about the middle
    return [low * (1 - i / bins) + high * (i / bins) for i in range(bins + 1)]


def _is_drawable(one: Measured) -> bool:
    """Whether matplotlib can divide an axis between the ends; it takes floats by their digits."""
    low, high = one.histogram.low, one.histogram.high
    least, most = 1e-100, 1e100
    spread = high - low if high > low else abs(low) or 1.0
    return max(abs(low), abs(high)) < most and spread > max(least, 1e-9 * abs(low))


def _nothing(one: Measured) -> str:
    return "no elements" if one.info.size == 0 else "no finite elements"


# ---- many ----------------------------------------------------------------------------------------


def _strips(measured: Sequence[Measured]) -> Figure:
    from matplotlib.figure import Figure

    columns = math.ceil(len(measured) / _ROWS)
    rows = math.ceil(len(measured) / columns)
    figure = Figure(figsize=(5.4 * columns, 0.165 * rows + 1.1), dpi=130)
    top, bottom = 1 - 0.85 / figure.get_figheight(), 0.25 / figure.get_figheight()
    for column in range(columns):
        part = measured[column * rows : (column + 1) * rows]
        left, width = (column + 0.4) / columns, 0.31 / columns
        height = (top - bottom) * len(part) / rows
        axes = figure.add_axes((left, top - height, width, height))
        _column(axes, part)
    return figure


def _column(axes: Axes, part: Sequence[Measured]) -> None:
    """A strip a row: the name before it, its ends and its standard deviation behind it."""
    image = np.ones((len(part), BINS, 3))
    for row, one in enumerate(part):
        image[row] = _shades(one)
    axes.imshow(image, aspect="auto", interpolation="nearest", extent=(0, 1, len(part), 0))
    for row in range(len(part) + 1):  # a white gap between the strips
        axes.axhline(row, color="white", linewidth=2.2)
    for row, one in enumerate(part):
        numbers, middle = one.statistics, row + 0.5
        color = _ALARM if numbers.nan else (_INK if _is_trained(one) else _QUIET)
        _beside(axes, _shortened(one.info.name, 42), (0, middle), -5, color)
        for offset, text in zip(_OFFSETS, _numbers(one), strict=False):
            _beside(axes, text, (1, middle), offset, _QUIET)
    for offset, text in zip(_OFFSETS, ("from", "to", "std"), strict=True):
        axes.annotate(text, (1, 0), (offset, 3), textcoords="offset points", color=_INK,
                      fontsize=6.5, fontweight="bold")  # fmt: skip
    axes.set_axis_off()


def _beside(axes: Axes, text: str, place: tuple[float, float], points: float, color: str) -> None:
    axes.annotate(
        text,
        place,
        (points, 0),
        textcoords="offset points",
        ha="right" if points < 0 else "left",
        va="center",
        fontsize=6.2,
        color=color,
    )


def _numbers(one: Measured) -> tuple[str, ...]:
    if not any(one.histogram.counts):
        return (_nothing(one),)
    values = (one.histogram.low, one.histogram.high, one.statistics.std)
    return tuple(f"{value + 0.0:.2g}" for value in values)


def _shades(one: Measured) -> Image:
    """A colour a bin, [BINS, 3]: from nearly white to the line's colour, by the root of the count.

    The root, so that the tails of a normal distribution are seen.
    """
    from matplotlib.colors import to_rgb

    counts = np.array(one.histogram.counts, np.float64)
    share = np.sqrt(counts / max(counts.max(), 1))[:, None]
    pale, full = np.array(to_rgb("#f3f3f3")), np.array(to_rgb(_color(one)))
    mixed: Image = pale * (1 - share) + full * share
    return mixed


# ---- both ----------------------------------------------------------------------------------------


def _is_trained(one: Measured) -> bool:
    return one.info.role in ("parameter", None) and not one.info.frozen


def _color(one: Measured) -> str:
    return _LINE if _is_trained(one) else _GREY


def _shortened(name: str, most: int) -> str:
    """A name cut at its beginning, since names differ at their ends."""
    return _plain(name if len(name) <= most else f"…{name[1 - most :]}")


def _plain(text: str) -> str:
    """Text that matplotlib takes for no formula."""
    return printable(text).replace("$", r"\$")
