"""Between lark's lexer and the grammar: which line ends count, and what a brace opens.

Also the place that counts nesting and the length of names and numbers, since it sees each token
before anything is built from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from lark import Token

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import TooLarge
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from specc.frontend.source import Span

OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE", "MAP_OPEN": "MAP_CLOSE"}
CLOSING = frozenset(OPENING.values())

OPERATORS = frozenset(
    (
        *("PLUS", "MINUS", "STAR", "SLASH", "FLOOR_DIVIDE", "PERCENT", "AT", "POWER"),
        *("COMPARISON", "AND", "OR", "NOT", "RANGE", "PIPE", "VBAR"),
    )
)
"""Operators that wait for a right operand."""

CONTINUING = OPERATORS | {"COMMA", "EQUAL", "AUGMENTED", "TILDE", "ARROW"}
"""Tokens behind which a statement goes on in the next line."""

ENDS_VALUE = frozenset(
    (
        *("NAME", "WILDCARD", "INTEGER", "FLOAT", "STRING", "TRUE", "FALSE", "NONE", "ELLIPSIS"),
        *("RPAR", "RSQB", "MAP_CLOSE"),
    )
)
"""Tokens that can end a value, so that a brace behind one opens a body."""

_OPENS_BODY = ENDS_VALUE | {"INIT", "TRAIN"}

# How deep a tree hangs: these add a level to the expression that they stand in ...
_DEEPER = (OPERATORS - {"PIPE", "VBAR"}) | {"DOT", "ELSE", "ON"}
# ... and behind these a new one begins.
_AFRESH = frozenset(("COMMA", "NEWLINE", "PIPE", "EQUAL", "TILDE", "AUGMENTED", "COLON"))
_MEASURED = frozenset(("NAME", "INTEGER", "FLOAT"))
_JOINS = frozenset(("RBRACE", "PIPE"))
_ALL_DEVICES = ("COLON", "STAR")


class Layout:
    """The postlexer. One object serves many texts: its attributes are set before each.

    ``offset`` is where the parsed text starts in its file; tokens get their places in the file.
    """

    always_accept: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.file = 0
        self.limits: Limits = DEFAULT_LIMITS
        self.offset = 0

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Joins lines and tells maps from bodies.

        Raises:
            Fault: a name or number that is too long, or too many levels of nesting.
        """
        offset = self.offset
        nesting = _Nesting(self.file, self.limits)
        before_previous = previous = ""
        newline: Token | None = None
        for token in stream:
            kind = token.type
            if offset:
                token.start_pos = (token.start_pos or 0) + offset
                token.end_pos = (token.end_pos or 0) + offset
            if kind == "NEWLINE":
                if newline is None:
                    # It stands for all blank lines behind it, but the first end is the place.
                    newline = token
                    newline.end_pos = (newline.start_pos or 0) + token.index("\n") + 1
                continue
            if newline is not None:
                # The star of `cuda:*` is no operator, so a line may end behind it.
                goes_on = previous in CONTINUING and (before_previous, previous) != _ALL_DEVICES
                if nesting.in_body and previous != "LBRACE" and kind not in _JOINS and not goes_on:
                    if previous:
                        yield newline
                    nesting.count(newline)
                    before_previous, previous = previous, "NEWLINE"
                newline = None
            if kind == "LBRACE" and not (
                previous in _OPENS_BODY or (before_previous, previous) == ("RBRACE", "ELSE")
            ):
                token.type = "MAP_OPEN"
            nesting.count(token)
            yield token
            before_previous, previous = previous, token.type


class _Nesting:
    """What is open at a token, and how much hangs on one another there."""

    def __init__(self, file: int, limits: Limits) -> None:
        self.file = file
        self.limits = limits
        self.in_body = True  # or at the top of the file: where the end of a line counts
        self._closing: list[str] = []  # what will close what is open, innermost last
        self._depths: list[int] = []  # the depth at which each was opened
        self._depth = self._base = 0
        self._shortest = min(limits.digits, limits.name_length)

    def count(self, token: Token) -> None:
        """Takes the next token into account; a closing brace gets the kind of its partner.

        Raises:
            Fault: where the token passes a limit.
        """
        kind = token.type
        if kind in OPENING:
            self._closing.append(OPENING[kind])
            self._depths.append(self._depth)
            self._deepen(token)
            self._base = self._depth
            self.in_body = kind == "LBRACE"
        elif kind in CLOSING:
            if self._closing:
                self._close(token)
        elif kind in _AFRESH:
            self._depth = self._base
        elif kind in _DEEPER:
            self._deepen(token)
        elif len(token) > self._shortest and kind in _MEASURED:
            option, what, limit = "digits", "digits in a number", self.limits.digits
            if kind == "NAME":
                option, what = "name_length", "characters in a name"
                limit = self.limits.name_length
            if len(token) > limit:
                self._refuse(token, what, limit, option)

    def _close(self, token: Token) -> None:
        closing = self._closing.pop()
        if token.type == "RBRACE" and closing == "MAP_CLOSE":
            token.type = closing
        # A call or an index hangs on the value before it; nothing hangs on a body.
        self._depth = self._depths.pop() + (token.type != "RBRACE")
        self._base = self._depths[-1] + 1 if self._depths else 0
        self.in_body = not self._closing or self._closing[-1] == "RBRACE"

    def _deepen(self, token: Token) -> None:
        self._depth += 1
        if self._depth > self.limits.nesting:
            self._refuse(token, "levels of nesting", self.limits.nesting, "nesting")

    def _refuse(self, token: Token, what: str, limit: int, option: str) -> NoReturn:
        where = Span(self.file, token.start_pos or 0, token.end_pos or 0)
        raise Fault(TooLarge(where=where, what=what, limit=limit, option=option))
