"""FILE[:NET] to a compiled program."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

from specc.cli.codes import CommandError
from specc.cli.own import own_operators
from specc.cli.terminal import Terminal
from specc.compiler import Parsed, Text, compile_network, read
from specc.elaborate.bounds import Bounds
from specc.facts import BadSource
from specc.frontend.diagnostics import SpecError
from specc.frontend.facts import TooLarge
from specc.frontend.limits import Limits
from specc.frontend.source import Source
from specc.ops.registry import operators_with
from specc.program import Program


def split(argument: str) -> tuple[str, str | None]:
    """``FILE:NET`` apart; a path that holds a colon of its own stays whole.

    >>> split("nets/big.net:Encoder"), split("-"), split("C:/nets/big.net")
    (('nets/big.net', 'Encoder'), ('-', None), ('C:/nets/big.net', None))
    """
    file, colon, net = argument.rpartition(":")
    if not colon or not file or not net.isidentifier() or os.path.exists(argument):  # noqa: PTH110 - False for a name that cannot be
        return argument, None
    return file, net


def read_text(file: str, limits: Limits) -> Text:
    """The text behind a path, ``std.NAME`` or ``-``. Raises SpecError where there is none."""
    if file != "-":
        if "\n" in file or "{" in file:  # which the programming interface takes for a text
            if not Path(file).is_file():
                raise CommandError(f"there is no file {file!r}")
            file = str(Path(file).absolute())
        # A path, since a string with a brace would be taken for the text itself.
        return read(Path(file) if file and not file.startswith("std.") else file, limits)
    data = sys.stdin.buffer.read(limits.bytes + 1)
    if len(data) > limits.bytes:
        fact = TooLarge(what="bytes in <stdin>", limit=limits.bytes, option="bytes")
        raise SpecError([fact.diagnostic()])
    try:
        return Text(Source("<stdin>", data.decode("utf-8-sig")), Path())
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte {error.start} cannot be read"
        raise SpecError([BadSource(name="<stdin>", problem=problem).diagnostic()]) from None


def limits_of(options: Namespace) -> tuple[Limits, Bounds]:
    """The compiler's bounds with those that ``--limit`` sets."""
    given = dict(options.limits)

    def chosen(kind: type[Any]) -> dict[str, int]:
        return {field.name: given[field.name] for field in fields(kind) if field.name in given}

    return Limits(**chosen(Limits)), Bounds(**chosen(Bounds))


def compile_text(text: Text | Parsed, net: str | None, options: Namespace) -> Program:
    """The program of one net. Raises SpecError, or CommandError for a key that is set twice."""
    keys = [key for key, _ in options.assignments]
    for key in keys:
        if keys.count(key) > 1:
            raise CommandError(f"--set gives {key} twice")
    limits, bounds = limits_of(options)
    own = own_operators(options.ops)
    compiled = compile_network(
        text,
        net=net,
        assignments=options.assignments,
        inputs=options.inputs,
        devices=dict(options.devices),
        limits=limits,
        bounds=bounds,
        operators=operators_with(own),
    )
    return Program.of(compiled, own)


def program(options: Namespace, terminal: Terminal) -> Program:
    """The net that the command is about; its warnings are reported. Raises SpecError."""
    file, net = split(options.file)
    compiled = compile_text(read_text(file, limits_of(options)[0]), net, options)
    terminal.report(compiled.warnings, compiled.sources)
    return compiled
