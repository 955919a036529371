"""The data sets that a recipe can name, split into what is trained on and what is held out.

The split belongs to the data, not to the run: it is the same for every seed, so that two runs can
be compared, and no held-out example is ever trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from specc.frontend.diagnostics import Fault
from specc.ir.recipe import Choice
from specc.recipe.facts import PathLeadsOutside
from specc.training.facts import BadData
from specc.training.npz import read_npz

Array = NDArray[Any]

_HELD_OUT = 0.2


@dataclass(frozen=True)
class Examples:
    """Inputs and targets: ``x`` is [n, ...] and ``y`` [n, ...], in the same order."""

    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: Array) -> Examples:
        return Examples(self.x[index], self.y[index])


@dataclass(frozen=True)
class Split:
    """A data set. ``name`` is how messages call it."""

    name: str
    train: Examples
    test: Examples


def load(choice: Choice, base: Path) -> Split:
    """The data that a recipe names; relative paths count from ``base``.

    Raises Fault with BadData, or PathLeadsOutside where a link leads out of ``base``.
    """
    return _LOADERS[choice.name](base, **choice.arguments)


# ---- digits --------------------------------------------------------------------------------------


def _digits(base: Path, *, resize: int, normalize: bool, test: float) -> Split:
    """1,797 scans of 43 writers' digits, 8 by 8, as scikit-learn bundles them.

    x is f32[n, 1, resize, resize] from 0 to 1, or with the training images' mean 0 and standard
    deviation 1; y is i64[n] from 0 to 9. Source: E. Alpaydin and C. Kaynak, Optical Recognition of
    Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits

    bundled = load_digits()
    images = torch.from_numpy(bundled.images.astype(np.float32) / 16)[:, None]
    if resize != images.shape[-1]:
        size = (resize, resize)
        images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
    x = images.numpy()
    split = _split("digits", Examples(x, bundled.target.astype(np.int64)), test)
    if not normalize:
        return split
    # In float64, since a float32 sum over a million pixels is not the same on every machine.
    mean = split.train.x.mean(dtype=np.float64)
    deviation = split.train.x.std(dtype=np.float64)

    def normalized(examples: Examples) -> Examples:
        return Examples(((examples.x - mean) / deviation).astype(np.float32), examples.y)

    return Split(split.name, normalized(split.train), normalized(split.test))


# ---- synthetic regression ------------------------------------------------------------------------


def _synthetic_regression(
    base: Path,
    *,
    w: tuple[float, ...],
    b: float,
    examples: int,
    noise: float,
    test: float,
    seed: int,
) -> Split:
    """Targets y = x w + b + noise, with x from N(0, 1) and the noise from N(0, noise²).

    x is f32[n, len(w)], y is f32[n, 1].
    """
    draw = np.random.default_rng(seed)
    x = draw.standard_normal((examples, len(w)))
    y = x @ np.array(w)[:, None] + b + noise * draw.standard_normal((examples, 1))
    drawn = Examples(x.astype(np.float32), y.astype(np.float32))
    return _split("synthetic_regression", drawn, test)


# ---- npz -----------------------------------------------------------------------------------------


def _npz(base: Path, *, path: str, test: float | None) -> Split:
    """Arrays x and y of a file, and x_test and y_test if it holds them out itself."""
    file = base / path
    if not Path(path).is_absolute() and not file.resolve().is_relative_to(base.resolve()):
        raise Fault(PathLeadsOutside(path=path))
    arrays = read_npz(file, (("x", "y"), ("x", "y", "x_test", "y_test")))
    every = _examples(path, arrays["x"], arrays["y"])
    if "x_test" not in arrays:
        return _split(path, every, _HELD_OUT if test is None else test)
    if test is not None:
        problem = f"it holds x_test, and test={test:g} asks for another split"
        raise Fault(BadData(data=path, problem=problem))
    held_out = _examples(path, arrays["x_test"], arrays["y_test"])
    for name, ours, theirs in (("x", every.x, held_out.x), ("y", every.y, held_out.y)):
        if ours.shape[1:] != theirs.shape[1:] or ours.dtype.kind != theirs.dtype.kind:
            raise Fault(BadData(data=path, problem=f"{name} and {name}_test differ in kind"))
    return Split(path, every, held_out)


def _examples(name: str, x: Array, y: Array) -> Examples:
    """Floats as f32 and other numbers as they are, once they are sound."""
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or x.size == 0 or y.size == 0:
        problem = (
            f"x is {list(x.shape)} and y {list(y.shape)}; both need the same number of examples"
        )
        raise Fault(BadData(data=name, problem=problem))
    return Examples(_converted(name, x), _converted(name, y))


def _converted(name: str, array: Array) -> Array:
    floating = array.dtype.kind == "f"
    with np.errstate(over="ignore"):
        native = array.astype(np.float32 if floating else array.dtype.newbyteorder("="), copy=False)
    if floating and not np.isfinite(native).all():
        problem = "an array holds NaN, infinity or a number that f32 cannot hold"
        raise Fault(BadData(data=name, problem=problem))
    return native


# ---- splitting -----------------------------------------------------------------------------------


def _split(name: str, every: Examples, fraction: float) -> Split:
    """Holds out a fraction, evenly spaced in the data's own order; of each class, where y has any.

    No seed is drawn, so that no split can be chosen for its results.
    """
    order = np.argsort(every.y, kind="stable") if _has_classes(every.y) else np.arange(len(every))
    # Example i of this order is held out where the count of held-out ones, rounded up, grows by
    # one; not by the last bit of a product such as 0.07 * 100.
    counts = np.ceil(np.round(np.arange(len(every) + 1) * fraction, 6))
    held_out = np.zeros(len(every), dtype=bool)
    held_out[order] = np.diff(counts) > 0
    if held_out.all():
        raise Fault(BadData(data=name, problem=f"{len(every)} examples cannot be split"))
    return Split(name, every[np.flatnonzero(~held_out)], every[np.flatnonzero(held_out)])


def _has_classes(y: Array) -> bool:
    return y.ndim == 1 and y.dtype.kind in "iu"


_LOADERS: Mapping[str, Callable[..., Split]] = {
    "digits": _digits,
    "synthetic_regression": _synthetic_regression,
    "npz": _npz,
}
