"""The command line: arguments to API calls to exit codes. Nothing else in specc prints."""

import gc
import sys

from specc.cli.main import main

__all__ = ["command", "main"]


def command() -> None:
    """What the command ``specc`` is: ``main``, and the end of the process with its exit code."""
    code = main()
    gc.freeze()  # at its end Python would look through all that there is for what is unreachable
    sys.exit(code)
