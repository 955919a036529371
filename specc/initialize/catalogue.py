"""The initializers: one entry each, with arguments, requirements and the law that it draws from.

All of torch.nn.init, under its own names and with its defaults. An entry is data and arithmetic on
shapes; it needs no numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specc.initialize import fans
from specc.initialize.arguments import Argument, InitializerProblem
from specc.initialize.laws import (
    Constant,
    Law,
    Normal,
    OnesAt,
    Orthogonal,
    SparseNormal,
    TruncatedNormal,
    Uniform,
)
from specc.initialize.requirements import (
    anything,
    has_fans,
    has_rows,
    holds,
    is_interval,
    is_kernel,
    is_matrix,
    is_truncation,
)
from specc.ir.initializer import ArgumentValue, Initializer
from specc.ir.types import DType

Shape = Sequence[int]


@dataclass(frozen=True)
class InitializerEntry:
    """One initializer.

    ``law(shape, **arguments)`` says what it draws; ``requires(shape, **arguments)`` gives the
    reason why it cannot, or None. ``law`` is called only where nothing is wrong and the shape holds
    at least one element. ``random`` entries need a floating-point dtype.
    """

    name: str
    arguments: tuple[Argument, ...]
    law: Callable[..., Law]
    requires: Callable[..., str | None]
    random: bool
    summary: str


@dataclass(frozen=True)
class TorchInit:
    """The call that does the same in PyTorch: ``function(tensor, *positional, **keywords)``."""

    function: str
    positional: tuple[ArgumentValue, ...] = ()
    keywords: Mapping[str, ArgumentValue] | None = None


def problem(
    initializer: Initializer, shape: Shape, dtype: DType = DType.F32
) -> InitializerProblem | None:
    """Why this initializer cannot fill a tensor of this shape and dtype; None where it can."""
    entry = CATALOGUE.get(initializer.name)
    if entry is None:
        return InitializerProblem("is no initializer")
    if (wrong := argument_problem(initializer)) is not None:
        return wrong
    arguments = _complete(entry, initializer)
    if entry.random and not dtype.is_float:
        return InitializerProblem(f"draws real numbers, which {dtype.value} cannot hold")
    if (reason := entry.requires(shape, **arguments)) is not None:
        return InitializerProblem(reason)
    drawn = law(initializer, shape)
    if isinstance(drawn, Constant) and not holds(dtype, drawn.value):
        return InitializerProblem(f"sets {drawn.value!r}, which {dtype.value} cannot hold")
    return None


def argument_problem(initializer: Initializer) -> InitializerProblem | None:
    """What is wrong with the arguments, whatever the shape: unknown, missing or out of bounds."""
    entry = CATALOGUE[initializer.name]
    known = {argument.name: argument for argument in entry.arguments}
    for name, value in initializer.arguments.items():
        if name not in known:
            return InitializerProblem(f"takes no argument {name!r}", name)
        if (wrong := known[name].problem(value)) is not None:
            return wrong
    for argument in entry.arguments:
        if argument.required and argument.name not in initializer.arguments:
            return InitializerProblem(f"needs its argument {argument.name!r}", argument.name)
    return None


def law(initializer: Initializer, shape: Shape) -> Law:
    """What a sound initializer (``problem`` is None) draws for this shape."""
    if math.prod(shape) == 0:
        return Constant(0)
    entry = CATALOGUE[initializer.name]
    return entry.law(shape, **_complete(entry, initializer))


def torch_call(initializer: Initializer) -> TorchInit:
    """The torch.nn.init call: required arguments by position, the rest by name if not the default.

    >>> torch_call(Initializer(name="normal", arguments={"mean": 0, "std": 0.01}))
    TorchInit(function='nn.init.normal_', positional=(), keywords={'std': 0.01})
    """
    entry = CATALOGUE[initializer.name]
    given = _complete(entry, initializer)
    return TorchInit(
        f"nn.init.{entry.name}_",
        tuple(given[argument.name] for argument in entry.arguments if argument.required),
        {
            argument.name: given[argument.name]
            for argument in entry.arguments
            if not argument.required and given[argument.name] != argument.default
        },
    )


def _complete(entry: InitializerEntry, initializer: Initializer) -> dict[str, Any]:
    given = initializer.arguments
    return {
        argument.name: argument.converted(given.get(argument.name, argument.default))  # type: ignore[arg-type]
        for argument in entry.arguments
    }


# ---- laws ----------------------------------------------------------------------------------------


def _eye(shape: Shape) -> Law:
    rows, columns = shape
    return OnesAt(1, min(rows, columns), 0, columns + 1, 0)


def _dirac(shape: Shape, groups: int) -> Law:
    """Output channel d of each group passes input channel d through, at the kernel's center."""
    out_channels, in_channels, *kernel = shape
    receptive_field = math.prod(kernel)
    center = 0
    for size in kernel:
        center = center * size + size // 2
    per_group = out_channels // groups
    row = in_channels * receptive_field
    return OnesAt(
        groups, min(per_group, in_channels), per_group * row, row + receptive_field, center
    )


def _xavier_uniform(shape: Shape, gain: float) -> Law:
    bound = math.sqrt(3.0) * fans.xavier_std(shape, gain)
    return Uniform(-bound, bound)


def _xavier_normal(shape: Shape, gain: float) -> Law:
    return Normal(0.0, fans.xavier_std(shape, gain))


def _kaiming_uniform(shape: Shape, a: float, mode: str, nonlinearity: str) -> Law:
    bound = math.sqrt(3.0) * fans.kaiming_std(shape, mode, nonlinearity, a)
    return Uniform(-bound, bound)


def _kaiming_normal(shape: Shape, a: float, mode: str, nonlinearity: str) -> Law:
    return Normal(0.0, fans.kaiming_std(shape, mode, nonlinearity, a))


def _orthogonal(shape: Shape, gain: float) -> Law:
    return Orthogonal(shape[0], math.prod(shape[1:]), gain)


def _sparse(shape: Shape, sparsity: float, std: float) -> Law:
    rows, columns = shape
    return SparseNormal(rows, columns, math.ceil(sparsity * rows), std)


# ---- the table -----------------------------------------------------------------------------------

_GAIN = Argument("gain", "float", 1.0, least=0)
_KAIMING = (
    Argument("a", "float", 0.0),
    Argument("mode", "str", "fan_in", choices=("fan_in", "fan_out")),
    Argument("nonlinearity", "str", "leaky_relu", choices=tuple(fans.GAINS)),
)
_MEAN, _STD = Argument("mean", "float", 0.0), Argument("std", "float", 1.0, least=0)

_ENTRIES = (
    InitializerEntry(
        "uniform",
        (Argument("a", "float", 0.0), Argument("b", "float", 1.0)),
        lambda shape, a, b: Uniform(a, b),
        is_interval,
        random=True,
        summary="Uniform on [a, b).",
    ),
    InitializerEntry(
        "normal",
        (_MEAN, _STD),
        lambda shape, mean, std: Normal(mean, std),
        anything,
        random=True,
        summary="Gaussian.",
    ),
    InitializerEntry(
        "trunc_normal",
        (_MEAN, _STD, Argument("a", "float", -2.0), Argument("b", "float", 2.0)),
        lambda shape, mean, std, a, b: TruncatedNormal(mean, std, a, b),
        is_truncation,
        random=True,
        summary="Gaussian, redrawn until it lies in [a, b].",
    ),
    InitializerEntry(
        "constant",
        (Argument("val", "number"),),
        lambda shape, val: Constant(val),
        anything,
        random=False,
        summary="Every element is val.",
    ),
    InitializerEntry(
        "ones", (), lambda shape: Constant(1), anything, random=False, summary="Ones."
    ),
    InitializerEntry(
        "zeros", (), lambda shape: Constant(0), anything, random=False, summary="Zeros."
    ),
    InitializerEntry(
        "eye", (), _eye, is_matrix, random=False, summary="The identity matrix, cut to shape."
    ),
    InitializerEntry(
        "dirac",
        (Argument("groups", "int", 1, least=1),),
        _dirac,
        is_kernel,
        random=False,
        summary="A convolution that passes its input channels through, within each group.",
    ),
    InitializerEntry(
        "xavier_uniform",
        (_GAIN,),
        _xavier_uniform,
        has_fans,
        random=True,
        summary="Uniform, variance gain² · 2 / (fan in + fan out) (Glorot and Bengio, 2010).",
    ),
    InitializerEntry(
        "xavier_normal",
        (_GAIN,),
        _xavier_normal,
        has_fans,
        random=True,
        summary="Gaussian, variance gain² · 2 / (fan in + fan out) (Glorot and Bengio, 2010).",
    ),
    InitializerEntry(
        "kaiming_uniform",
        _KAIMING,
        _kaiming_uniform,
        has_fans,
        random=True,
        summary="Uniform, variance gain² / fan (He et al., 2015); a is the leaky ReLU's slope.",
    ),
    InitializerEntry(
        "kaiming_normal",
        _KAIMING,
        _kaiming_normal,
        has_fans,
        random=True,
        summary="Gaussian, variance gain² / fan (He et al., 2015); a is the leaky ReLU's slope.",
    ),
    InitializerEntry(
        "orthogonal",
        (Argument("gain", "float", 1.0),),
        _orthogonal,
        has_rows,
        random=True,
        summary="Orthonormal rows or columns, times gain (Saxe et al., 2013).",
    ),
    InitializerEntry(
        "sparse",
        (
            Argument("sparsity", "float", least=0, greatest=1),
            Argument("std", "float", 0.01, least=0),
        ),
        _sparse,
        is_matrix,
        random=True,
        summary="Gaussian but for a fraction of zeros in each column (Martens, 2010).",
    ),
)

CATALOGUE: Mapping[str, InitializerEntry] = {entry.name: entry for entry in _ENTRIES}
"""Every initializer by name."""
assert len(CATALOGUE) == len(_ENTRIES), "two initializers bear one name"
