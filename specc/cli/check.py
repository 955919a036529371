"""``specc check``: every net of every file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from specc.cli.codes import ExitCode, exit_code
from specc.cli.source import compile_text, limits_of, read_text, split
from specc.cli.terminal import Terminal
from specc.compiler import parse_text
from specc.frontend.diagnostics import Diagnostic, SpecError
from specc.frontend.source import Sources, Span
from specc.program import Program


def run(options: Namespace, terminal: Terminal) -> ExitCode:
    """Checks the files one after the other, whatever is wrong with those before."""
    return max(_File(argument, options, terminal).check() for argument in options.files)


class _File:
    """One file, and what was said of it: a fault that several nets share is reported once."""

    def __init__(self, argument: str, options: Namespace, terminal: Terminal) -> None:
        self.name, self.net = split(argument)
        self.options = options
        self.terminal = terminal
        self.reported: list[Diagnostic] = []
        self._seen: set[tuple[str, str, Span | None]] = set()

    def check(self) -> ExitCode:
        try:
            self._check_nets()
        except SpecError as error:
            self._report(error.diagnostics, error.sources)
        errors = sum(d.severity == "error" for d in self.reported)
        if errors:
            warnings = len(self.reported) - errors
            counts = [_counted(errors, "error")] + (
                [_counted(warnings, "warning")] * bool(warnings)
            )
            self.terminal.remark(f"{self.name}: {', '.join(counts)}")
        return exit_code(self.reported)

    def _check_nets(self) -> None:
        limits, _ = limits_of(self.options)
        parsed = parse_text(read_text(self.name, limits), limits)  # once for all its nets
        nets = parsed.nets if self.net is None else (self.net,)
        if not nets:
            blocks = f", and {', '.join(parsed.blocks)} to import" if parsed.blocks else ""
            self.terminal.result(f"{self.name}: no net to check{blocks}; the text can be read")
        for net in dict.fromkeys(nets):
            try:
                program = compile_text(parsed, net, self.options)
            except SpecError as error:
                self._report(error.diagnostics, error.sources)
                continue
            self._report(program.warnings, program.sources)
            self.terminal.result(f"{self.name}: net {net} is fine ({_size(program)})")

    def _report(self, diagnostics: Iterable[Diagnostic], sources: Sources) -> None:
        for diagnostic in diagnostics:
            span = diagnostic.primary.span if diagnostic.primary else None
            key = (diagnostic.code, diagnostic.message, span)
            if key not in self._seen:
                self._seen.add(key)
                self.reported.append(diagnostic)
                self.terminal.report([diagnostic], sources)


def _size(program: Program) -> str:
    from math import prod

    tensors = program.network.parameters
    elements = sum(prod(p.type.shape) for p in tensors if p.role == "parameter")
    return f"{_counted(len(tensors), 'tensor')}, {elements:,} parameters"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
