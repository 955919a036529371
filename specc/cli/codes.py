"""Exit codes, and which one a diagnostic leads to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from specc.frontend.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """What a process of ``specc`` ends with."""

    FINE = 0
    WRONG_SPEC = 1
    WRONG_COMMAND = 2
    FAILED = 3


_COMMAND = frozenset(
    {"bad-source", "bad-output", "opset-out-of-range", "unknown-net", "bad-rename"}
)
"""Diagnostics about what was typed: a file, a net or a number that does not exist."""

_FAILURE = frozenset(
    {
        *("cannot-write", "unreadable-weights", "unsafe-weights", "weights-do-not-fit"),
        *("parity-failed", "runtime-refused", "no-sizes"),
        *("bad-data", "non-finite-loss", "update-failed"),
    }
)
"""Diagnostics about a run whose spec may be right: its files, its data, its numbers."""


class CommandError(Exception):
    """The command line is wrong in a way that its grammar does not show."""


def exit_code(diagnostics: Iterable[Diagnostic]) -> ExitCode:
    """The gravest of the codes that the errors among the diagnostics lead to."""
    codes = (_code(d) for d in diagnostics if d.severity == "error")
    return max(codes, default=ExitCode.FINE)


def _code(diagnostic: Diagnostic) -> ExitCode:
    if diagnostic.code in _COMMAND:
        return ExitCode.WRONG_COMMAND
    if diagnostic.code in _FAILURE:
        return ExitCode.FAILED
    return ExitCode.WRONG_SPEC
