"""Activations: the functions of torch.nn.functional under their own names, and PReLU."""

from __future__ import annotations

from specc.ops.operator import Operator
from specc.ops.rectifier import (
    PReLU,
    hardshrink,
    hardtanh,
    leaky_relu,
    relu,
    relu6,
    softshrink,
    threshold,
)
from specc.ops.smooth import (
    celu,
    elu,
    gelu,
    glu,
    hardsigmoid,
    hardswish,
    logsigmoid,
    mish,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from specc.ops.softmax import log_softmax, softmax, softmin

OPERATORS: tuple[Operator, ...] = (
    relu,
    relu6,
    leaky_relu,
    PReLU,
    hardtanh,
    threshold,
    hardshrink,
    softshrink,
    elu,
    selu,
    celu,
    softplus,
    softsign,
    sigmoid,
    hardsigmoid,
    logsigmoid,
    tanh,
    tanhshrink,
    gelu,
    silu,
    mish,
    hardswish,
    glu,
    softmax,
    log_softmax,
    softmin,
)
