"""Random orthogonal matrices, the same to the last bit whatever library computes beneath.

LAPACK's factorizations sum in an order that depends on its version, the processor and the number of
threads. Here every sum is a fixed tree of elementwise additions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PANEL = 64
"""Columns that are worked on together, so that they stay in the cache."""


def random_orthonormal_columns(gaussian: Array) -> Array:
    """A Haar-distributed [m, n] matrix with orthonormal columns (m >= n), from as many draws.

    It is what the QR factorization of a Gaussian matrix gives for Q when R's diagonal is positive,
    as torch.nn.init.orthogonal_ does, but without the factorization: the j-th Householder vector of
    such a matrix comes from a Gaussian vector of length m - j that is independent of all before, so
    those vectors are drawn directly. Column j of ``gaussian`` gives the vector, from row j on.
    Sources: G. W. Stewart, "The efficient generation of random orthogonal matrices", SIAM J. Numer.
    Anal. 17 (1980); F. Mezzadri, "How to generate random matrices from the classical compact
    groups", Notices of the AMS 54 (2007).

    It takes about 4/3 m n² elementwise steps: 0.1 s for 512 x 512, a minute for 4096 x 4096.
    """
    rows, columns = gaussian.shape
    assert rows >= columns, gaussian.shape
    reflections = [_reflection(gaussian[j:, j].copy()) for j in range(columns)]
    result = np.zeros((rows, columns))
    for first in range(0, columns, _PANEL):
        panel = np.zeros((rows, min(_PANEL, columns - first)))
        for column in range(panel.shape[1]):
            panel[first + column, column] = reflections[first + column][1]
        _apply(reflections, panel, first)
        result[:, first : first + _PANEL] = panel
    return result


def _apply(reflections: list[tuple[Array, float]], panel: Array, first: int) -> None:
    """``panel = H_0 H_1 ... H_last panel`` in place, for the columns from ``first`` on."""
    for j in reversed(range(first + panel.shape[1])):
        vector = reflections[j][0][:, None]
        # Columns before j are still zero below row j, where H_j acts.
        active = panel[j:, max(j - first, 0) :]
        active -= vector * _tree_sum(vector * active)


def _reflection(x: Array) -> tuple[Array, float]:
    """The v with H = I - v vᵀ, which maps x onto the first axis, and the sign for R > 0."""
    norm = np.sqrt(_tree_sum(x * x))
    if norm == 0:  # never in practice; any reflection will do
        return x, 1.0
    sign = 1.0 if x[0] >= 0 else -1.0
    # v = x + sign |x| e_0, scaled so that |v|² = 2; |x + sign |x| e_0|² = 2 |x| (|x| + |x_0|).
    scale = np.sqrt(norm * (norm + abs(x[0])))
    x[0] += sign * norm
    # H x = -sign |x| e_0, which is R's diagonal entry; Q's column takes its sign.
    return x / scale, -sign


def _tree_sum(terms: Array) -> Array:
    """The sum over the first axis, by halves: an order that no library chooses."""
    while len(terms) > 1:
        half = len(terms) // 2
        odd = terms[2 * half :]
        terms = terms[:half] + terms[half : 2 * half]
        terms[: len(odd)] += odd
    total: Array = terms[0]
    return total
