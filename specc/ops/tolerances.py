"""How far targets may be apart: max|a - b| / max|b|, by dtype.

The bounds are a few units in the last place of each dtype, since every target rounds on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXACT: Mapping[str, float] = MappingProxyType({"f64": 0.0, "f32": 0.0, "f16": 0.0, "bf16": 0.0})
"""Values are moved, chosen or made; nothing is computed."""

ELEMENTWISE: Mapping[str, float] = MappingProxyType(
    {"f64": 1e-12, "f32": 2e-6, "f16": 2e-3, "bf16": 2e-2}
)
"""A value depends on a handful of others: one formula, evaluated in two ways."""

SUMMED: Mapping[str, float] = MappingProxyType(
    {"f64": 1e-11, "f32": 1e-5, "f16": 5e-3, "bf16": 4e-2}
)
"""A value is a sum over many products, in an order that each target chooses."""
