"""``specc show``: a net as a table."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specc.cli.build import size_of
from specc.cli.codes import CommandError, ExitCode
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.compiler import faults_as_errors
from specc.frontend.facts import did_you_mean
from specc.ir.conditions import conditions, smallest_sizes, symbols
from specc.ir.graph import Network
from specc.summary.table import show
from specc.weights.files import write_text


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Prints the table."""
    _require_meaning(options)
    compiled = program(options, terminal)
    if options.svg is not None:
        path = Path(options.svg)
        with faults_as_errors(compiled.sources):
            write_text(path, compiled.svg())
        terminal.result(f"wrote {path} ({size_of(path)})")
        return ExitCode.FINE
    network = compiled.network
    sizes = dict(options.at)
    _require_sizes(network, sizes)
    table = show(
        network,
        everything=options.all,
        depth=options.depth,
        sizes=sizes,
        width=terminal.width,
        operators=compiled.operators,
    )
    terminal.result(table)
    return ExitCode.FINE


def _require_meaning(options: Namespace) -> None:
    """Refuses options of the table beside ``--svg``, which would be without effect."""
    given = {"--all": options.all, "--depth": options.depth, "--at": options.at}
    for option, value in given.items():
        if options.svg is not None and value:
            raise CommandError(f"{option} is about the table, which --svg takes the place of")


def _require_sizes(network: Network, sizes: dict[str, int]) -> None:
    known = symbols(network)
    for name in sizes:
        if name not in known:
            advice = did_you_mean(name, known) or f"its symbolic sizes are {', '.join(known)}"
            advice = advice if known else "all its sizes are numbers"
            raise CommandError(f"{network.name} has no symbolic size {name!r}: {advice}")
    if sizes and smallest_sizes(network, sizes) is None:
        at = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise CommandError(
            f"{network.name} does not work at {at}; it wants {', '.join(conditions(network))}"
        )
