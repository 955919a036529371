"""What an unlabelled layer is called."""

from __future__ import annotations

import re

OWN = "_"
"""The label of a layer that adds no name: its parameters are the block's own."""

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(kind: str) -> str:
    """A layer's kind as the start of its name.

    >>> snake_case("BatchNorm"), snake_case("PReLU"), snake_case("VGGBlock"), snake_case("Linear")
    ('batch_norm', 'p_relu', 'vgg_block', 'linear')
    """
    # ReLU, SiLU, GELU: the field writes these words in mixed case.
    return _WORD_START.sub("_", re.sub(r"([RS])([ei])LU", r"\1\2lu", kind)).lower()
