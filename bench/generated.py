"""Specs of many layers, written in the ways in which one can."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _lines(layers: int) -> str:
    return "    x = x |> Linear(8)\n" * layers + "    return x\n"


def _pipeline(layers: int) -> str:
    return "    x\n" + "      |> Linear(8)\n" * layers


def _for(layers: int) -> str:
    return f"    for i in 0..{layers} {{\n        x = x |> Linear(8)\n    }}\n    return x\n"


def _list(layers: int) -> str:
    return "    x |> [\n" + "        Linear(8),\n" * layers + "    ]\n"


def _comprehension(layers: int) -> str:
    return f"    x |> [Linear(8) for i in 0..{layers}]\n"


_BODIES: Mapping[str, Callable[[int], str]] = {
    "lines": _lines,
    "one pipeline": _pipeline,
    "a `for`": _for,
    "a list": _list,
    "a list with `for`": _comprehension,
}
FORMS = tuple(_BODIES)


def spec(form: str, layers: int) -> str:
    """The text of a net of that many linear layers, each with a weight and a bias of its own."""
    return f"net Deep(x: [N, 8]) -> [N, 8] {{\n{_BODIES[form](layers)}}}\n"
