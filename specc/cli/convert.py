"""``specc convert``: a torch file as a safetensors file."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specc.cli.build import size_of
from specc.cli.codes import CommandError, ExitCode
from specc.cli.terminal import Terminal
from specc.tensors import convert


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Converts and says what was written."""
    target = Path(options.output)
    if target.suffix != ".safetensors":
        raise CommandError(f"{target.name!r}: what is written is a .safetensors file")
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a fault of the installation, which its traceback shows
            raise
        terminal.complain("specc convert: reading it needs PyTorch, and torch is not installed")
        return ExitCode.FAILED
    tensors = convert(options.file, target, part=options.part)
    count = f"{len(tensors):,} tensor{'s' * (len(tensors) != 1)}"
    terminal.result(f"wrote {target} ({count}, {size_of(target)})")
    return ExitCode.FINE
