"""specc compiles neural networks from a small declarative language.

Compiling: ``compile``, ``Program``, ``SpecError``, ``Diagnostic``.
Training: ``train``, ``Result``.
Files: ``load``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specc.frontend.diagnostics import Diagnostic, SpecError
from specc.program import Built, Port, Program, compile, load
from specc.version import __version__

if TYPE_CHECKING:
    from specc.training import Result, train

__all__ = [
    "Built",
    "Diagnostic",
    "Port",
    "Program",
    "Result",
    "SpecError",
    "__version__",
    "compile",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    # Training needs torch, which takes seconds to import; checking a spec must not.
    if name in ("train", "Result"):
        from specc import training

        return getattr(training, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
