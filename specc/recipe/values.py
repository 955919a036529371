"""How diagnostics show a value."""

from __future__ import annotations

from specc.ir.recipe import literal

_LONGEST = 40
_MOST_BITS = 128


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "{": "{{", "}": "}}", "\n": "\\n"})


def quoted(text: str) -> str:
    r"""A text as a string of the language, which reads as that text and nothing else.

    >>> quoted('say "{x}"')
    '"say \\"{{x}}\\""'
    """
    return f'"{text.translate(_ESCAPES)}"'


def shown(value: object) -> str:
    """A compile-time value as the language writes it, cut where it is long.

    >>> shown(True), shown([1, 2.5]), shown("x" * 50)
    ('true', '[1, 2.5]', '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."')
    """
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return "an int of many digits"  # str() of it would be long, or refused
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST - 2 else value[: _LONGEST - 4] + "..."
        return literal(text)
    if isinstance(value, list | tuple):
        text = f"[{', '.join(shown(item) for item in value[:_LONGEST])}]"
        return text if len(text) <= _LONGEST and len(value) <= _LONGEST else "a list"
    if value is None or isinstance(value, bool | int | float):
        return literal(value)
    return "no plain value"
