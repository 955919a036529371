"""Diagnostics: an example of every code, and how errors are gathered.

``golden/errors`` holds for each code ``CODE.net``, a spec that draws it (or ``CODE.py``, calls that
do), and ``CODE.txt``, what specc says. ``docs/errors.md`` is made from them.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

import specc
from specc.documentation.errors import errors_page, groups
from specc.frontend.diagnostics import Diagnostic, Fact, Fault, SpecError
from specc.frontend.render import render
from specc.frontend.source import Sources
from tests.golden_files import GOLDEN, check_golden

EXAMPLES = GOLDEN / "errors"
FACTS = [fact for group in groups() for fact in group.facts]
CODES = [fact.code for fact in FACTS]


def diagnostics_of(
    code: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> tuple[list[Diagnostic], Sources]:
    """What the example of ``code`` draws: errors, or the warnings of a spec that compiles."""
    spec = EXAMPLES / f"{code}.net"
    try:
        if spec.exists():
            monkeypatch.chdir(EXAMPLES)
            program = specc.compile(spec.name)
            return list(program.warnings), program.sources
        monkeypatch.chdir(folder)
        calls = EXAMPLES / f"{code}.py"
        runpy.run_path(str(calls))
    except SpecError as error:
        return error.diagnostics, error.sources
    except Fault as fault:
        return [fault.fact.diagnostic()], Sources()
    raise AssertionError(f"the example of {code} draws nothing")


def messages(text: str) -> list[str]:
    """What compiling ``text`` complains of, in order: code and headline."""
    with pytest.raises(SpecError) as caught:
        specc.compile(text)
    return [f"{found.code}: {found.message}" for found in caught.value.diagnostics]


# ---- the catalogue -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_the_example_of_a_code_draws_it_alone(
    code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lowerings = dict(_gelu().onnx)
    try:
        found, sources = diagnostics_of(code, monkeypatch, tmp_path)
    finally:
        object.__setattr__(_gelu(), "onnx", lowerings)
    assert [diagnostic.code for diagnostic in found] == [code]
    check_golden(f"errors/{code}.txt", render(found[0], sources))


def _gelu() -> object:
    from specc.ops.registry import operators

    return operators()["gelu"]


def test_every_file_of_examples_belongs_to_a_code() -> None:
    files = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"conftest.py"}
    expected = {f"{code}.txt" for code in CODES}
    expected |= {name for name in files if Path(name).stem in CODES and not name.endswith(".txt")}
    assert files == expected
    assert len(files) == 2 * len(CODES)  # one source each, and never both kinds


def subclasses(of: type[Fact]) -> Iterator[type[Fact]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def test_every_fact_is_in_the_catalogue() -> None:
    for module in pkgutil.walk_packages(specc.__path__, "specc."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    own = {fact for fact in subclasses(Fact) if fact.__module__.startswith("specc.")}
    assert {fact for fact in own if fact.__dict__.get("code")} == set(FACTS)


def test_codes_are_distinct_words_and_explained() -> None:
    assert len(set(CODES)) == len(CODES)
    for fact in FACTS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fact.code)
        assert fact.__doc__
        assert fact.__doc__.partition("\n")[0].endswith(".")
        assert "(*" not in fact.__doc__, f"{fact.code} has the docstring of a dataclass"


def test_the_page_of_errors_is_up_to_date(root: Path) -> None:
    """``make docs`` writes it."""
    page = (root / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == errors_page(EXAMPLES)


# ---- gathering -----------------------------------------------------------------------------------


def test_five_independent_errors_are_all_reported_and_nothing_else() -> None:
    assert messages("""
block Bad(x: [N, C]) -> [N, C] { x |> Linear(C, bais=false) }

net Net(x: [N, 8]) -> [N, 10] {
    a = x |> Linear("wide")
    b = x |> rellu |> Linear(4)
    c = x |> Bad
    d = x |> Linear(64) |> relu
    e = (x |> Linear(3)) + (x |> Linear(5))
    return d |> Linear(11)
}
""") == [
        "unknown-argument: Linear has no argument 'bais'",
        "bad-argument: features of Linear must be an int of at least 1",
        "unknown-name: unknown name 'rellu'",
        "shape-mismatch: 3 and 5 differ in the last dim",
        "type-mismatch: the result of Net is [N, 11], not [N, 10]: 11 is not 10",
    ]


def test_an_unknown_layer_before_a_long_pipeline_is_one_error() -> None:
    rest = " |> ".join(["Linear(16)", "relu", "BatchNorm"] * 30)
    assert messages(
        f"net Net(x: [N, 8]) -> [N, 4] {{ x |> Lineer(4) |> {rest} |> Linear(3) }}"
    ) == ["unknown-name: unknown name 'Lineer'"]


def test_an_unknown_name_is_one_error_however_often_its_result_is_used() -> None:
    assert messages("""
net Net(x: [N, 8]) -> [N, 4] {
    width = wide + 1
    h = x |> Linear(width)
    for i in 0..width { h = h |> "layer{i}": Linear(width * 2) }
    if width > 3 { h = relu(h) }
    return h + h |> Linear(4)
}
""") == ["unknown-name: unknown name 'wide'"]


def test_a_bad_block_is_one_error_however_often_it_is_used() -> None:
    assert messages("""
block Bad(x: [N, C]) -> [N, C] { x |> Conv(C, 3) }

net Net(x: [N, 8]) -> [N, 8] {
    for i in 0..16 { x = x |> "layer{i}": Bad }
    return x
}
""") == ["rank-mismatch: Conv takes [N, C, L], [N, C, H, W] or [N, C, D, H, W], not [N, 8]"]


def test_an_error_in_a_block_shows_the_uses_that_led_there() -> None:
    text = """\
block Inner(width: int)(x: [N, D]) -> [N, D] {
    return x + (x |> Linear(width))
}

block Outer(width: int)(x: [N, D]) -> [N, D] {
    return x |> first: Inner(width) |> relu
}

net Net(x: [N, 8]) -> [N, 8] {
    x |> good: Outer(8) |> bad: Outer(9)
}
"""
    with pytest.raises(SpecError) as caught:
        specc.compile(text)
    (found,) = caught.value.diagnostics
    sources = caught.value.sources
    assert found.code == "shape-mismatch"
    assert [(sources.text(use.span), use.text) for use in found.uses] == [
        ("Inner(width)", "used here as bad.first"),
        ("Outer(9)", "used here as bad"),
    ]
    lines = [line.rpartition(" used here as ")[2] for line in str(caught.value).splitlines()]
    assert lines.index("bad.first") < lines.index("bad")


def test_errors_come_in_the_order_of_the_text() -> None:
    found = messages("""
net Net(x: [N, 8]) -> [N, 4] {
    a = x |> rellu
    b = x |> Linear(4, 5, 6)
    c = x |> sigmoyd
    return x |> Linear(4)
}

train {
    dta = digits
}

init {
    Linear.weight ~ zeroes
}
""")
    assert [message.partition(":")[0] for message in found] == [
        "unknown-name",
        "too-many-arguments",
        "unknown-name",
        "unknown-setting",
        "unknown-name",
    ]
