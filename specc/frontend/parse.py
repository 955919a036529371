"""Text -> syntax tree. The grammar is ``grammars/net.lark``; this file runs it."""

from __future__ import annotations

import gc
import re
import threading
from dataclasses import replace
from functools import cache
from typing import Any, cast

from lark.exceptions import UnexpectedInput

from specc.frontend import syntax
from specc.frontend.diagnostics import Fault, Report
from specc.frontend.driver import Driver
from specc.frontend.lexer import Layout
from specc.frontend.limits import DEFAULT_LIMITS, Limits
from specc.frontend.scene import Scene, error_offset
from specc.frontend.source import Source, Span
from specc.frontend.syntax_errors import explain
from specc.frontend.table import load_lark
from specc.frontend.text import BYTE_ORDER_MARK, check_text
from specc.frontend.tree_builder import TreeBuilder

NESTING_IN_STRINGS = 20

# Where parsing can go on behind an error: words that begin a definition and stand in no body. They
# count only at the start of a line, where nobody indents them by accident.
_DEFINITION = re.compile(r"^(?:(?:net|block|def|train|device|from)\b|init[ \t]+[A-Za-z_])", re.M)


def parse(
    source: Source, file: int, report: Report, limits: Limits = DEFAULT_LIMITS
) -> syntax.File | None:
    """The syntax tree of a whole source, the one numbered ``file``.

    Adds a fact to ``report`` for each independent error in the text, and then gives None. Raises
    nothing, whatever the text holds.

    >>> source = Source("one.net", "net One(x: [N, 2]) -> [N, 1] { Linear(1)(x) }")
    >>> tree = parse(source, 0, Report())
    >>> tree.definitions[0].name
    'One'
    """
    found = Report()
    tree = None
    try:
        check_text(source, file, limits)
        with _parser().using(source.text, file, found, limits) as parser:
            tree = parser.whole_file()
    except Fault as fault:
        found.add(fault.fact)
    for fact in found.facts:
        report.add(fact)
    return None if found.failed else tree


def parse_expression(
    source: Source, file: int, report: Report, limits: Limits = DEFAULT_LIMITS
) -> syntax.Expression | syntax.DeviceName | None:
    """The one value that ``source`` consists of, as behind ``--set key=``; None after an error.

    >>> parse_expression(Source("--set", "[1, 2]"), 0, Report()).members[1].value.value
    2
    """
    found = Report()
    value = None
    try:
        check_text(source, file, limits)
        with _parser().using(source.text, file, found, limits) as parser:
            value = parser.part(Span(file, 0, len(source.text)), "setting_value")
    except Fault as fault:
        found.add(fault.fact)
    for fact in found.facts:
        report.add(fact)
    return None if found.failed else cast("syntax.Expression | syntax.DeviceName | None", value)


class _Parser:
    """One parser, which lark ties to one builder; hence one text at a time."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.builder = TreeBuilder()
        self.lark = load_lark(self.layout, self.builder)
        self.driver = Driver(self.lark)
        self.lock = threading.Lock()

    def using(self, text: str, file: int, report: Report, limits: Limits) -> _Parser:
        """Sets the text to parse; to be used in a ``with``, which keeps others out."""
        self.lock.acquire()
        self.text, self.file, self.report, self.limits = text, file, report, limits
        self.layout.file, self.layout.limits = file, limits
        builder = self.builder
        builder.file, builder.text, builder.report = file, text, report.add
        builder.parse_inside = self._inside_string
        return self

    def __enter__(self) -> _Parser:
        # Parsing makes many objects and no cycles; looking for some takes half of its time.
        self.collects = gc.isenabled()
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        if self.collects:
            gc.enable()
        self.lock.release()

    def whole_file(self) -> syntax.File | None:
        """Parses the text, and behind an error the definitions that follow it."""
        start = 1 if self.text.startswith(BYTE_ORDER_MARK) else 0
        while True:
            try:
                return cast(syntax.File, self._run(Span(self.file, start, len(self.text))))
            except UnexpectedInput as error:
                self._explain(error, start, len(self.text))
                following = _DEFINITION.search(
                    self.text, max(start + 1, error_offset(error, start, len(self.text)))
                )
                if following is None or len(self.report.facts) >= self.limits.errors:
                    return None
                start = following.start()

    def part(self, span: Span, start: str) -> Any:
        """Parses what stands at ``span`` as the rule ``start``; None after an error."""
        try:
            return self._run(span, start)
        except UnexpectedInput as error:
            self._explain(error, span.start, span.end)
            return None

    def _run(self, span: Span, start: str = "source_file") -> Any:
        """Lark's run over the characters of ``span``.

        Lark gets them as a text of their own and the layout shifts its tokens: for a slice, lark
        would count the lines before its start, each time afresh.
        """
        self.layout.offset = span.start
        return self.driver.parse(self.text[span.start : span.end], start)

    def _inside_string(self, span: Span) -> syntax.Expression | None:
        # A string holds no string, so this is never one level deeper; what hangs on one another in
        # it stays small, since it hangs on what is around the string.
        outside = self.layout.limits
        self.layout.limits = replace(outside, nesting=min(outside.nesting, NESTING_IN_STRINGS))
        try:
            return cast("syntax.Expression | None", self.part(span, "expression"))
        finally:
            self.layout.limits = outside

    def _explain(self, error: UnexpectedInput, start: int, end: int) -> None:
        """Reports a syntax error in the text from ``start`` to ``end``."""
        noticed = error_offset(error, start, end)
        for definition in _DEFINITION.finditer(self.text, start, noticed):
            start = definition.start()
        self.layout.offset = start
        lexing = self.lark.parse_interactive(self.text[start:end], start="source_file")
        tokens = lexing.lexer_thread.lex(lexing.parser_state)  # type: ignore[no-untyped-call]
        self.report.add(
            explain(Scene.of(error, noticed, tokens, Span(self.file, start, end), self.text))
        )


@cache
def _parser() -> _Parser:
    return _Parser()
