"""Under way."""

from __future__ import annotations

from specc.ops.operator import Operator

OPERATORS: tuple[Operator, ...] = ()
