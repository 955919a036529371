"""The tables of syntax errors: their samples are their test, and their words are golden files."""

from __future__ import annotations

import pytest

from specc.frontend import facts
from specc.frontend.complaints import COMPLAINTS, Complaint
from specc.frontend.diagnostics import Report
from specc.frontend.facts import SyntaxFault
from specc.frontend.parse import parse
from specc.frontend.source import Source
from tests.frontend.trees import codes, errors, parsed
from tests.golden_files import GOLDEN, check_golden

CASES = [(complaint, sample) for complaint in COMPLAINTS for sample in complaint.samples]


def _problems(text: str) -> list[str]:
    report = Report()
    parse(Source("test.net", text), 0, report)
    return [fact.message for fact in report.facts]


@pytest.mark.parametrize(
    ("complaint", "sample"), CASES, ids=[f"{c.name}-{s[:20]!r}" for c, s in CASES]
)
def test_a_sample_is_answered_by_its_own_entry_and_nothing_else(complaint: Complaint, sample: str):
    report = Report()
    assert parse(Source("test.net", sample), 0, report) is None
    (fact,) = report.facts
    assert isinstance(fact, SyntaxFault)
    assert type(fact) is complaint.fact
    before, _, behind = complaint.problem.format_map(_Anything()).partition("\0")
    assert fact.problem.startswith(before)
    assert fact.problem.endswith(behind.rpartition("\0")[2])


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "\0"


@pytest.mark.parametrize("complaint", COMPLAINTS, ids=lambda complaint: complaint.name)
def test_each_entry_reads_as_its_golden_file(complaint: Complaint):
    shown = [f"{sample.rstrip()}\n\n{errors(sample)}" for sample in complaint.samples]
    check_golden(f"syntax/{complaint.name}.txt", "\n\n\n".join(shown))


def test_entries_have_names_of_their_own_and_golden_files_have_entries():
    names = [complaint.name for complaint in COMPLAINTS]
    assert len(set(names)) == len(names)
    files = {path.stem for path in (GOLDEN / "syntax").glob("*.txt")}
    assert files == {*names, "other-codes", "independent"}


def test_the_problems_of_the_table_differ():
    problems = [complaint.problem for complaint in COMPLAINTS]
    assert len({*problems}) >= len(problems) - 11  # signs that look like others share theirs


# What is wrong in the tree, and not in the grammar.
OTHERS = {
    "invalid-string": 'def f(a) = "a\\q"\n',
    "invalid-target": "net A(x: [N]) -> [N] {\n    x.y = relu(x)\n    return x\n}\n",
    "misplaced-parameter": "block B(n: int, x: [N, D]) = x\n",
    "not-text": 'def f() = "\x1b[31m"\n',
    "too-large": "def f() = " + "(" * 101 + "1\n",
}


def test_the_other_codes_read_as_their_golden_file():
    for code, text in OTHERS.items():
        assert codes(text) == [code]
    check_golden("syntax/other-codes.txt", "\n\n".join(errors(text) for text in OTHERS.values()))


def test_every_code_of_the_syntax_group_has_a_sample():
    shown = {complaint.fact.code for complaint in COMPLAINTS} | set(OTHERS)
    group = {fact.code for fact in _subclasses(SyntaxFault)} | {facts.TooLarge.code}
    assert group <= shown


def _subclasses(kind: type) -> set[type]:
    return {kind}.union(*(_subclasses(child) for child in kind.__subclasses__()))


# ---- several errors ------------------------------------------------------------------------------

INDEPENDENT = """\
net A(x: [N, 10]) -> [N, 10] {
    y = x |> Linear(10
    return y
}

# A sound definition between.
block Sound(x: [N]) = relu(x)

def half(a) = a /

net B(x: [N]) -> [N] {
    retrun x
}

init {
    Linear.weight: zeros
}

train {
    epochs: 3
}
"""


def test_independent_errors_are_all_reported_each_once():
    # The rules in the `init` behind B are not looked at: such a line could as well be a part of B.
    assert codes(INDEPENDENT) == ["unclosed-bracket", "syntax", "syntax", "syntax"]
    check_golden("syntax/independent.txt", INDEPENDENT + "\n" + errors(INDEPENDENT))


@pytest.mark.parametrize(
    "text",
    [
        "net A(x: [N]) -> [N] {\n    if x {\n    y = x\n    return y\n}\n\nblock B(x: [N]) = x\n",
        "net A(x: [N]) -> [N] {\n    y = f(x))\n    z = g(y))\n}\n\nblock B(x: [N]) = x\n",
        "net A(x: [N]) -> [N] {\n    y = $x\n    z = $y\n}\n",
        "def f() = (1\n\ndef g() = 1\n",
    ],
)
def test_one_mistake_gives_one_error(text):
    assert len(codes(text)) == 1


def test_errors_in_a_string_and_behind_it_are_both_reported():
    assert _problems('def f() = "{1 +}"\ndef g() = 2 2') == [
        "something is missing behind `+`",
        "this does not belong to the statement before it",
    ]


def test_what_no_entry_answers_still_says_what_belongs_there():
    assert "a name belongs here" in errors("net 3(x: [N]) = x")


@pytest.mark.parametrize(
    "text",
    [
        "x |> |> relu", "[1,, 2]", "f(=3)", "net", "net A", "net A(", "def", "from", "device d",
        "init", "train { = }", 'from "a.net"', "block B(x:) = x", "net A(x: [N]) -> = x",
        "device d = cuda:x",
        "init { ~ }", "def f() =", "net A(x: [N]) -> [N] { for i { } }", "net A(x: [N]) { if { } }",
        "net A(x: [N]) { for 3 in x { } }", "def f() = {a}", "def f() = x[", "def f() = x[]",
        "net A(x: [N]) { param }", "net A(x: [N]) { param w: 3 }", "net A(x: [N]) { on { } }",
    ],
)  # fmt: skip
def test_any_error_has_a_place_and_words(text):
    for source in (text, f"def a() = 1\n\n{text}\n\ndef b() = 2\n"):
        report = Report()
        assert parse(Source("test.net", source), 0, report) is None
        assert len(report.facts) == 1
        diagnostic = report.facts[0].diagnostic()
        assert diagnostic.primary is not None
        assert diagnostic.primary.span.end <= max(1, len(source))
        assert errors(source).count("\n") >= 3


def test_a_name_that_is_like_a_keyword_is_a_name():
    assert len(parsed("def network(inn, lettuce) = inn + lettuce").definitions) == 1
