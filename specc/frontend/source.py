"""Source texts and places in them."""

from __future__ import annotations

import bisect
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class Span(NamedTuple):
    """A half-open range of characters, ``start`` to ``end``, in the source numbered ``file``."""

    file: int
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of ``other``."""
        return Span(self.file, self.start, max(self.end, other.end))


class Position(NamedTuple):
    """A place as people count it: line and column both start at 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """One text and the name that diagnostics show for it (a relative path, or ``<text>``)."""

    name: str
    text: str

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts."""
        return [0] + [i + 1 for i, character in enumerate(self.text) if character == "\n"]

    @cached_property
    def sha256(self) -> str:
        """The hash of the text's UTF-8 bytes, in hexadecimal."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    def position(self, offset: int) -> Position:
        """Line and column of the character at ``offset``."""
        line = bisect.bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of line ``number`` (from 1), without its line ending."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@dataclass
class Sources:
    """The texts of one compilation; a span's ``file`` is an index into ``files``."""

    files: list[Source] = field(default_factory=list)

    def add(self, source: Source) -> int:
        """Takes a source in and gives its number."""
        self.files.append(source)
        return len(self.files) - 1

    def text(self, span: Span) -> str:
        """The characters that ``span`` covers."""
        return self.files[span.file].text[span.start : span.end]

    def locate(self, span: Span) -> str:
        """``name:line:column`` of the start of ``span``."""
        source = self.files[span.file]
        line, column = source.position(span.start)
        return f"{source.name}:{line}:{column}"
