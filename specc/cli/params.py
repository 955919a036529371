"""``specc params``: the parameters of a net or of a weight file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from specc.api import architecture_in
from specc.cli.codes import CommandError, ExitCode
from specc.cli.own import own_operators
from specc.cli.source import program
from specc.cli.terminal import Terminal
from specc.cli.weights import given_weights
from specc.compiler import located
from specc.facts import BadSource
from specc.frontend.diagnostics import Fault, SpecError
from specc.ir.from_json import MAX_CHARACTERS
from specc.ops.operator import Operator
from specc.parameters import why
from specc.parameters.info import ParameterInfo, of_weights
from specc.parameters.measured import BINS, Measured, measured
from specc.parameters.select import select
from specc.parameters.table import Show, json_lines, table
from specc.program import Program
from specc.weights.files import atomic_write
from specc.weights.safetensors import PICKLED, read_weights


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Prints the list."""
    if options.why is not None and options.pattern is not None:
        raise CommandError("it takes a PATTERN or --why NAME, not both")
    try:
        title, parameters, origin = _parameters(options, terminal)
    except Fault as fault:
        raise located(fault) from None
    try:
        chosen = select(parameters, options.why or options.pattern)
    except Fault as fault:
        found = fault.fact
        raise CommandError(f"{found.message}; {found.help}") from None
    if options.why is not None:
        if origin is None:
            raise CommandError("--why needs a net: these are weights alone")
        stories = [origin.why(parameter.name) for parameter in chosen]
        terminal.result(why.json_lines(stories) if options.format == "json" else why.table(stories))
    else:
        _list(chosen, title, options, terminal)
    return ExitCode.FINE


def _list(
    chosen: Sequence[ParameterInfo], title: str, options: Namespace, terminal: Terminal
) -> None:
    show = Show(options.stats, options.hist, terminal.encoding)
    wanted = options.stats or options.hist or options.plot is not None
    found = measured(chosen, BINS) if wanted else ()
    if options.format == "json":
        terminal.result(json_lines(chosen, found, show))
    else:
        terminal.result(table(chosen, title, found, show))
    if options.plot is not None:
        _plot(Path(options.plot), title, found, terminal)


def _plot(path: Path, title: str, found: Sequence[Measured], terminal: Terminal) -> None:
    from specc.parameters.picture import save_picture

    try:
        with atomic_write(path) as staged:
            save_picture(staged, title, found)
    except Fault as fault:
        raise located(fault) from None
    terminal.remark(f"wrote {path}")


def _parameters(
    options: Namespace, terminal: Terminal
) -> tuple[str, Sequence[ParameterInfo], Program | None]:
    """What the file holds, under a title: a spec, the IR as JSON, or weights with or without it."""
    path = Path(options.file)
    given = given_weights(options)
    if _holds_weights(path):
        _require_no_settings(options)
        if options.weights is not None:
            raise CommandError("--weights needs a net: the file holds weights itself")
        weights = read_weights(path)
        carried = architecture_in(weights, own_operators(options.ops))
        if carried is None:
            return path.name, of_weights(weights), None
        return carried.name, carried.parameters(weights=weights), carried
    if path.suffix == ".json":
        _require_no_settings(options)
        net = _from_json(path, own_operators(options.ops))
    else:
        net = program(options, terminal)
    if options.weights is None:
        return net.name, net.parameters(seed=options.seed or 0), net
    for option, value in (("--seed", options.seed), ("--why", options.why)):
        if value is not None:
            raise CommandError(f"{option} is about initial values, which --weights replaces")
    return f"{net.name} with {options.weights}", net.parameters(**given), net


def _holds_weights(path: Path) -> bool:
    """Whether the name is one of weights; those of formats that are refused are."""
    names = (".safetensors", ".safetensors.index.json")
    return path.name.endswith(names) or path.suffix.lower() in PICKLED or path.is_dir()


def _from_json(path: Path, ops: tuple[Operator, ...]) -> Program:
    """The program of a file that ``specc build`` wrote. Raises SpecError."""
    try:
        if not path.is_file():  # a pipe could block for ever
            raise ValueError("is no file")
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: byte {error.start} cannot be read"
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    else:
        return Program.from_json(text, ops=ops)
    raise SpecError([BadSource(name=str(path), problem=problem).diagnostic()])


def _require_no_settings(options: Namespace) -> None:
    if options.assignments:
        raise CommandError("--set means nothing for a file that is compiled already")
    if options.inputs:
        raise CommandError("--input means nothing for a file that is compiled already")
