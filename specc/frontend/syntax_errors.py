"""stub"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from specc.frontend.diagnostics import Fact, Fault
from specc.frontend.facts import SyntaxFault
from specc.frontend.source import Span


def error_offset(error: UnexpectedInput, start: int, end: int) -> int:
    if isinstance(error, UnexpectedToken):
        if error.token.type == "$END":
            return end
        return error.token.start_pos
    return start + error.pos_in_stream


@dataclass
class Scene:
    error: UnexpectedInput
    span: Span
    at: int

    @classmethod
    def of(cls, error, tokens, span, text):
        return cls(error, span, error_offset(error, span.start, span.end))


def explain(scene):
    return SyntaxFault(
        where=Span(scene.span.file, scene.at, scene.at + 1), problem=str(scene.error)
    )
