"""The inputs and outputs of a program, as users see them."""

from __future__ import annotations

from dataclasses import dataclass

from specc.ir import graph


@dataclass(frozen=True)
class Port:
    """A named input or output: its dtype as the language writes it, and its dims.

    A dim is an int, or the text of a symbolic size (``"N"``, ``"H // 2"``).
    """

    name: str
    dtype: str
    dims: tuple[int | str, ...]


def port_of(port: graph.Port) -> Port:
    """A port of the IR as one for users."""
    dims = tuple(dim if isinstance(dim, int) else str(dim) for dim in port.type.shape)
    return Port(port.name, port.type.dtype.value, dims)
