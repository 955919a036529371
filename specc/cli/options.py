"""Options that several commands share."""

from __future__ import annotations

import argparse

from specc.cli.values import (
    assignment,
    device_binding,
    device_or_home,
    limit,
    limit_names,
    own_name,
    renaming,
)


def file(command: argparse.ArgumentParser) -> None:
    """The net that the command is about."""
    command.add_argument("file", metavar="FILE[:NET]", help="a path, std.NAME, or - for stdin")


def weights(command: argparse.ArgumentParser) -> None:
    """A checkpoint, and what is done with it on the way in."""
    command.add_argument(
        "--weights",
        metavar="FILE",
        help="a .safetensors file, or a folder of shards, to take weights from",
    )
    command.add_argument(
        "--cast", action="store_true", help="convert the weights to the dtypes of the net"
    )
    command.add_argument(
        "--rename",
        action="append",
        type=renaming,
        default=[],
        dest="renamings",
        metavar="FROM=TO",
        help="rename weights: 'module.**=**'; an empty TO leaves them out (repeatable, in turn)",
    )


def settings(command: argparse.ArgumentParser, device: str = "") -> None:
    """What a net is given from outside."""
    command.add_argument(
        "--set",
        action="append",
        type=assignment,
        default=[],
        dest="assignments",
        metavar="KEY=VALUE",
        help="a hyperparameter, or a setting as train.KEY (repeatable)",
    )
    command.add_argument(
        "--input",
        action="append",
        default=[],
        dest="inputs",
        metavar="NAME",
        help="an optional input that the net is to have (repeatable)",
    )
    command.add_argument(
        "--device",
        action="append",
        type=device_or_home if device else device_binding,
        default=[],
        dest="devices",
        metavar="NAME=DEVICE",
        help=f"what a device of the file is: left=cuda:1 (repeatable){device}",
    )
    command.add_argument(
        "--limit",
        action="append",
        type=limit,
        default=[],
        dest="limits",
        metavar="NAME=N",
        help=f"raise a bound of the compiler: {', '.join(limit_names())} (repeatable)",
    )
    own(command)


def own(command: argparse.ArgumentParser) -> None:
    """Operators of the user's own."""
    command.add_argument(
        "--ops",
        action="append",
        type=own_name,
        default=[],
        metavar="MODULE:ATTRIBUTE",
        help="operators of your own, in Python: one, or a list of them (repeatable)",
    )


def reporting(
    command: argparse.ArgumentParser,
    format_help: str = "how diagnostics are written: for people, or a JSON object a line",
) -> None:
    """How results and diagnostics are written."""
    command.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help=format_help,
    )
    command.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour in diagnostics; auto: on a terminal, unless NO_COLOR is set",
    )
