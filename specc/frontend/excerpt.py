"""One source line and the marks under it, in terminal columns."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import cached_property

TAB_WIDTH = 4
_LONGEST = 2000  # characters of a line that are looked at; terminals are narrower
_ELISION = "..."


@dataclass(frozen=True)
class Mark:
    """Characters ``start`` to ``end`` of a line, and what to say about them.

    ``continued`` says that the marked text began in an earlier line: then leading spaces are not
    marked.
    """

    start: int
    end: int
    text: str
    primary: bool
    continued: bool = False


@dataclass(frozen=True)
class Row:
    """One line of output: parts of text, each with whether it belongs to the primary mark.

    ``source`` tells a line of the source from a row of marks.
    """

    parts: tuple[tuple[str, bool], ...]
    source: bool = False

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(text for text, _ in self.parts)


def printable(text: str) -> str:
    """The text with nothing in it that would steer a terminal; line ends stay."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" else _shown(c) for c in text)


def _shown(character: str) -> str:
    """What stands for a character: itself, its picture, or its number."""
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(character) == "Zs":
        return " "
    return f"<U+{code:04X}>"


def _columns(text: str) -> int:
    """The terminal columns that printable text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


@dataclass(frozen=True)
class SourceLine:
    """A line of source, or a part of it, as a terminal shows it."""

    text: str
    goes_before: bool = False
    goes_on: bool = False

    @classmethod
    def around(cls, text: str, place: int) -> tuple[SourceLine, int]:
        """What is looked at of a line that may be very long, and where in the line that starts."""
        first = max(0, place - _LONGEST // 2) if len(text) > _LONGEST else 0
        last = first + _LONGEST
        return cls(text[first:last], first > 0, last < len(text)), first

    @cached_property
    def _is_plain(self) -> bool:
        """Whether each character takes one column."""
        return self.text.isascii() and self.text.isprintable()

    @cached_property
    def cells(self) -> list[str]:
        """What is shown for each character."""
        if self._is_plain:
            return list(self.text)
        shown: list[str] = []
        column = 0
        for character in self.text:
            if character == "\t":
                cell = " " * (TAB_WIDTH - column % TAB_WIDTH)
            else:
                cell = _shown(character)
            shown.append(cell)
            column += _columns(cell)
        return shown

    @cached_property
    def columns(self) -> list[int]:
        """The column at which each character starts, and the one at which the line ends."""
        if self._is_plain:
            return list(range(len(self.text) + 1))
        starts = [0]
        for cell in self.cells:
            starts.append(starts[-1] + _columns(cell))
        return starts

    def window(self, first: int, last: int, room: int) -> tuple[int, int]:
        """The characters to show so that those from ``first`` to ``last`` are seen in ``room``."""
        columns = self.columns
        if columns[-1] <= room:
            return 0, len(self.cells)
        room -= 2 * len(_ELISION)
        first, last = min(first, len(self.cells)), min(last, len(self.cells))
        # Some of what stands before is shown, more of what stands behind.
        spare = max(0, room - (columns[last] - columns[first]))
        start = first
        while start > 0 and columns[first] - columns[start - 1] <= spare // 3:
            start -= 1
        end = start
        while end < len(self.cells) and columns[end + 1] - columns[start] <= room:
            end += 1
        while start > 0 and columns[end] - columns[start - 1] <= room:
            start -= 1
        return start, end

    def cut(self, around: int, room: int) -> str:
        """The line, elided to ``room`` columns around a character."""
        start, end = self.window(around, around + 1, room)
        return self.between(start, end)

    def between(self, start: int, end: int) -> str:
        """The characters from ``start`` to ``end``, with signs for what is left out."""
        before = _ELISION if start > 0 or self.goes_before else ""
        behind = _ELISION if end < len(self.cells) or self.goes_on else ""
        return before + "".join(self.cells[start:end]) + behind


def rows(text: str, marks: list[Mark], room: int) -> list[Row]:
    """The line and the rows of marks below it; again for marks that do not fit beside the others.

    The last mark from the left has its text beside it; each of the others has a row of its own,
    below a bar, as in rustc.
    """
    marks = [_clip(mark, text) for mark in marks]
    lead = next((mark for mark in marks if mark.primary), marks[0])
    line, first = SourceLine.around(text, lead.start)
    near = [mark for mark in marks if first <= mark.start <= first + len(line.text)]
    far = [mark for mark in marks if mark not in near]
    return _rows(line, [_moved(mark, line, first) for mark in near], room) + (
        rows(text, far, room) if far else []
    )


def _moved(mark: Mark, line: SourceLine, first: int) -> Mark:
    """A mark of a whole line as one of the part that is looked at."""
    return replace(mark, start=mark.start - first, end=min(mark.end - first, len(line.text)))


def _rows(line: SourceLine, marks: list[Mark], room: int) -> list[Row]:
    marks = sorted(marks, key=lambda mark: (mark.start, not mark.primary))
    start, end = line.window(marks[0].start, marks[-1].end, room)
    elsewhere: list[Mark] = []
    if any(mark.start >= end for mark in marks):
        lead = next((mark for mark in marks if mark.primary), marks[0])
        start, end = line.window(lead.start, lead.end, room)
        beside = [mark for mark in marks if start <= mark.start < end] or [lead]
        elsewhere = [mark for mark in marks if mark not in beside]
        marks = beside
    shift = (len(_ELISION) if start > 0 or line.goes_before else 0) - line.columns[start]
    placed = [_Placed.of(mark, line, shift, end) for mark in marks]
    shown = [Row(((line.between(start, end), False),), source=True), *_mark_rows(placed)]
    return shown + (_rows(line, elsewhere, room) if elsewhere else [])


def _clip(mark: Mark, text: str) -> Mark:
    """The mark within its line, without the spaces before and behind the text."""
    start, end = min(mark.start, len(text)), min(mark.end, len(text))
    if mark.continued:
        start = max(start, len(text) - len(text.lstrip()))
    if end - start > 1:
        end = max(start + 1, len(text[:end].rstrip()))
    return Mark(start, max(end, start), mark.text, mark.primary, mark.continued)


@dataclass(frozen=True)
class _Placed:
    """A mark in columns."""

    start: int
    end: int
    text: str
    primary: bool

    @classmethod
    def of(cls, mark: Mark, line: SourceLine, shift: int, shown: int) -> _Placed:
        start = line.columns[mark.start] + shift
        end = line.columns[min(mark.end, shown)] + shift
        return cls(
            start, max(end, start + 1), printable(mark.text).replace("\n", " "), mark.primary
        )


def _mark_rows(marks: list[_Placed]) -> list[Row]:
    underline = _Canvas()
    for mark in sorted(marks, key=lambda m: m.primary):  # the primary mark over the others
        underline.write(mark.start, ("^" if mark.primary else "-") * (mark.end - mark.start), mark)
    spoken = [mark for mark in marks if mark.text]
    beside = None
    if spoken and spoken[-1].end == max(mark.end for mark in marks):
        beside = spoken.pop()
        underline.write(beside.end + 1, beside.text, beside)
    result = [underline.row()]
    while spoken:
        if len(result) == 1:
            result.append(_bars(spoken).row())
        mark = spoken.pop()
        canvas = _bars(spoken)
        canvas.write(mark.start, mark.text, mark)
        result.append(canvas.row())
    return result


def _bars(marks: list[_Placed]) -> _Canvas:
    canvas = _Canvas()
    for mark in marks:
        canvas.write(mark.start, "|", mark)
    return canvas


class _Canvas:
    """One row of characters, each with whether it belongs to the primary mark."""

    def __init__(self) -> None:
        self._cells: list[tuple[str, bool]] = []

    def write(self, column: int, text: str, mark: _Placed) -> None:
        """Puts a mark's text at a column, over what is there."""
        end = column + len(text)
        self._cells += [(" ", False)] * (end - len(self._cells))
        self._cells[column:end] = [(character, mark.primary) for character in text]

    def row(self) -> Row:
        """What was written, in runs of one kind."""
        parts: list[tuple[str, bool]] = []
        for character, primary in self._cells:
            if parts and parts[-1][1] == primary and character != " " and parts[-1][0] != " ":
                parts[-1] = (parts[-1][0] + character, primary)
            else:
                parts.append((character, primary))
        return Row(tuple(parts))
