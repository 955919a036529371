"""A diagnostic -> what a person or a program reads: text with source lines, or plain data.

Text is laid out in terminal columns: tabs are spaces, wide characters take two, characters that
would steer the terminal are shown as their Unicode pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from specc.frontend.diagnostics import Diagnostic, Label
from specc.frontend.excerpt import Mark, SourceLine, printable, rows
from specc.frontend.source import Sources, Span

DEFAULT_WIDTH = 100
_SHOWN_LINES = 4  # of one span that covers more
_SHOWN_USES = 4  # of one chain that is longer


@dataclass(frozen=True)
class _Paint:
    """ANSI colours, or none."""

    color: bool

    def __call__(self, text: str, *styles: str) -> str:
        if not self.color or not text:
            return text
        return "".join(_STYLES[style] for style in styles) + text + "\x1b[0m"


_STYLES = {
    "bold": "\x1b[1m",
    "error": "\x1b[31m",
    "warning": "\x1b[33m",
    "frame": "\x1b[34m",
    "help": "\x1b[36m",
}


def render(
    diagnostic: Diagnostic, sources: Sources, *, color: bool = False, width: int | None = None
) -> str:
    """The diagnostic as text, with a line end after each line but the last.

    ``width`` is the number of columns after which source lines are cut around what is marked in
    them; messages are never cut.
    """
    paint = _Paint(color)
    severity = diagnostic.severity
    head = paint(f"{severity}[{diagnostic.code}]", "bold", severity)
    message = printable(diagnostic.message).replace("\n", "\n  ")
    lines = [head + paint(f": {message}", "bold")]
    marks = [(label, False) for label in diagnostic.secondary]
    if diagnostic.primary is not None:
        marks.insert(0, (diagnostic.primary, True))
    groups = _by_file(marks)
    last = max(
        (_last_line(label.span, sources) for group in groups for label, _ in group), default=0
    )
    last = max([last, *(_last_line(use.span, sources) for use in diagnostic.uses)])
    gutter = " " * max(2, len(str(last)) + 1)
    room = max(20, (width or DEFAULT_WIDTH) - len(gutter) - 3)
    for number, group in enumerate(groups):
        arrow = "-->" if number == 0 else ":::"
        lead = next((label for label, primary in group if primary), group[0][0])
        lines += _place_of(lead, arrow, sources, gutter, paint)
        lines += _excerpt(group, sources, gutter, room, severity, paint)
    for use in _steps(diagnostic.uses):
        lines += _place_of(use, ":::", sources, gutter, paint)
        lines += _excerpt([(use, False)], sources, gutter, room, severity, paint)
    if len(diagnostic.uses) > _SHOWN_USES:
        more = len(diagnostic.uses) - _SHOWN_USES
        lines.append(f"{gutter} {paint('=', 'frame')} {more} more uses between these")
    if groups and diagnostic.help:
        lines.append(gutter + " " + paint("|", "frame"))
    if diagnostic.help:
        lead_in = f"{gutter} {paint('=', 'frame')} {paint('help:', 'bold', 'help')} "
        lines.append(lead_in + printable(diagnostic.help).replace("\n", f"\n{gutter}         "))
    return "\n".join(lines)


def _steps(uses: tuple[Label, ...]) -> tuple[Label, ...]:
    """The uses to show of a long chain: the innermost ones and the outermost."""
    if len(uses) <= _SHOWN_USES:
        return uses
    return (*uses[: _SHOWN_USES - 1], uses[-1])


def _place_of(
    label: Label, arrow: str, sources: Sources, gutter: str, paint: _Paint
) -> tuple[str, str]:
    """The two lines above an excerpt: the file and place, and a bar."""
    place = printable(sources.locate(label.span))
    return f"{gutter}{paint(arrow, 'frame')} {place}", gutter + " " + paint("|", "frame")


def to_json(diagnostic: Diagnostic, sources: Sources) -> dict[str, Any]:
    """The diagnostic as data for JSON. Lines and columns count from 1; ends are exclusive.

    Keys: code, severity, message, help, labels (role ``primary`` or ``secondary``) and uses; each
    place has text, file, line, column, end_line, end_column and the offsets start and end, in
    characters.
    """
    labels = [_place(label, sources) | {"role": "secondary"} for label in diagnostic.secondary]
    if diagnostic.primary is not None:
        labels.insert(0, _place(diagnostic.primary, sources) | {"role": "primary"})
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "labels": labels,
        "uses": [_place(use, sources) for use in diagnostic.uses],
    }


def _place(label: Label, sources: Sources) -> dict[str, Any]:
    source = sources.files[label.span.file]
    start, end = source.position(label.span.start), source.position(label.span.end)
    return {
        "text": label.text,
        "file": source.name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "start": label.span.start,
        "end": label.span.end,
    }


def _by_file(marks: list[tuple[Label, bool]]) -> list[list[tuple[Label, bool]]]:
    """The labels of each file together, the primary one's file first."""
    groups: dict[int, list[tuple[Label, bool]]] = {}
    for label, primary in marks:
        groups.setdefault(label.span.file, []).append((label, primary))
    return list(groups.values())


def _last_line(span: Span, sources: Sources) -> int:
    return sources.files[span.file].position(max(span.start, span.end - 1)).line


def _excerpt(
    group: list[tuple[Label, bool]],
    sources: Sources,
    gutter: str,
    room: int,
    severity: str,
    paint: _Paint,
) -> list[str]:
    """The marked lines of one file, with the marks below each."""
    source = sources.files[group[0][0].span.file]
    marked: dict[int, list[Mark]] = {}
    for label, primary in group:
        first = source.position(label.span.start).line
        last = _last_line(label.span, sources)
        shown = _ends_of(first, last)
        for line in shown:
            start = source.line_starts[line - 1]
            text = label.text if line == shown[-1] else ""
            mark = Mark(
                max(0, label.span.start - start),
                label.span.end - start,
                text,
                primary,
                line > first,
            )
            marked.setdefault(line, []).append(mark)
    output: list[str] = []
    bar = paint("|", "frame")
    previous = 0
    for line in sorted(marked):
        if previous and line > previous + 2:
            output.append(paint("...".rjust(len(gutter)), "frame"))
        elif previous and line == previous + 2:
            between = SourceLine(source.line(previous + 1)).cut(0, room)
            output.append(_numbered(previous + 1, gutter, between, paint))
        for row in rows(source.line(line), marked[line], room):
            if row.source:
                output.append(_numbered(line, gutter, row.text, paint))
                continue
            text = "".join(
                paint(part, "bold", severity if primary else "frame") if part.strip() else part
                for part, primary in row.parts
            )
            output.append(f"{gutter} {bar} {text}".rstrip())
        previous = line
    return output


def _ends_of(first: int, last: int) -> list[int]:
    """The lines that stand for a span from one line to another: all of a short one."""
    if last - first < _SHOWN_LINES:
        return list(range(first, last + 1))
    return [first, first + 1, last - 1, last]


def _numbered(line: int, gutter: str, text: str, paint: _Paint) -> str:
    number = paint(str(line).rjust(len(gutter)), "frame")
    return f"{number} {paint('|', 'frame')} {text}".rstrip()
