"""What a body gives: nothing yet, or at once by a ``return``."""

from __future__ import annotations

from specc.elaborate.values import Value
from specc.frontend.source import Span


class Nothing:
    """What a body has given so far, where that is nothing."""


NOTHING = Nothing()


class Returned(Exception):
    """A ``return`` was run."""

    def __init__(self, value: Value, span: Span) -> None:
        self.value = value
        self.span = span
