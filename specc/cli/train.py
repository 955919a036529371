"""``specc train``: a folder with a trained model."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from specc.cli.build import size_of
from specc.cli.codes import CommandError, ExitCode
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.compiler import located
from specc.frontend.diagnostics import Fault
from specc.signals import deferred


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Trains and says what came of it."""
    home = next((device for name, device in options.devices[::-1] if not name), None)
    options.devices = [(name, device) for name, device in options.devices if name]
    trained = program(options, terminal)
    try:
        with deferred():  # an exception in PyTorch's start aborts the process
            import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a fault of the installation, which its traceback shows
            raise
        terminal.complain("specc train: training needs PyTorch, and torch is not installed")
        return ExitCode.FAILED
    if home is not None:
        _require_device(home)

    from specc.training.loop import train
    from specc.training.progress import ConsoleProgress

    try:
        result = train(
            trained.network,
            out=Path(options.output),
            seed=options.seed,
            device=home,
            progress=ConsoleProgress(terminal.console()),
            base=trained.base,
            operators=trained.operators,
        )
    except Fault as fault:
        raise located(fault, trained.sources) from None
    epochs = f"{len(result.epochs)} epoch{'s' * (len(result.epochs) != 1)}"
    measured = f"held out: {_numbers(result.final)}; " if result.final else ""
    terminal.result(f"{measured}{epochs} in {result.seconds:.1f} s")
    for path in result.paths.values():
        terminal.result(f"wrote {path} ({size_of(path)})")
    return ExitCode.FINE if result.outcome == "finished" else ExitCode.FAILED


def _numbers(measured: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in measured.items())


def _require_device(name: str) -> None:
    import torch

    try:
        device = torch.device(name)
    except RuntimeError:
        raise CommandError(f"{name!r} is no device; one is cpu, cuda or cuda:1") from None
    try:
        torch.empty(0, device=device)
    # PyTorch has no one exception for a device that it does not have.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CommandError(f"there is no device {name!r} here: {reason}") from None
