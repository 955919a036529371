"""``specc ops``: the table of operators, or one of them."""

from __future__ import annotations

from argparse import Namespace

from specc.cli.codes import CommandError, ExitCode
from specc.cli.own import own_operators
from specc.cli.terminal import Terminal
from specc.documentation.text import all_operators, one_operator
from specc.frontend.facts import did_you_mean
from specc.ops.registry import operators_with


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Prints a line for each operator, or a page for one."""
    own = own_operators(options.ops)
    if options.name is None:
        terminal.result(all_operators(terminal.width, own))
        return ExitCode.FINE
    known = operators_with(own)
    if options.name not in known:
        advice = did_you_mean(options.name, known) or "`specc ops` lists all"
        raise CommandError(f"there is no operator {options.name!r}: {advice}")
    terminal.result(one_operator(known[options.name], terminal.width))
    return ExitCode.FINE
