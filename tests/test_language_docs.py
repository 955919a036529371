"""Every example of the language's reference does what the page says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import specc
from specc.compiler import parse_text
from specc.elaborate.builtins import _FUNCTIONS
from specc.frontend.complaints import KEYWORDS
from specc.initialize.catalogue import CATALOGUE
from specc.ir.types import DType
from specc.recipe.catalogue import SETTINGS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "language.md"
BLOCK = re.compile(r"^```(net[\w-]*)(?: ([\w-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    line: int
    kind: str
    code: str | None
    text: str


def examples(kind: str) -> list[object]:
    page = PAGE.read_text(encoding="utf-8")
    found = [
        Example(page.count("\n", 0, m.start()) + 1, m[1], m[2], m[3]) for m in BLOCK.finditer(page)
    ]
    return [pytest.param(e, id=f"line{e.line}") for e in found if e.kind == kind]


def test_there_are_examples_of_each_kind() -> None:
    assert len(examples("net")) > 10
    assert len(examples("net-error")) > 10


def test_every_marked_block_is_of_a_known_kind() -> None:
    marks = set(re.findall(r"^```(net[\w-]*)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert marks <= {"net", "net-error", "net-fragment"}


@pytest.mark.parametrize("example", examples("net"))
def test_example_compiles(example: Example) -> None:
    names = parse_text(example.text).nets
    assert names
    for name in names:
        assert specc.compile(example.text, net=name).warnings == ()


@pytest.mark.parametrize("example", examples("net-error"))
def test_example_fails_as_announced(example: Example) -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(example.text)
    errors = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert {d.code for d in errors} == {example.code}
    assert all(d.primary is not None for d in errors)


def test_all_settings_and_their_choices_are_described() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page[page.index("## Training") : page.index("## Values from outside")]
    for setting in SETTINGS.values():
        assert f"| `{setting.name}` |" in section
        for entry in (setting.entries or {}).values():
            assert re.search(rf"`{entry.name}\b", section), entry.name
            for argument in entry.arguments if entry.name != "adamw" else ():
                assert re.search(rf"\b{argument.name}\b", section), argument.name


def test_all_initializers_are_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page[page.index("## Initial values") : page.index("## Training")]
    assert [name for name in CATALOGUE if f"`{name}`" not in section] == []


def test_all_reserved_words_are_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = re.search(r"These words are reserved:\n\n((?:    .*\n)+)", page)
    assert listed
    assert set(listed[1].split()) == {word.lower() for word in KEYWORDS}


def test_all_compile_time_functions_are_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = re.search(r"Their functions: `([^`]*)`", page)
    assert listed
    assert set(listed[1].split()) == set(_FUNCTIONS)


def test_all_dtypes_are_named() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [d.value for d in DType if f"`{d.value}`" not in page] == []
