"""specc compiles neural networks from a small declarative language.

Compiling: ``compile``, ``Program``, ``Port``, ``ParameterInfo``, ``Built``.
What can be wrong: ``SpecError``, ``Diagnostic``.
Training: ``train``, ``Result``.
Files: ``load``, ``save``, ``read``, ``convert``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from specc.version import __version__

if TYPE_CHECKING:
    from specc.api import compile, load
    from specc.frontend.diagnostics import Diagnostic, SpecError
    from specc.parameters.info import ParameterInfo
    from specc.ports import Port
    from specc.program import Built, Program
    from specc.tensors import convert, read, save
    from specc.training import Result, train

__all__ = [
    "Built",
    "Diagnostic",
    "ParameterInfo",
    "Port",
    "Program",
    "Result",
    "SpecError",
    "__version__",
    "compile",
    "convert",
    "load",
    "read",
    "save",
    "train",
]

# Imported at the first use: `specc --help` and a tool that only parses need no compiler, and
# checking a spec must not wait for torch, which training needs.
_HOMES = {
    "specc.api": ("compile", "load"),
    "specc.frontend.diagnostics": ("Diagnostic", "SpecError"),
    "specc.parameters.info": ("ParameterInfo",),
    "specc.ports": ("Port",),
    "specc.program": ("Built", "Program"),
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
