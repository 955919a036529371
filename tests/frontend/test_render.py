"""Diagnostics as text and as data."""

from __future__ import annotations

import json
import re

import pytest

from specc.frontend.diagnostics import Diagnostic, Label
from specc.frontend.render import render, to_json
from specc.frontend.source import Source, Sources, Span
from tests.golden_files import check_golden

MLP = """\
# A net that cannot be: see its last line.


net Mlp(x: [N, 10]) -> [N, 64] {
    a = x |> Linear(64)
    b = x |> Linear(32)
    return a + b
}
"""


def _sources(*texts: str) -> Sources:
    sources = Sources()
    for number, text in enumerate(texts):
        sources.add(Source(f"specs/{'abcdefgh'[number]}.net", text))
    return sources


def _label(sources: Sources, part: str, text: str = "", *, file: int = 0, nth: int = 0) -> Label:
    """A label at the n-th occurrence of a part of a file."""
    source = sources.files[file].text
    start = [match.start() for match in re.finditer(re.escape(part), source)][nth]
    return Label(Span(file, start, start + len(part)), text)


def _mismatch(sources: Sources) -> Diagnostic:
    return Diagnostic(
        code="shape-mismatch",
        message="64 and 32 differ in the last dim",
        primary=_label(sources, "a + b", "cannot add [N, 64] and [N, 32]"),
        secondary=(
            _label(sources, "Linear(64)", "this is [N, 64]"),
            _label(sources, "Linear(32)", "this is [N, 32]"),
        ),
        help="give both layers the same width",
    )


def test_the_example_of_the_language():
    sources = Sources([Source("specs/mlp.net", MLP)])
    assert render(_mismatch(sources), sources) == (
        "error[shape-mismatch]: 64 and 32 differ in the last dim\n"
        "  --> specs/mlp.net:7:12\n"
        "   |\n"
        " 5 |     a = x |> Linear(64)\n"
        "   |              ---------- this is [N, 64]\n"
        " 6 |     b = x |> Linear(32)\n"
        "   |              ---------- this is [N, 32]\n"
        " 7 |     return a + b\n"
        "   |            ^^^^^ cannot add [N, 64] and [N, 32]\n"
        "   |\n"
        "   = help: give both layers the same width"
    )


def _error(*labels: Label, uses: tuple[Label, ...] = (), advice: str | None = None) -> Diagnostic:
    return Diagnostic("example", "a message", labels[0], labels[1:], advice, uses)


def _two_on_a_line() -> tuple[Diagnostic, Sources]:
    sources = _sources("    return first + second\n")
    return _error(
        _label(sources, "+", "these do not add up"),
        _label(sources, "first", "this is [N, 64]"),
        _label(sources, "second", "this is [N, 32]"),
    ), sources


def _overlapping() -> tuple[Diagnostic, Sources]:
    sources = _sources("return f(a + b)\n")
    return _error(_label(sources, "f(a + b)", "whole"), _label(sources, "a + b", "part")), sources


def _several_lines() -> tuple[Diagnostic, Sources]:
    sources = _sources("y = f(\n    a,\n    b\n)\nz = y\n")
    span = "f(\n    a,\n    b\n)"
    return _error(_label(sources, span, "all of this"), _label(sources, "z", "and this")), sources


def _many_lines() -> tuple[Diagnostic, Sources]:
    sources = _sources("y = [\n" + "".join(f"    a{i},\n" for i in range(20)) + "]\n")
    return _error(_label(sources, sources.files[0].text.rstrip(), "all of this")), sources


def _several_files() -> tuple[Diagnostic, Sources]:
    sources = _sources("net A(x: [N]) = Block(x)\n", "\n" * 120 + "block Block(y: [N, D]) = y\n")
    return _error(
        _label(sources, "x", "this is [N]", nth=1),
        _label(sources, "[N, D]", "two dims are wanted", file=1),
        uses=(_label(sources, "Block(x)", "in the use of `Block`"),),
        advice="give it two dims",
    ), sources


def _long_line() -> tuple[Diagnostic, Sources]:
    sources = _sources("x = [" + "1, " * 100 + "wrong, " + "2, " * 100 + "]\n")
    return _error(_label(sources, "wrong", "here")), sources


def _long_line_with_two() -> tuple[Diagnostic, Sources]:
    sources = _sources("x = [early, " + "1, " * 100 + "wrong]\n")
    return _error(_label(sources, "wrong", "here"), _label(sources, "early", "and here")), sources


def _long_span() -> tuple[Diagnostic, Sources]:
    sources = _sources("x = [" + "1, " * 100 + "]\n")
    return _error(_label(sources, "[" + "1, " * 100 + "]", "all of this")), sources


def _tabs() -> tuple[Diagnostic, Sources]:
    sources = _sources("\ty =\twrong\n")
    return _error(_label(sources, "wrong", "here")), sources


def _wide() -> tuple[Diagnostic, Sources]:
    sources = _sources('assert a, "形状が違う" + wrong  # e\u0301\n')
    return _error(_label(sources, "wrong", "ここ"), _label(sources, "形状", "二つ")), sources


def _no_last_line_end() -> tuple[Diagnostic, Sources]:
    sources = _sources("net A(x: [N]) -> [N] {")
    return _error(_label(sources, "{", "never closed")), sources


def _end_of_file() -> tuple[Diagnostic, Sources]:
    sources = _sources("def f() =\n")
    return _error(Label(Span(0, 10, 10), "nothing follows")), sources


def _carriage_returns() -> tuple[Diagnostic, Sources]:
    sources = _sources("a = 1\r\nb = wrong\r\n")
    return _error(_label(sources, "wrong", "here")), sources


def _controls() -> tuple[Diagnostic, Sources]:
    sources = _sources("a = \x1b[31m \x9b \u202e wrong \x07\n")
    sources.files[0] = Source("a\x1b[31m.net", sources.files[0].text)
    return Diagnostic(
        "example", "a \x1b message", _label(sources, "wrong", "\x1b]0;title"), help="\x1b help"
    ), sources


def _gap_of_one_line() -> tuple[Diagnostic, Sources]:
    sources = _sources("a = 1\nb = 2\nc = 3\nd = 4\ne = 5\n")
    return _error(_label(sources, "c"), _label(sources, "a"), _label(sources, "e")), sources


def _gap_of_many_lines() -> tuple[Diagnostic, Sources]:
    sources = _sources("a = 1\n" + "\n" * 200 + "b = 2\n")
    return _error(_label(sources, "b", "here"), _label(sources, "a", "there")), sources


def _without_a_place() -> tuple[Diagnostic, Sources]:
    return Diagnostic("weights", "no such file", help="train it first"), Sources()


CASES = {
    make.__name__.removeprefix("_").replace("_", "-"): make
    for make in (
        _two_on_a_line, _overlapping, _several_lines, _many_lines, _several_files, _long_line,
        _long_line_with_two, _long_span, _tabs, _wide, _no_last_line_end, _end_of_file,
        _carriage_returns, _controls, _gap_of_one_line, _gap_of_many_lines, _without_a_place,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rendered_text_reads_as_its_golden_file(name):
    diagnostic, sources = CASES[name]()
    check_golden(f"render/{name}.txt", render(diagnostic, sources, width=80))


@pytest.mark.parametrize("name", CASES)
def test_no_control_character_reaches_the_terminal(name):
    diagnostic, sources = CASES[name]()
    for character in render(diagnostic, sources, width=80):
        assert character.isprintable() or character == "\n"


@pytest.mark.parametrize("name", CASES)
def test_colour_changes_no_text(name):
    diagnostic, sources = CASES[name]()
    coloured = render(diagnostic, sources, color=True, width=80)
    assert coloured.startswith("\x1b[")
    assert re.sub(r"\x1b\[\d*m", "", coloured) == render(diagnostic, sources, width=80)


def test_a_narrow_terminal_still_shows_what_is_marked():
    diagnostic, sources = _long_line()
    lines = render(diagnostic, sources, width=1).splitlines()
    assert any("wrong" in line for line in lines)
    assert any("^^^^^ here" in line for line in lines)


def test_marks_stand_under_what_they_mark():
    diagnostic, sources = _mismatch(Sources([Source("m", MLP)])), Sources([Source("m", MLP)])
    lines = render(diagnostic, sources).splitlines()
    row = next(i for i, line in enumerate(lines) if "^" in line)
    start, end = lines[row].index("^"), lines[row].rindex("^") + 1
    assert lines[row - 1][start:end] == "a + b"


def test_data_has_places_that_count_from_one():
    diagnostic, sources = _several_files()
    data = json.loads(json.dumps(to_json(diagnostic, sources)))
    assert (data["code"], data["severity"], data["message"]) == ("example", "error", "a message")
    assert data["help"] == "give it two dims"
    primary, secondary = data["labels"]
    assert primary == {
        "role": "primary", "text": "this is [N]", "file": "specs/a.net", "line": 1, "column": 23,
        "end_line": 1, "end_column": 24, "start": 22, "end": 23,
    }  # fmt: skip
    assert (secondary["role"], secondary["file"], secondary["line"]) == (
        "secondary", "specs/b.net", 121,
    )  # fmt: skip
    assert [use["text"] for use in data["uses"]] == ["in the use of `Block`"]


def test_data_of_a_span_over_lines_ends_on_its_last_line():
    diagnostic, sources = _several_lines()
    place = to_json(diagnostic, sources)["labels"][0]
    assert (place["line"], place["end_line"], place["end_column"]) == (1, 4, 2)
