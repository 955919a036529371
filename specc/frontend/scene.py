"""Where the parser stopped: the tokens around it, what it would have taken, what is still open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from lark import Token
from lark.exceptions import LexError, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from specc.frontend.diagnostics import Fault
from specc.frontend.lexer import CLOSING, OPENING
from specc.frontend.source import Span

CHARACTER = "CHARACTER"
"""The kind of a "token" that stands for a character that no token begins with."""

END = "$END"
_LOOKAHEAD = 4
_QUOTED = 60  # characters


def error_offset(error: UnexpectedInput, start: int, end: int) -> int:
    """Where in the file the error in the text from ``start`` to ``end`` was noticed."""
    if isinstance(error, UnexpectedToken):
        token: Token = error.token
        return end if token.type == END else token.start_pos or 0
    assert isinstance(error, UnexpectedCharacters)
    return start + cast(int, error.pos_in_stream)


@dataclass(frozen=True)
class Scene:
    """One syntax error with its surroundings.

    ``tokens`` ends a few tokens behind the wrong one, which is ``tokens[at]``; ``accepts`` holds
    the kinds that the parser would have taken in its place.
    """

    file: int
    text: str
    tokens: tuple[Token, ...]
    at: int
    accepts: frozenset[str]

    @classmethod
    def of(
        cls, error: UnexpectedInput, noticed: int, lexed: Iterator[Token], span: Span, text: str
    ) -> Scene:
        """The scene of an error that was ``noticed`` there in the text at ``span``.

        ``lexed`` are that text's tokens anew.
        """
        tokens: list[Token] = []
        after: list[Token] = []
        try:
            for token in lexed:
                if (token.start_pos or 0) >= noticed:
                    after = [token, *islice(lexed, _LOOKAHEAD)]
                    break
                tokens.append(token)
        except (LexError, Fault):
            pass  # What lies behind a second error is not needed.
        at = len(tokens)
        if isinstance(error, UnexpectedToken):
            accepts = frozenset(error.accepts or ())
            if not after and error.token.type != END:
                after = [error.token]
        else:
            accepts = frozenset()
            after = [_token(CHARACTER, text[noticed], noticed)]
        tokens += after
        tokens.append(_token(END, "", len(text[: span.end].rstrip())))
        return cls(span.file, text, tuple(tokens), at, accepts)

    # ---- tokens, counted from the wrong one ------------------------------------------------------

    def token(self, distance: int = 0) -> Token:
        """The token at a distance from the wrong one; an empty one outside of the text."""
        index = self.at + distance
        return self.tokens[index] if 0 <= index < len(self.tokens) else _token("", "", 0)

    def quoted(self, distance: int = 0) -> str:
        """That token's text as a message quotes it: little of a long one."""
        text = str(self.token(distance))
        return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 3]}..."

    def kind(self, distance: int = 0) -> str:
        """That token's kind."""
        return self.token(distance).type

    def kinds(self, *distances: int) -> tuple[str, ...]:
        """The kinds at several distances."""
        return tuple(self.kind(distance) for distance in distances)

    def span(self, first: int = 0, last: int | None = None) -> Span:
        """The span from one token to another."""
        start, end = self.token(first), self.token(first if last is None else last)
        # At the end of the text there is nothing to point at but the last character.
        begin = start.start_pos or 0
        if start.type == END and begin:
            begin -= 1
        return Span(self.file, begin, max(end.end_pos or 0, begin + 1))

    def adjacent(self, first: int, second: int) -> bool:
        """Whether nothing, not even a space, stands between two tokens."""
        return self.token(first).end_pos == self.token(second).start_pos

    def starts_line(self, distance: int = 0) -> bool:
        """Whether only spaces stand before a token in its line."""
        start = self.token(distance).start_pos or 0
        return not self.text[self.text.rfind("\n", 0, start) + 1 : start].strip()

    def follows_line_end(self, distance: int = 0) -> bool:
        """Whether a line ends between the token before and this one."""
        before, start = self.token(distance - 1), self.token(distance).start_pos or 0
        return not before.type or "\n" in self.text[before.start_pos or 0 : start]

    def indent(self, distance: int = 0) -> int:
        """How many characters of white space begin the line of a token."""
        start = self.token(distance).start_pos or 0
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return len(line) - len(line.lstrip(" \t"))

    def ends_line(self, distance: int = 0) -> bool:
        """Whether only spaces or a comment stand behind a token in its line."""
        end = self.token(distance).end_pos or 0
        rest = self.text[end:].split("\n", 1)[0] if end < len(self.text) else ""
        return not rest.split("#")[0].strip()

    # ---- brackets and statements -----------------------------------------------------------------

    def open_brackets(self) -> list[int]:
        """The distances of the brackets that are open before the wrong token, innermost last."""
        stack: list[int] = []
        for index, token in enumerate(self.tokens[: self.at]):
            if token.type in OPENING:
                stack.append(index - self.at)
            elif token.type in CLOSING and stack:
                stack.pop()
        return stack

    def inside(self) -> str:
        """The kind of the innermost open bracket, or an empty string."""
        stack = self.open_brackets()
        return self.kind(stack[-1]) if stack else ""

    def statement_start(self) -> int:
        """The distance of the first token of the statement (or definition) that is wrong."""
        depth = 0
        for distance in range(-1, -self.at - 1, -1):
            kind = self.kind(distance)
            if kind in CLOSING:
                depth += 1
            elif kind in OPENING:
                if depth == 0 and kind == "LBRACE":
                    return distance + 1
                depth = max(0, depth - 1)
            elif kind == "NEWLINE" and depth == 0:
                return distance + 1
        return -self.at


def _token(kind: str, text: str, start: int) -> Token:
    return Token(kind, text, start_pos=start, end_pos=start + len(text))
