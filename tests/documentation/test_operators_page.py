"""The page on operators is made from the table, and says what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from specc.documentation.markdown import operators_page
from specc.documentation.operators import families, signature, state, uses
from specc.documentation.text import all_operators, one_operator
from specc.ops.registry import operators

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operators.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == operators_page(), "run `make docs`"


def test_families_hold_each_operator_once() -> None:
    names = [operator.name for family in families() for operator in family.operators]
    assert sorted(names) == sorted(operators())


@pytest.mark.parametrize("name", sorted(operators()))
def test_an_operator_is_described_in_full(name: str) -> None:
    operator = operators()[name]
    text = one_operator(operator, 100)
    assert text.startswith(f"{name}(")
    assert all(argument.name in text for argument in operator.arguments)
    assert all(slot.name in text for slot in operator.state)
    assert text.count(" -> ") >= len(operator.samples)
    assert f"\n### {name}\n" in operators_page()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_are_no_wider_than_the_terminal(width: int) -> None:
    pages = [all_operators(width), *(one_operator(o, width) for o in operators().values())]
    too_long = [line for page in pages for line in page.splitlines() if len(line) > width]
    # A shape or a name alone may be longer than a narrow terminal.
    assert [line for line in too_long if " " in line.strip()] == []


def test_a_signature_reads_as_a_call() -> None:
    table = operators()
    assert signature(table["Linear"]) == "Linear(features, bias=true)(x)"
    assert signature(table["softmax"]).startswith("softmax(x, dim")
    assert signature(table["concat"]).startswith("concat(*")


def test_state_is_that_of_the_fullest_use() -> None:
    found = state(operators()["BatchNorm"])
    assert found is not None
    assert {slot.name for slot in found[1]} == {
        slot.name for slot in operators()["BatchNorm"].state
    }
    assert state(operators()["relu"]) is None


def test_uses_give_the_types_that_the_rule_gives() -> None:
    use = uses(operators()["Linear"])[0]
    assert use.call.startswith("Linear(")
    assert use.inputs[0].startswith("f32[")
    assert use.results[0].startswith("f32[")
