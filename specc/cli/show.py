"""``specc show``: a net as a table."""

from __future__ import annotations

from argparse import Namespace

from specc.cli.codes import CommandError, ExitCode
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.frontend.facts import did_you_mean
from specc.ir.conditions import conditions, smallest_sizes, symbols
from specc.ir.graph import Network
from specc.summary.table import show


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Prints the table."""
    compiled = program(options, terminal)
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
