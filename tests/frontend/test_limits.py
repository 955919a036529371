"""What one text may ask for is bounded; what is not bounded may be long."""

from __future__ import annotations

import time

import pytest

from specc.frontend.diagnostics import Report
from specc.frontend.limits import Limits
from specc.frontend.parse import parse
from specc.frontend.source import Source
from tests.frontend.trees import body, codes, expression, parsed

MANY = 20_000


@pytest.mark.parametrize(
    "text",
    [
        "def f() = " + "(" * 5000,
        "def f() = " + "(" * 5000 + "1" + ")" * 5000,
        "def f() = " + "[" * 5000,
        "def f() = " + "-" * 5000 + "1",
        "def f() = " + "not " * 5000 + "1",
        "def f() = " + "1 + " * 5000 + "1",
        "def f() = " + "2 ** " * 5000 + "1",
        "def f() = a" + ".b" * 5000,
        "def f() = a" + "(1)" * 5000,
        "def f() = a" + "[1]" * 5000,
        "def f() = " + "1 if a else " * 5000 + "1",
        "def f() = " + "{a: " * 5000,
        "net A(x: [N]) { " + "if x { " * 5000,
        "net A(x: [N]) { if x { } " + "else if x { } " * 5000 + "}",
        'def f() = "{' + "-" * 5000 + 'a}"',
    ],
    ids=lambda text: text[:24],
)
def test_nesting_is_bounded(text):
    assert codes(text) == ["too-large"]


def test_as_much_nesting_as_is_allowed_parses():
    assert expression("(" * 100 + "1" + ")" * 100).value == 1
    assert codes("def f() = " + "(" * 101 + "1" + ")" * 101) == ["too-large"]


@pytest.mark.parametrize(
    "text",
    ["def f() = 1" + "0" * 100, "def f() = 0." + "0" * 100, "def " + "f" * 201 + "() = 1"],
)
def test_long_names_and_numbers_are_refused(text):
    assert codes(text) == ["too-large"]


def test_a_number_beyond_floats_is_refused():
    assert codes("def f() = 1e999") == ["syntax"]


def test_the_size_is_bounded_in_bytes():
    text = "# " + "é" * 50
    assert codes(text, Limits(bytes=102)) == []
    assert codes(text, Limits(bytes=101)) == ["too-large"]


def test_the_number_of_errors_is_bounded():
    assert len(codes("def f() = $\n" * 1000)) == Limits().errors


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\x7f", "\x85", "\r", "\ud800", "\u202e", "\u2066"]
)
@pytest.mark.parametrize("place", ["def f() = 1 # {}", 'def f() = "{}"', "{}def f() = 1"])
def test_characters_that_steer_are_refused_wherever_they_stand(character, place):
    assert codes(place.replace("{}", character)) == ["not-text"]


def test_long_lists_statements_and_pipelines_parse():
    assert len(expression("[" + "1, " * MANY + "]").members) == MANY
    assert len(expression("x" + " |> f" * MANY).stages) == MANY
    assert len(expression("f(" + "1, " * MANY + ")").arguments) == MANY
    assert len(body("y = x\n" * MANY)) == MANY
    assert len(parsed("def f() = 1\n" * MANY).definitions) == MANY


def test_a_long_string_with_many_expressions_parses():
    assert len(expression('"' + "{a}" * 2000 + '"').parts) == 2000


def test_a_long_file_takes_time_in_proportion():
    line = "    y = x |> conv: Conv(64, 3, padding=1) |> BatchNorm |> relu\n"

    def seconds(lines: int) -> float:
        source = Source("long.net", "net A(x: [N]) -> [N] {\n" + line * lines + "}\n")
        start = time.process_time()
        assert parse(source, 0, Report()) is not None
        return time.process_time() - start

    seconds(10)
    assert seconds(8000) < 8 * 4 * seconds(1000)  # quadratic time would be 64 times as much
