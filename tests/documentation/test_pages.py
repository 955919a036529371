"""What the tests of pages take for the output that a page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages
from tests.pages import Specc

SHOWN = "epoch 1\n...\naccuracy 0.9750 in 3 epochs\n"


@pytest.mark.parametrize(
    "output",
    [
        "epoch 1\naccuracy 0.9611 in 3 epochs\n",
        "epoch 1\nepoch 2\nepoch 3\naccuracy -1.5e+02 in 3 epochs\n",
    ],
)
def test_lines_may_be_left_out_and_fractions_differ(output: str) -> None:
    assert pages.pattern(SHOWN).fullmatch(output)


@pytest.mark.parametrize(
    "output",
    [
        "epoch 1\naccuracy 0.9750 in 4 epochs\n",
        "epoch 1\naccuracy 1 in 3 epochs\n",
        "epoch 1\naccuracy 0.9750 in 3 epochs\nand more\n",
        "epoch 2\naccuracy 0.9750 in 3 epochs\n",
    ],
)
def test_another_output_is_refused(output: str) -> None:
    assert not pages.pattern(SHOWN).fullmatch(output)


def test_a_command_goes_with_the_lines_below_it() -> None:
    page = pages.blocks("```console\n$ specc a b\none\n$ specc c\n```\n\n```net x.net\nnet\n```\n")
    assert pages.sessions(page) == [("specc a b", "one\n"), ("specc c", "")]
    assert [(block.line, block.title) for block in page] == [(1, None), (7, "x.net")]


def test_another_answer_of_python_is_refused(tmp_path: Path, specc: Specc) -> None:
    pages.run(pages.blocks("```python\n>>> 1 + 1\n2\n```\n"), specc, tmp_path)
    with pytest.raises(AssertionError):
        pages.run(pages.blocks("```python\n>>> 1 + 1\n3\n```\n"), specc, tmp_path)


def test_names_last_to_the_end_of_a_page(tmp_path: Path, specc: Specc) -> None:
    page = "```python\n>>> a = 1\n```\n\n```python\n>>> a\n1\n```\n"
    assert pages.run(pages.blocks(page), specc, tmp_path) == []


def test_a_section_ends_where_the_next_begins() -> None:
    page = "```net\na\n```\n## One\n```net\nb\n```\n### Part\n```net\nc\n```\n## Two\n"
    found = pages.sections(page)
    assert {name: [b.text for b in found[name]] for name in found} == {
        "One": ["b\n", "c\n"],
        "Two": [],
    }
