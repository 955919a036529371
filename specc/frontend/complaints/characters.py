"""Syntax errors: characters that no token begins with."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from specc.frontend.complaints.complaint import Complaint
from specc.frontend.facts import UnexpectedCharacter, UnfinishedString
from specc.frontend.scene import CHARACTER, Scene
from specc.frontend.source import Span


def _is(characters: str) -> Callable[[Scene], bool]:
    return lambda scene: scene.kind() == CHARACTER and str(scene.token()) in characters


def _category(*prefixes: str) -> Callable[[Scene], bool]:
    return lambda scene: (
        scene.kind() == CHARACTER and unicodedata.category(scene.token()).startswith(prefixes)
    )


def _rest_of_line(scene: Scene) -> Span:
    start = scene.span().start
    line = scene.text[start:].split("\n", 1)[0].rstrip()
    return Span(scene.file, start, start + max(1, len(line)))


def _lookalike(sign: str, characters: str) -> Complaint:
    """A sign that word processors and other languages write for one of this language's."""
    return Complaint(
        name=f"sign-{unicodedata.name(characters[0]).lower().replace(' ', '-')}",
        fact=UnexpectedCharacter,
        when=_is(characters),
        problem="`{found}` is no sign of this language",
        label="this is U+{code}, {name}",
        help=f"write `{sign}`",
        samples=tuple(f"def f(a, b) = a {character} b" for character in characters),
    )


COMPLAINTS = (
    Complaint(
        name="unfinished-string",
        fact=UnfinishedString,
        when=_is('"'),
        problem="this string does not end",
        label="its closing quote is missing from this line",
        help='end it with `"`; a line break in a string is written \\n',
        where=_rest_of_line,
        samples=('def f() = "abc', 'init {\n    "head.weight ~ zeros\n}', 'def f() = "a\\"'),
    ),
    Complaint(
        name="single-quote",
        fact=UnexpectedCharacter,
        when=_is("'`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"),
        problem="`{found}` does not begin a string",
        help='strings stand in double quotes: `"..."`',
        samples=("def f() = 'abc'", "def f() = \u201cabc\u201d"),
    ),
    Complaint(
        name="odd-space",
        fact=UnexpectedCharacter,
        when=_category("Z", "Cf"),
        problem="this is not an ordinary space",
        label="this is U+{code}, {name}",
        help="replace it by a space, or remove it",
        samples=("def f()\u00a0= 1", "def f() =\u200b 1", "def f() = \u3000 1"),
    ),
    _lookalike("-", "\u2212\u2010\u2011\u2013\u2014"),
    _lookalike("*", "\u00d7\u00b7\u22c5"),
    _lookalike("/", "\u00f7"),
    _lookalike("<=", "\u2264"),
    _lookalike(">=", "\u2265"),
    _lookalike("!=", "\u2260"),
    _lookalike("->", "\u2192\u27f6"),
    _lookalike("...", "\u2026"),
    _lookalike(",", "\uff0c\u3001"),
    Complaint(
        name="ampersand",
        fact=UnexpectedCharacter,
        when=_is("&"),
        problem="there is no operator `&`",
        help="write `and`",
        samples=("def f(a, b) = a && b", "def f(a, b) = a & b"),
    ),
    Complaint(
        name="exclamation",
        fact=UnexpectedCharacter,
        when=_is("!"),
        problem="there is no operator `!`",
        help="write `not`; unequal is `!=`",
        samples=("def f(a) = !a",),
    ),
    Complaint(
        name="caret",
        fact=UnexpectedCharacter,
        when=_is("^"),
        problem="there is no operator `^`",
        help="a power is written `**`",
        samples=("def f(a) = a ^ 2",),
    ),
    Complaint(
        name="semicolon",
        fact=UnexpectedCharacter,
        when=_is(";"),
        problem="`;` is no sign of this language",
        help="a statement ends where its line ends; put the next one on a line of its own",
        samples=("net A(x: [N]) -> [N] {\n    y = x; return y\n}",),
    ),
    Complaint(
        name="question-mark",
        fact=UnexpectedCharacter,
        when=_is("?"),
        problem="there is no operator `?`",
        help="a choice is written `a if condition else b`; a dim of any size `_`",
        samples=("def f(c) = c ? 1 : 2", "block B(x: [?, 3]) = x"),
    ),
    Complaint(
        name="backslash",
        fact=UnexpectedCharacter,
        when=_is("\\"),
        problem="lines are not joined with `\\`",
        help="inside brackets, behind an operator and before `|>` a line goes on by itself",
        samples=("def f(a) = a \\\n + 1",),
    ),
    Complaint(
        name="foreign-letter",
        fact=UnexpectedCharacter,
        when=_category("L", "M", "N"),
        problem="`{found}` cannot stand in a name",
        label="this is U+{code}, {name}",
        help="names are made of a-z, A-Z, 0-9 and _",
        samples=("def f(\u03bb) = 1", "net R\u00e9seau(x: [N]) = x"),
    ),
    Complaint(
        name="unexpected-character",
        fact=UnexpectedCharacter,
        when=lambda scene: scene.kind() == CHARACTER,
        problem="unexpected character `{found}`",
        label="nothing begins with it",
        samples=("def f() = $a", "def f() = a \U0001f600"),
    ),
)
"""In this order; the first that recognizes a scene answers it."""
