"""Curves of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from specc.training.result import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TRAIN, _TEST = "#8c8c8c", "#1f5fa8"
_INK, _GRID = "#333333", "#e6e6e6"
_PANEL_INCHES = (4.6, 3.4)
_LOG_FROM = 20.0
"""Losses that fall by more than this factor are drawn on a logarithmic axis."""


def save_curves(path: Path, title: str, epochs: Sequence[Epoch]) -> None:
    """Draws the loss and each metric over the epochs, one panel each, as a PNG.

    Matplotlib's objects are used without pyplot, so that no window system or global state is.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(epochs[0].test)
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * len(names), height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    for position, name in enumerate(names, start=1):
        _draw(figure.add_subplot(1, len(names), position), name, epochs)
    figure.suptitle(title, color=_INK, fontweight="bold")
    figure.savefig(path, format="png")


def _draw(axes: Axes, name: str, epochs: Sequence[Epoch]) -> None:
    """One panel: the training and the held-out examples' curves, with the last held-out value."""
    from matplotlib.ticker import MaxNLocator

    x = [epoch.epoch for epoch in epochs]
    train = [epoch.train[name] for epoch in epochs]
    test = [epoch.test[name] for epoch in epochs]
    marker = "o" if len(epochs) <= 30 else None
    axes.plot(x, train, color=_TRAIN, marker=marker, markersize=3, label="train")
    axes.plot(x, test, color=_TEST, marker=marker, markersize=3, label=f"test: {test[-1]:.4g}")
    both = train + test
    if min(both) > 0 and max(both) / min(both) > _LOG_FROM:
        axes.set_yscale("log")
    axes.set_title(name, color=_INK, fontsize=10)
    axes.set_xlabel("epoch", color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK)
    axes.legend(frameon=False, labelcolor=_INK)
