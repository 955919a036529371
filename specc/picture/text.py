"""The texts of a picture: calls as the language writes them, types, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping

from specc.ir.attributes import Attribute
from specc.ir.flatten import Activation
from specc.ir.types import DType, TensorType
from specc.ops.arguments import REQUIRED
from specc.ops.operator import Operator

_LONGEST = 56  # characters of one text


def type_text(type_: TensorType) -> str:
    """``[N, 64]``; the dtype before it where it is not the usual one."""
    return type_.shape_text if type_.dtype is DType.F32 else str(type_)


def call_text(
    operator: Operator | None, attributes: Mapping[str, Attribute], name: str = ""
) -> str:
    """``Conv(64, 3, padding=1)``: what is required by position, what is off its default by name."""
    if operator is not None and operator.notation is not None:
        return clipped(operator.notation(attributes))
    parts = []
    for key, value in attributes.items():
        argument = operator.argument(key) if operator else None
        if operator is None:
            parts.append(f"{key}={_value(value)}")
        elif argument is None:
            continue  # it follows from the inputs
        elif argument.default is REQUIRED:
            parts.append(_value(value))
        elif value != argument.default and value is not None:
            parts.append(f"{key}={_value(value)}")
    head = name or (operator.name if operator else "")
    return clipped(f"{head}({', '.join(parts)})" if parts else head)


def clipped(text: str, most: int = _LONGEST) -> str:
    """``text``, its end left out where it is long."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def relative(path: str, scope: Activation) -> str:
    """A full name as it reads within a block; one from elsewhere stays as it is."""
    return path.removeprefix(f"{scope.path}.") if scope.path else path


def _value(value: Attribute) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, DType):
        return value.value
    return f"{value:.6g}" if isinstance(value, float) else str(value)


_NARROW, _WIDE = "fijlrtI.,:;|!()[]' ", "mwMW@%…"


def text_width(text: str, size: float) -> float:
    """About how many pixels a text takes in a sans-serif face of ``size`` pixels.

    No font is at hand: what shows the picture chooses one. These are the widths of the common ones,
    rounded up.
    """
    units = sum(0.34 if c in _NARROW else 0.92 if c in _WIDE else 0.60 for c in text)
    return units * size
