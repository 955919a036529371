"""Lays out expressions within a line width, as ruff and black do.

A document is text with places where it may break. A group is set on one line if it fits there, and
broken at all of its own places if not (Wadler, "A prettier printer", 2003).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88
INDENT = 4


@dataclass(frozen=True)
class Line:
    """A place to break: ``flat`` on one line, a newline else."""

    flat: str = " "


@dataclass(frozen=True)
class IfBroken:
    """Text that is there only where the group around it is broken."""

    text: str


@dataclass(frozen=True)
class Indented:
    """A document whose breaks are indented one level more."""

    doc: Doc


@dataclass(frozen=True)
class Group:
    """A document that is set on one line if it fits; ``broken`` says that it never is."""

    doc: Doc
    broken: bool = False


Doc: TypeAlias = str | Line | IfBroken | Indented | Group | tuple["Doc", ...]

SOFT = Line("")
SPACE = Line()


def joined(docs: Iterable[Doc], separator: Doc = (",", SPACE)) -> Doc:
    """The documents with ``separator`` between them."""
    parts: list[Doc] = []
    for doc in docs:
        parts += [separator, doc] if parts else [doc]
    return tuple(parts)


def arguments(docs: Sequence[Doc], *, one_per_line: bool = False) -> Doc:
    """``(a, b)``: on one line, on one indented line, or one on each line with a trailing comma."""
    if not docs:
        return "()"
    # One argument alone gets no comma, as in black.
    items = Group((joined(docs), IfBroken("," * (len(docs) > 1))), broken=one_per_line)
    return Group(("(", Indented((SOFT, items)), SOFT, ")"), broken=one_per_line)


def items(opening: str, docs: Sequence[Doc], closing: str, *, one_per_line: bool = False) -> Doc:
    """A list, tuple or dict: on one line, or one item on each line with a trailing comma."""
    if not docs:
        return opening + closing
    inner = (SOFT, joined(docs), IfBroken("," * (len(docs) > 1)))
    return Group((opening, Indented(inner), SOFT, closing), broken=one_per_line)


def render(doc: Doc, *, indent: int = 0, width: int = WIDTH) -> str:
    """The text of ``doc``, whose first line begins at column ``indent``."""
    out: list[str] = []
    column = indent
    work: list[tuple[int, bool, Doc]] = [(indent, False, doc)]
    while work:
        margin, flat, item = work.pop()
        match item:
            case str():
                out.append(item)
                column += len(item)
            case Line(text) if flat:
                out.append(text)
                column += len(text)
            case Line():
                out.append("\n" + " " * margin)
                column = margin
            case IfBroken(text):
                if not flat:
                    out.append(text)
                    column += len(text)
            case Indented(inner):
                work.append((margin + INDENT, flat, inner))
            case Group(inner, broken):
                fits = not has_forced_break(item) and (
                    flat or _fits(width - column, (margin, True, inner), work)
                )
                work.append((margin, fits and not broken, inner))
            case tuple():
                work += [(margin, flat, part) for part in reversed(item)]
    return "".join(out)


def has_forced_break(doc: Doc) -> bool:
    """Whether the document holds a group that is always broken."""
    stack = [doc]
    while stack:
        match stack.pop():
            case Group(inner, broken):
                if broken:
                    return True
                stack.append(inner)
            case Indented(inner):
                stack.append(inner)
            case tuple() as parts:
                stack += parts
            case _:
                pass
    return False


def flat(doc: Doc) -> str:
    """The text of ``doc`` on one line, forced breaks ignored."""
    out: list[str] = []
    stack = [doc]
    while stack:
        match stack.pop():
            case str() as text:
                out.append(text)
            case Line(text):
                out.append(text)
            case IfBroken():
                pass
            case Indented(inner) | Group(inner):
                stack.append(inner)
            case tuple() as parts:
                stack += reversed(parts)
    return "".join(out)


def _fits(room: int, first: tuple[int, bool, Doc], rest: Sequence[tuple[int, bool, Doc]]) -> bool:
    """Whether ``first``, and what follows it up to the next newline, takes at most ``room``."""
    work = [first]
    following = len(rest)
    while room >= 0:
        if not work:
            if following == 0:
                return True
            following -= 1
            work.append(rest[following])
        margin, flat_, item = work.pop()
        match item:
            case str():
                room -= len(item)
            case Line(text):
                if not flat_:
                    return True
                room -= len(text)
            case IfBroken(text):
                room -= 0 if flat_ else len(text)
            case Indented(inner):
                work.append((margin, flat_, inner))
            case Group(inner, broken):
                work.append((margin, flat_ and not broken, inner))
            case tuple():
                work += [(margin, flat_, part) for part in reversed(item)]
    return False
