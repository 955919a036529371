"""``specc devices``: what this machine has, and what the devices of a spec would be on it."""

from __future__ import annotations

from argparse import Namespace

from specc.cli.codes import ExitCode
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.frontend.diagnostics import Fault
from specc.summary.columns import aligned


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Prints the lists; fails where a device of the spec could be on none of this machine's."""
    network = program(options, terminal).network if options.file is not None else None
    try:
        from specc.targets.torch import devices as here
    except ModuleNotFoundError as error:
        if error.name != "torch":  # a fault of the installation, which its traceback shows
            raise
        terminal.complain("specc devices: PyTorch knows the devices, and torch is not installed")
        return ExitCode.FAILED
    present = [[name, here.describe(name)] for name in here.present()]
    terminal.result("\n".join(["this machine has", *_indented(present)]))
    if network is None:
        return ExitCode.FINE
    if not network.devices:
        terminal.result(f"{network.name} declares no devices")
        return ExitCode.FINE
    rows, missing = [], False
    for device in network.devices:
        try:
            bound = str(here.first_present(device))
        except Fault:
            bound, missing = "none of these is there", True
        rows.append([device.name, " | ".join(device.alternatives), "->", bound])
    terminal.result("\n".join([f"the devices of {network.name}", *_indented(rows)]))
    return ExitCode.FAILED if missing else ExitCode.FINE


def _indented(rows: list[list[str]]) -> list[str]:
    return [f"  {line}" for line in aligned(rows, [False] * len(rows[0]))]
