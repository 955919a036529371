"""Where the command line writes: results to standard output, the rest to standard error."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Literal, TextIO, cast

from specc.frontend.diagnostics import Diagnostic
from specc.frontend.excerpt import printable
from specc.frontend.render import render, to_json
from specc.frontend.source import Sources

if TYPE_CHECKING:
    from rich.console import Console

Choice = Literal["auto", "always", "never"]
Format = Literal["text", "json"]


class QuietStream(io.TextIOBase):
    """A stream whose reader may go away, as ``| head`` does: what comes after is dropped.

    Characters that the stream's encoding does not have are written as escapes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._broken = False

    def writable(self) -> bool:
        """True, until the end."""
        return True

    def isatty(self) -> bool:
        """Whether a person reads it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of the stream behind it."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in the base
        """The encoding of the stream behind it."""
        return self._stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        """Writes what can be written."""
        if not self._broken:
            written = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
            try:
                self._stream.write(written)
            except BrokenPipeError:
                self._break()
        return len(text)

    def flush(self) -> None:
        """Hands on what was written."""
        if not self._broken and not self._stream.closed:  # which it may be when this one goes
            try:
                self._stream.flush()
            except BrokenPipeError:
                self._break()

    def _break(self) -> None:
        self._broken = True
        # The interpreter flushes the stream once more when it ends, and would complain.
        with contextlib.suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self._stream.fileno())
            os.close(nothing)


class Terminal:
    """Standard output and standard error, with what the options say about them."""

    def __init__(self, *, color: Choice = "auto", diagnostics: Format = "text") -> None:
        self._output = QuietStream(sys.stdout)
        self._errors = QuietStream(sys.stderr)
        self._format = diagnostics
        self._color = _wants_color(color, self._errors)

    @property
    def width(self) -> int:
        """The columns of standard output; 80 where it is no terminal and COLUMNS does not say."""
        return shutil.get_terminal_size().columns if _has_columns(self._output) else 80

    @property
    def encoding(self) -> str:
        """The encoding of standard output."""
        return self._output.encoding

    def result(self, text: str) -> None:
        """A line, or several, of what was asked for."""
        self._output.write(f"{printable(text)}\n")
        self._output.flush()

    def remark(self, text: str) -> None:
        """A line for the person at the terminal; left out where a program reads diagnostics."""
        if self._format == "text":
            self.complain(text)

    def complain(self, text: str) -> None:
        """A line about the command itself."""
        self._write_error(printable(text))

    def report(self, diagnostics: Iterable[Diagnostic], sources: Sources) -> None:
        """Each diagnostic: as text with a blank line after it, or as one line of JSON."""
        width = shutil.get_terminal_size().columns if _has_columns(self._errors) else None
        for diagnostic in diagnostics:
            if self._format == "json":
                self._write_error(json.dumps(to_json(diagnostic, sources)))
            else:
                text = render(diagnostic, sources, color=self._color, width=width)
                self._write_error(f"{text}\n")

    def _write_error(self, text: str) -> None:
        self._output.flush()  # so that the two streams keep their order where they meet
        self._errors.write(f"{text}\n")
        self._errors.flush()

    def console(self) -> Console:
        """Standard error for progress that rich draws."""
        from rich.console import Console

        stream = cast(IO[str], self._errors)
        return Console(file=stream, no_color=not self._color, highlight=False)


def _wants_color(choice: Choice, stream: QuietStream) -> bool:
    """An explicit choice decides; else a terminal has colour, unless the environment objects."""
    if choice != "auto":
        return choice == "always"
    # https://no-color.org: set and not empty.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def _has_columns(stream: QuietStream) -> bool:
    return stream.isatty() or "COLUMNS" in os.environ
