"""The command line: arguments to API calls to exit codes. Nothing else in specc prints."""

from specc.cli.main import main

__all__ = ["main"]
