"""How much a file may ask the elaborator for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """How much a file may ask the elaborator for. No real network comes near."""

    steps: int = 300_000  # expressions and statements evaluated, apart from those of nodes
    steps_of_node: int = 50  # that each node which is built admits besides
    steps_of_layer: int = 10  # that each layer which is made admits besides
    nodes: int = 400_000  # operations and applications built
    depth: int = 400  # nested expressions and uses of blocks
    uses: int = 30_000  # of blocks, lists and tuples as layers
    parameters: int = 10**12  # elements of all parameters together
    items: int = 400_000  # entries of one list, with those of the lists in it
    errors: int = 100  # reported before elaboration ends
    digits: int = 18  # of an int or a size, which targets keep in 64 bits
