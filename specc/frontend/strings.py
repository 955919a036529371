"""What stands between two quotes: escapes, literal braces and places for expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import InvalidString
from specc.frontend.source import Span

_SIMPLE = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "\\": "\\",
    '"': '"',
    "'": "'",
}
_HEXADECIMAL = {"x": 2, "u": 4, "U": 8}
_PLAIN = re.compile(r"[^\\{}]+")


def pieces(text: str, span: Span) -> Iterator[str | Span]:
    """The pieces of the string literal at ``span`` of ``text``, its quotes included.

    Gives decoded text, and for ``{expression}`` the span between the braces.

    Raises:
        Fault: an unknown escape, a brace without its partner, an empty pair of braces.
    """
    at, end = span.start + 1, span.end - 1
    while at < end:
        character = text[at]
        if character == "\\":
            decoded, after = _escape(text, at, end, span.file)
            yield decoded
        elif character in "{}" and text.startswith(character * 2, at, end):
            yield character
            after = at + 2
        elif character == "{":
            after = _closing_brace(text, at, end, span.file) + 1
            yield Span(span.file, at + 1, after - 1)
        elif character == "}":
            raise _invalid(
                span.file, at, at + 1, "`}` without a `{`", "write }} for a brace itself"
            )
        else:
            plain = _PLAIN.match(text, at, end)
            assert plain is not None
            yield plain.group()
            after = plain.end()
        at = after


def _escape(text: str, at: int, end: int, file: int) -> tuple[str, int]:
    letter = text[at + 1]
    if letter in _SIMPLE:
        return _SIMPLE[letter], at + 2
    length = _HEXADECIMAL.get(letter)
    if length is None:
        known = "known are \\n \\t \\r \\0 \\\\ \\\" \\' \\xhh \\uhhhh \\Uhhhhhhhh"
        raise _invalid(file, at, at + 2, f"unknown escape `\\{letter}`", known)
    after = at + 2 + length
    digits = text[at + 2 : min(after, end)]
    if not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", digits):
        problem = f"`\\{letter}` takes {length} hexadecimal digits"
        raise _invalid(file, at, min(after, end), problem)
    code = int(digits, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise _invalid(file, at, after, f"U+{code:04X} is not a character")
    return chr(code), after


def _closing_brace(text: str, at: int, end: int, file: int) -> int:
    """The offset of the brace that closes the one at ``at``; braces between them come in pairs."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(text, at, end):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            if not text[at + 1 : brace.start()].strip():
                raise _invalid(
                    file,
                    at,
                    brace.end(),
                    "no expression in `{}`",
                    "write {{}} for braces themselves",
                )
            return brace.start()
    raise _invalid(file, at, at + 1, "`{` without a `}`", "write {{ for a brace itself")


def _invalid(file: int, start: int, end: int, problem: str, advice: str | None = None) -> Fault:
    return Fault(InvalidString(where=Span(file, start, end), problem=problem, advice=advice))
