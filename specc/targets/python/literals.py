"""The one place where values and texts of a spec become Python text."""

from __future__ import annotations

import math
from collections.abc import Sequence


def string(value: str) -> str:
    """A string literal in ASCII, in the quotes that need fewer escapes.

    >>> print(string('say "hi"'), string("it's"))
    'say "hi"' "it's"
    """
    body = "".join(_escaped(character) for character in value)
    if body.count('"') > body.count("'"):
        return "'" + body.replace("'", "\\'") + "'"
    return '"' + body.replace('"', '\\"') + '"'


def formatted(parts: Sequence[str | tuple[str]]) -> str:
    """An f-string literal; a text in a tuple is the source of an expression.

    >>> print(formatted(["{H} is ", ("H",), "!"]))
    f"{{H}} is {H}!"
    """
    texts = [part.replace("{", "{{").replace("}", "}}") for part in parts if isinstance(part, str)]
    quote = string("".join(texts))[0]
    body = ""
    for part in parts:
        if isinstance(part, tuple):
            assert not {'"', "'", "\\", "{", "}"} & set(part[0]), part
            body += "{" + part[0] + "}"
        else:
            escaped = "".join(map(_escaped, part.replace("{", "{{").replace("}", "}}")))
            body += escaped.replace(quote, "\\" + quote)
    return f"f{quote}{body}{quote}"


def magnitude(value: int | float) -> str:
    """A number of at least 0, finite, as a person writes it: ``1e-5``, ``0.1``, ``3``."""
    assert math.isfinite(value)
    assert value >= 0
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def comment(text: str) -> str:
    """A text as one line that is all comment."""
    return "# " + "".join(c if c.isprintable() else _escaped(c) for c in text).strip()


def docstring(text: str, indent: int) -> list[str]:
    """The lines of a docstring, indented by ``indent`` columns; none for an empty text."""
    lines = [
        "".join(c if c.isprintable() and c != "\\" else _escaped(c) for c in line)
        .rstrip()
        .replace('"""', '\\"\\"\\"')
        for line in text.strip().split("\n")
    ]
    if not any(lines):
        return []
    if lines[0].startswith('"'):
        lines[0] = "\\" + lines[0]
    if len(lines) == 1 and lines[0].endswith('"') and not lines[0].endswith('\\"'):
        lines[0] = lines[0][:-1] + '\\"'
    margin = " " * indent
    quoted = ['"""' + lines[0], *lines[1:]]
    if len(lines) == 1:
        quoted[0] += '"""'
    else:
        quoted.append('"""')
    return [margin + line if line else "" for line in quoted]


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if " " <= character <= "~":
        return character
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
