"""What those who come from PyTorch write, and what is written here instead."""

from __future__ import annotations

from collections.abc import Mapping

_NO_MODULE = "operators are named alone: `Linear(8)`, `relu`"
_LAYERS = "a list of layers is a layer: `[Linear(8), relu]`"
_SIZES = "a size has the name that the header gives it: `net A(x: [N, C])`"

NAMES: Mapping[str, str] = {
    "F": _NO_MODULE,
    "ModuleList": _LAYERS,
    "Parameter": "a block's own parameter is declared: `param w: [8] ~ normal`",
    "Sequential": _LAYERS,
    "cat": "write `concat`",
    "long": "write `i64`",
    "nn": _NO_MODULE,
    "print": "nothing is printed when compiling; `specc show` lists each layer and its shapes",
    "range": "a range of ints is written `0..n`",
    "torch": _NO_MODULE,
    "view": "write `reshape`",
}
"""The help for a name that nothing bears."""

METHODS: Mapping[str, str] = {
    "cat": "write `concat((x, y), dim=1)`",
    "shape": _SIZES,
    "size": _SIZES,
    "to": "another dtype is a call, `f16(x)`",
    "view": "write `reshape(x, ...)`",
}
"""The help for a method or property of a tensor, where it is not a function of the same name."""

INPUT_SIZES = frozenset(
    ("embed_dim", "in_channels", "in_features", "input_dim", "input_size", "num_features")
)
"""Arguments that say how large the input is."""

WORKED_OUT = "the sizes of inputs are worked out, so only those of results are given"
