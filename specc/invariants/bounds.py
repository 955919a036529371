"""How large a network may be. What the elaborator admits lies within."""

from __future__ import annotations

MAX_NODES = 1_000_000
"""Nodes, and layers, of the whole network once its templates are expanded."""

MAX_DEPTH = 400
"""Templates within templates, and loops and branches within these."""

MAX_SIZE = 2**62
"""A dim, so that an index and its doubling fit 64 bits."""

MAX_RANK = 64
"""Dims of a tensor; numpy's limit."""

MAX_ELEMENTS = 10**12
"""Elements of all parameters together."""

MAX_PATH = 4096
"""Characters of a dotted path, and so of a parameter's full name."""
