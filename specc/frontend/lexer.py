"""Between lark's lexer and the grammar: which line ends count, and what a brace opens.

Also the place that counts nesting and the length of names and numbers, since it sees each token
before anything is built from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token

from specc.frontend.diagnostics import Fault
from specc.frontend.facts import TooLarge
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from specc.frontend.source import Span

OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE", "MAP_OPEN": "MAP_CLOSE"}
CLOSING = frozenset(OPENING.values())

OPERATORS = frozenset(
    "PLUS MINUS STAR SLASH FLOOR_DIVIDE PERCENT AT POWER COMPARISON AND OR NOT RANGE PIPE VBAR".split()
)
"""Operators that wait for a right operand."""

CONTINUING = OPERATORS | frozenset("COMMA EQUAL AUGMENTED TILDE ARROW".split())
"""Tokens behind which a statement goes on in the next line."""

ENDS_VALUE = frozenset(
    "NAME WILDCARD INTEGER FLOAT STRING TRUE FALSE NONE ELLIPSIS RPAR RSQB MAP_CLOSE".split()
)
"""Tokens that can end a value, so that a brace behind one opens a body."""

_OPENS_BODY = ENDS_VALUE | {"INIT", "TRAIN"}

# How deep a tree hangs: these add a level to the expression that they stand in ...
_DEEPER = (OPERATORS - {"PIPE", "VBAR"}) | {"DOT", "ELSE", "ON"}
# ... and behind these a new one begins.
_AFRESH = frozenset("COMMA NEWLINE PIPE EQUAL TILDE AUGMENTED COLON".split())
_MEASURED = frozenset("NAME INTEGER FLOAT".split())


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
        limits, offset = self.limits, self.offset
        shortest = min(limits.digits, limits.name_length)
        brackets: list[str] = []  # the tokens that will close what is open, innermost last
        depths: list[int] = []  # the depth at which each of them was opened
        depth = base = 0
        previous = before_previous = ""
        newline: Token | None = None
        for token in stream:
            kind = token.type
            if offset:
                token.start_pos += offset  # type: ignore[operator]  # never None: the lexer made it
                token.end_pos += offset  # type: ignore[operator]
            if kind == "NEWLINE":
                newline = newline or token
                continue
            if newline is not None:
                if (
                    (not brackets or brackets[-1] == "RBRACE")
                    and previous
                    and previous != "LBRACE"
                    and kind not in ("RBRACE", "PIPE")
                    # The star of `cuda:*` is no operator.
                    and (previous not in CONTINUING or (previous, before_previous) == _ALL)
                ):
                    yield newline
                    depth = base
                    before_previous, previous = previous, "NEWLINE"
                newline = None

            if kind == "LBRACE" or kind == "LPAR" or kind == "LSQB":
                if kind == "LBRACE" and not (
                    previous in _OPENS_BODY or (previous == "ELSE" and before_previous == "RBRACE")
                ):
                    kind = token.type = "MAP_OPEN"
                brackets.append(OPENING[kind])
                depths.append(depth)
                depth = base = depth + 1
                if depth > limits.nesting:
                    self._refuse(token, "levels of nesting", limits.nesting)
            elif kind == "RBRACE" or kind == "RPAR" or kind == "RSQB":
                if brackets:
                    closes = brackets.pop()
                    if kind == "RBRACE" and closes == "MAP_CLOSE":
                        kind = token.type = closes
                    # A call or an index hangs on the value before it; nothing hangs on a body.
                    depth = depths.pop() + (kind != "RBRACE")
                    base = depths[-1] + 1 if depths else 0
            elif kind in _AFRESH:
                depth = base
            elif kind in _DEEPER:
                depth += 1
                if depth > limits.nesting:
                    self._refuse(token, "levels of nesting", limits.nesting)
            elif len(token) > shortest and kind in _MEASURED:
                if kind == "NAME":
                    if len(token) > limits.name_length:
                        self._refuse(token, "characters in a name", limits.name_length)
                elif len(token) > limits.digits:
                    self._refuse(token, "digits in a number", limits.digits)
            yield token
            before_previous, previous = previous, kind

    def _refuse(self, token: Token, what: str, limit: int) -> None:
        assert token.start_pos is not None and token.end_pos is not None
        where = Span(self.file, token.start_pos, token.end_pos)
        raise Fault(TooLarge(where=where, what=what, limit=limit))


_ALL = ("STAR", "COLON")
