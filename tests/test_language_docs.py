"""Every example of the language's reference does what the page says."""

from __future__ import annotations

import re

import pytest

import specc
from specc.compiler import parse_text
from specc.elaborate.builtins import _FUNCTIONS
from specc.frontend.complaints import KEYWORDS
from specc.initialize.catalogue import CATALOGUE
from specc.ir.types import DType
from specc.recipe.catalogue import SETTINGS
from tests import pages
from tests.pages import Block

PAGE = (pages.DOCS / "language.md").read_text(encoding="utf-8")


def examples(language: str) -> list[object]:
    return [pytest.param(e, id=f"line{e.line}") for e in pages.blocks(PAGE, language)]


def test_there_are_examples_of_each_kind() -> None:
    assert len(examples("net")) > 10
    assert len(examples("net-error")) > 10


def test_every_marked_block_is_of_a_known_kind() -> None:
    marks = set(re.findall(r"^```(net[\w-]*)", PAGE, re.MULTILINE))
    assert marks <= {"net", "net-error", "net-fragment"}


@pytest.mark.parametrize("example", examples("net"))
def test_example_compiles(example: Block) -> None:
    names = parse_text(example.text).nets
    assert names
    for name in names:
        assert specc.compile(example.text, net=name).warnings == ()


@pytest.mark.parametrize("example", examples("net-error"))
def test_example_fails_as_announced(example: Block) -> None:
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(example.text)
    errors = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert {d.code for d in errors} == {example.title}
    assert all(d.primary is not None for d in errors)


def test_all_settings_and_their_choices_are_described() -> None:
    section = PAGE[PAGE.index("## Training") : PAGE.index("## Values from outside")]
    for setting in SETTINGS.values():
        assert f"| `{setting.name}` |" in section
        for entry in (setting.entries or {}).values():
            assert re.search(rf"`{entry.name}\b", section), entry.name
            for argument in entry.arguments if entry.name != "adamw" else ():
                assert re.search(rf"\b{argument.name}\b", section), argument.name


def test_all_initializers_are_named() -> None:
    section = PAGE[PAGE.index("## Initial values") : PAGE.index("## Run-time control flow")]
    assert [name for name in CATALOGUE if f"`{name}`" not in section] == []


def test_all_reserved_words_are_named() -> None:
    listed = re.search(r"These words are reserved:\n\n((?:    .*\n)+)", PAGE)
    assert listed
    assert set(listed[1].split()) == {word.lower() for word in KEYWORDS}


def test_all_compile_time_functions_are_named() -> None:
    listed = re.search(r"Their functions: `([^`]*)`", PAGE)
    assert listed
    assert set(listed[1].split()) == set(_FUNCTIONS)


def test_all_dtypes_are_named() -> None:
    assert [d.value for d in DType if f"`{d.value}`" not in PAGE] == []


def test_links_lead_to_headings() -> None:
    assert pages.dangling_links(PAGE) == set()


def test_every_section_is_in_the_contents() -> None:
    contents = PAGE[: PAGE.index("## ")]
    assert [name for name in pages.sections(PAGE) if f"[{name}](#" not in contents] == []
