"""``specc build``: one file."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from specc.cli.codes import CommandError, ExitCode
from specc.cli.lazy import lazily
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.cli.weights import given_weights

if TYPE_CHECKING:
    from specc.built import Built
    from specc.verification.report import ParityReport

# The kinds of files that each option has a meaning for. An option that would be without effect is
# refused, so that nobody believes in it.
_APPLIES = {
    "weights": (".onnx", ".safetensors"),
    "cast": (".onnx", ".safetensors"),
    "seed": (".onnx", ".safetensors"),
    "opset": (".onnx",),
    "no_verify": (".onnx",),
    "strip": (".onnx",),
    "verify_limit": (".onnx",),
}

_COMPUTER_ALGEBRA = ("sympy", "onnx_ir._symbolic_shapes")
"""What onnx-ir imports for arithmetic with sizes that are not known, which specc does itself."""


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Builds the file and says what was written."""
    target = Path(options.output)
    given = given_weights(options)
    _require_meaning(options, target.suffix)
    compiled = program(options, terminal)
    with lazily(*_COMPUTER_ALGEBRA):
        built = compiled.build(
            target,
            **given,
            seed=options.seed or 0,
            processes=_processors(),
            opset=options.opset,
            verify=not options.no_verify,
            strip=options.strip,
            verify_limit=options.verify_limit,
        )
    for path in built.paths:
        terminal.result(f"wrote {path} ({size_of(path)})")
    if target.suffix == ".onnx":
        terminal.result(_parity(built.parity, _reason(built, skipped=options.no_verify)))
    return ExitCode.FINE


def _processors() -> int:
    """How many of the machine's processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # what a container grants; not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def size_of(path: Path) -> str:
    """A file's size as people read it: ``247.3 kB``."""
    from rich.filesize import decimal

    return decimal(path.stat().st_size)


def _require_meaning(options: Namespace, suffix: str) -> None:
    for name, suffixes in _APPLIES.items():
        given = getattr(options, name)
        known = suffix in (".onnx", ".py", ".json", ".safetensors")
        if known and suffix not in suffixes and given is not None and given is not False:
            option = f"--{name.replace('_', '-')}"
            raise CommandError(f"{option} means nothing for a {suffix} file")


def _reason(built: Built, *, skipped: bool) -> str:
    """Why a graph is not verified."""
    return "--no-verify was given" if skipped else built.unverified or "torch is not installed"


def _parity(report: ParityReport | None, reason: str) -> str:
    if report is None:
        return f"not verified: {reason}"
    outputs = [output for case in report.cases for output in case.outputs]
    if all(output.bound == 0 for output in outputs):
        figures = "the answers are equal"
    else:
        # Of several dtypes, the one that comes nearest to its bound.
        worst = max((o for o in outputs if o.bound), key=lambda o: o.difference / o.bound)
        figures = f"largest difference {worst.difference:.1e} of {worst.bound:.0e} allowed"
    sizes = [case.at.removeprefix(" at ") for case in report.cases if case.at]
    where = f"at {' and '.join(dict.fromkeys(sizes))}" if sizes else "on two random inputs"
    return f"parity: {figures}, {where}"
