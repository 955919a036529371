"""``docs/architecture.md`` is true: its folders are there, and its example of an operator works."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import specc
from specc.frontend.diagnostics import Fault
from specc.ir.types import parse_type
from specc.ops.apply import complete, infer
from specc.ops.operator import Operator
from specc.testing.cases import Case
from specc.testing.effects import differs, differs_in_onnx
from specc.testing.parity import same


@pytest.fixture(scope="session")
def page(root: Path) -> str:
    """The page's text."""
    return (root / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.fixture
def example(page: str) -> Operator:
    """The operator that the page defines."""
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    family = ModuleType("specc.ops.bilinear")
    exec(compile(block, "docs/architecture.md", "exec"), vars(family))
    (operator,) = family.OPERATORS
    assert isinstance(operator, Operator)
    return operator


def test_every_folder_of_the_package_is_described(page: str, root: Path) -> None:
    described = set(re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE))
    folders = {
        folder.name
        for folder in (root / "specc").iterdir()
        if folder.is_dir() and (folder / "__init__.py").exists()
    }
    assert described | {"cli"} == folders


def test_every_file_that_is_named_exists(page: str, root: Path) -> None:
    named = set(re.findall(r"`([\w/]+/\w+\.(?:py|md|lark))`", page))
    assert len(named) > 10
    missing = {
        name for name in named if not ((root / "specc" / name).exists() or (root / name).exists())
    }
    assert missing == {"ops/bilinear.py"}  # the example itself


def test_the_example_agrees_on_all_targets(example: Operator) -> None:
    for sample in example.samples:
        same(Case(example, sample))


def test_the_arguments_of_the_example_count(example: Operator) -> None:
    for argument in (one for one in example.arguments if not one.required):
        cases = [Case(example, s) for s in example.samples if argument.name in s.arguments]
        assert any(differs(case, argument.name) for case in cases)
        assert any(differs_in_onnx(case, argument.name) for case in cases)


def test_the_example_refuses_what_it_says(example: Operator) -> None:
    for reject in example.rejects:
        types = tuple(parse_type(text) for text in reject.inputs)
        with pytest.raises(Fault) as caught:
            infer(example, types, complete(example, reject.arguments))
        assert caught.value.fact.code == reject.code


def test_the_example_is_a_layer_of_the_language(example: Operator) -> None:
    program = specc.compile(
        "net Net(x: [N, 8], y: [N, 5]) { mix = Bilinear(3)\nmix(x, y) |> relu }",
        ops=[example],
    )
    assert "nn.Bilinear(8, 5, 3)" in program.python()
    assert [parameter.name for parameter in program.network.parameters] == [
        "mix.weight",
        "mix.bias",
    ]
