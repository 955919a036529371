"""``--weights``, and what is done with them on the way in."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from specc.cli.codes import CommandError


def given_weights(options: Namespace) -> dict[str, Any]:
    """The arguments of the API that the options stand for. Raises CommandError."""
    for option, value in (("--cast", options.cast), ("--rename", options.renamings)):
        if value and options.weights is None:
            raise CommandError(f"{option} means nothing without --weights")
    olds = [old for old, _ in options.renamings]
    for old in olds:
        if olds.count(old) > 1:
            raise CommandError(f"--rename says twice what {old} is")
    return {
        "weights": options.weights,
        "cast": options.cast,
        "rename": dict(options.renamings),
    }
