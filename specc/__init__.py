"""specc compiles neural networks from a small declarative language.

Compiling: ``compile``, ``Program``, ``Port``, ``ParameterInfo``, ``Built``.
What can be wrong: ``SpecError``, ``Diagnostic``.
Operators of one's own: ``op``, ``OnnxNode``, ``sample``, ``reject``; ``specc.testing``.
Training: ``train``, ``Result``.
Files: ``load``, ``save``, ``read``, ``convert``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from specc.version import __version__

if TYPE_CHECKING:
    from specc.api import compile, load
    from specc.built import Built
    from specc.extension import OnnxNode, op
    from specc.frontend.diagnostics import Diagnostic, SpecError
    from specc.ops.operator import reject, sample
    from specc.parameters.info import ParameterInfo
    from specc.ports import Port
    from specc.program import Program
    from specc.tensors import convert, read, save
    from specc.training import Result, train

__all__ = [
    "Built",
    "Diagnostic",
    "OnnxNode",
    "ParameterInfo",
    "Port",
    "Program",
    "Result",
    "SpecError",
    "__version__",
    "compile",
    "convert",
    "load",
    "op",
    "read",
    "reject",
    "sample",
    "save",
    "train",
]

# Imported at the first use: `specc --help` and a tool that only parses need no compiler, and
# checking a spec must not wait for torch, which training needs.
_HOMES = {
    "specc.api": ("compile", "load"),
    "specc.built": ("Built",),
    "specc.extension": ("OnnxNode", "op"),
    "specc.frontend.diagnostics": ("Diagnostic", "SpecError"),
    "specc.ops.operator": ("reject", "sample"),
    "specc.parameters.info": ("ParameterInfo",),
    "specc.ports": ("Port",),
    "specc.program": ("Program",),
    "specc.tensors": ("convert", "read", "save"),
    "specc.training": ("Result", "train"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
