"""Whether the lexer may see a text: no control characters, not too long."""

from __future__ import annotations

import re
import unicodedata

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import NotText, TooLarge
from specc.frontend.limits import Limits
from specc.frontend.source import Source, Span

BYTE_ORDER_MARK = "\ufeff"

# Control characters but tab and line end; halves of surrogate pairs; and the characters that change
# the direction of writing, with which a text can look like another.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]|\r(?!\n)"
)


def check_text(source: Source, file: int, limits: Limits) -> None:
    """Refuses a text that is too long or holds a forbidden character.

    Raises:
        Fault: with the place of the first such character.
    """
    text = source.text
    # A character takes at most four bytes, so most texts need no encoding to be measured.
    if len(text) * 4 > limits.bytes:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > limits.bytes:
            raise Fault(
                TooLarge(what=f"bytes in {source.name}", limit=limits.bytes, option="bytes")
            )
    found = _FORBIDDEN.search(text)
    if found:
        character = found.group()
        kind = unicodedata.name(character, "a control character").lower()
        raise Fault(
            NotText(
                where=Span(file, found.start(), found.end()),
                problem=f"U+{ord(character):04X} cannot stand in a .net file",
                detail=f"this is {kind}",
                advice="remove it; in a string, write it as an escape such as \\n or \\u0000",
            )
        )
