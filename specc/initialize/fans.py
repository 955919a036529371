"""Fans and gains: how far an initializer's spread follows from a shape and a nonlinearity.

The rules are torch.nn.init's, so that a network starts as its PyTorch original would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def fan_in_and_fan_out(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs to, and outputs of, one unit of a weight [out, in, *kernel].

    >>> fan_in_and_fan_out([16, 6, 5, 5])
    (150, 400)
    """
    assert len(shape) >= 2, shape
    receptive_field = math.prod(shape[2:])
    return shape[1] * receptive_field, shape[0] * receptive_field


def xavier_std(shape: Sequence[int], gain: float) -> float:
    """Glorot and Bengio (2010), eq. 12: the variance is gain² · 2 / (fan_in + fan_out)."""
    fan_in, fan_out = fan_in_and_fan_out(shape)
    return gain * math.sqrt(2.0 / (fan_in + fan_out))


def kaiming_std(shape: Sequence[int], mode: str, nonlinearity: str, slope: float) -> float:
    """He et al. (2015), eq. 14 and 15: the variance is gain² / fan."""
    fan_in, fan_out = fan_in_and_fan_out(shape)
    return GAINS[nonlinearity](slope) / math.sqrt(fan_in if mode == "fan_in" else fan_out)


def _leaky_relu_gain(slope: float) -> float:
    # Not **, which is the C library's pow, whose last bit is not the same everywhere.
    return math.sqrt(2.0 / (1.0 + slope * slope))


def _always(gain: float) -> Callable[[float], float]:
    return lambda slope: gain


GAINS: dict[str, Callable[[float], float]] = {
    "leaky_relu": _leaky_relu_gain,
    "relu": _always(math.sqrt(2.0)),
    "linear": _always(1.0),
    "conv1d": _always(1.0),
    "conv2d": _always(1.0),
    "conv3d": _always(1.0),
    "conv_transpose1d": _always(1.0),
    "conv_transpose2d": _always(1.0),
    "conv_transpose3d": _always(1.0),
    "sigmoid": _always(1.0),
    "tanh": _always(5.0 / 3.0),
    "selu": _always(3.0 / 4.0),
}
"""By nonlinearity, the gain as a function of the negative slope (torch.nn.init.calculate_gain)."""
