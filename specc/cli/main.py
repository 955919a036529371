"""argv to a command to an exit code."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from typing import cast

from specc.cli.arguments import parser
from specc.cli.codes import CommandError, ExitCode, exit_code
from specc.cli.terminal import Terminal
from specc.collector import resting_collector
from specc.frontend.diagnostics import SpecError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives its exit code; ``sys.argv`` where no arguments are given."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as leaving:  # --help, --version, or what argparse has complained about
        return cast(int, leaving.code)
    terminal = Terminal(color=options.color, diagnostics=options.format)
    try:
        # Only what the command needs is imported: a check starts without the rest.
        with resting_collector():
            command = importlib.import_module(f"specc.cli.{options.command}")
        return int(command.run(options, terminal))
    except SpecError as error:
        terminal.report(error.diagnostics, error.sources)
        return exit_code(error.diagnostics)
    except CommandError as error:
        terminal.complain(f"specc {options.command}: {error}")
        return ExitCode.WRONG_COMMAND
    except KeyboardInterrupt:
        terminal.complain("interrupted")
        return ExitCode.FAILED
    except Exception:  # noqa: BLE001  # the last place that can say what happened
        whose = "specc, or of an operator of --ops" if getattr(options, "ops", None) else "specc"
        terminal.complain(f"{traceback.format_exc()}\nthis is a fault of {whose}, not of the spec")
        return ExitCode.FAILED
