"""What several tables of syntax errors ask of a scene."""

from __future__ import annotations

from specc.frontend.lexer import ENDS_VALUE
from specc.frontend.scene import Scene
from specc.frontend.source import Span

VALUE_BRACKETS = ("LPAR", "LSQB", "MAP_OPEN")
DEFINES = frozenset(("NET", "BLOCK", "DEF", "TRAIN", "DEVICE", "FROM"))
BEGINS_VALUE = ENDS_VALUE - {"RPAR", "RSQB", "MAP_CLOSE"} | {"LPAR", "LSQB", "MAP_OPEN", "NOT"}


def first(scene: Scene) -> str:
    """The kind of the token with which the statement begins."""
    return scene.kind(scene.statement_start())


def opening(scene: Scene) -> Span:
    """The innermost open bracket."""
    return scene.span(scene.open_brackets()[-1])
