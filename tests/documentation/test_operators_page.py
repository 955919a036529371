"""The page on operators is made from the table, and says what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

import specc
from specc.documentation.markdown import operators_page
from specc.documentation.operators import (
    families,
    keywords,
    signature,
    state,
    tensor_names,
    uses,
)
from specc.documentation.text import all_operators, one_operator
from specc.ops.operator import Operator
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
    assert text.startswith(signature(operator).split("(")[0])
    assert all(argument.name in text for argument in keywords(operator))
    assert all(slot.name in text for slot in operator.state)
    described = uses(operator)
    assert all(result in text for use in described for result in use.results)
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


def test_a_sign_is_shown_between_its_operands() -> None:
    table = operators()
    assert signature(table["add"]) == "x + y, or add(x, y)"
    assert signature(table["slice"]) == "x[...]"
    assert signature(table["where"]) == "where(condition, x, y)"
    assert "where(condition, x, -1000000000.0)" in one_operator(table["where"])
    assert "\n  x[-1, ..., none, 2]\n" in one_operator(table["slice"])
    assert "\n  ones(1, 2, dtype=bool)\n      bool[1, 2]\n" in one_operator(table["ones"])


@pytest.mark.parametrize("operator", operators().values(), ids=lambda one: one.name)
def test_a_use_compiles_as_it_is_written(operator: Operator) -> None:
    for use in uses(operator):
        names = tensor_names(operator, len(use.inputs))
        header = ", ".join(
            f"{name}: {type_}" for name, type_ in zip(names, use.inputs, strict=True)
        )
        applied = f"{use.call}({', '.join(names)})" if operator.layer else use.call
        program = specc.compile(f"net A({header or 'unused: [N]'}) {{ return {applied} }}")
        assert tuple(str(port.type) for port in program.network.outputs) == use.results


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
