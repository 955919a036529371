"""The table of operators by name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from specc.ops.operator import Operator

# Each module holds one family and names its entries in OPERATORS, a tuple.
FAMILIES = (
    "linear",
    "conv",
    "conv_transpose",
    "pool",
    "norm",
    "group_norm",
    "rms_norm",
    "response_norm",
    "dropout",
    "embedding",
    "activation",
    "arithmetic",
    "division",
    "matmul",
    "attention",
    "rotary",
    "einsum",
    "comparison",
    "choice",
    "math",
    "reduction",
    "extremum",
    "shape",
    "permutation",
    "einops",
    "joining",
    "slicing",
    "padding",
    "interpolate",
    "gathering",
    "create",
)


@cache
def operators() -> Mapping[str, Operator]:
    """All built-in operators by name. Raises ValueError where two share a name."""
    table: dict[str, Operator] = {}
    for family in FAMILIES:
        module = importlib.import_module(f"specc.ops.{family}")
        for operator in module.OPERATORS:
            if operator.name in table:
                raise ValueError(f"two operators are called {operator.name!r}")
            table[operator.name] = operator
    return MappingProxyType(table)
