"""The table of operators by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
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
    "normalize",
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
    "moving",
    "einops",
    "joining",
    "slicing",
    "padding",
    "interpolate",
    "pixels",
    "gathering",
    "create",
)


@cache
def operators() -> Mapping[str, Operator]:
    """All built-in operators by name. Raises ValueError where two share a name."""
    modules = [importlib.import_module(f"specc.ops.{family}") for family in FAMILIES]
    return _by_name(operator for module in modules for operator in module.OPERATORS)


def operators_with(own: Iterable[Operator]) -> Mapping[str, Operator]:
    """The built-in operators and a host's own, by name; the table that one program is held to.

    Raises ValueError where two share a name, and TypeError for what is no operator.
    """
    added = tuple(own)
    for operator in added:
        if not isinstance(operator, Operator):
            raise TypeError(f"an operator is what specc.op gives, not {operator!r:.80}")
    return _by_name((*operators().values(), *added)) if added else operators()


def _by_name(listed: Iterable[Operator]) -> Mapping[str, Operator]:
    table: dict[str, Operator] = {}
    for operator in listed:
        if operator.name in table:
            raise ValueError(f"two operators are called {operator.name!r}")
        table[operator.name] = operator
    return MappingProxyType(table)
