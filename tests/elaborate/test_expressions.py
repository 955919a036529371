"""Compile-time expressions: what they are worth, and which scopes names live in."""

from __future__ import annotations

import math

import pytest
import torch

import specc
from tests.elaborate.specs import errors, names, net, results, sound


def value(expression: str, definitions: str = "") -> float:
    """What an expression is worth: the net gives it, added to zeros."""
    program = sound(f"{definitions}\n" + net(f"x * 0 + ({expression})", "(x: f64[N, 4])"))
    (given,) = results(program.module(), torch.zeros(1, 4, dtype=torch.float64))
    return float(given[0, 0])


def holds(condition: str, definitions: str = "") -> bool:
    return value(f"1 if {condition} else 0", definitions) == 1


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 2 * 3",
        "(1 + 2) * 3",
        "2 ** 3 ** 2",
        "-2 ** 2",
        "2 ** -1",
        "7 / 2",
        "7 // 2",
        "-7 // 2",
        "-7 % 3",
        "7 - 2 - 1",
        "2 * 7 % 4",
        "1.5e2 + 1_000",
        "0.1 + 0.2",
        "abs(-3)",
        "min(3, 1, 2) + max(3, 1, 2)",
        "max([3, 1, 2])",
        "sum([1, 2, 3])",
        "round(2.5) + floor(2.5) + ceil(2.5)",
        "int(2.9) + int(-2.9)",
        "len([1, 2]) + len('abc')",
    ],
)
def test_arithmetic_is_pythons(expression: str) -> None:
    names_ = {"floor": math.floor, "ceil": math.ceil}
    assert value(expression.replace("'", '"')) == eval(expression, names_)


@pytest.mark.parametrize(
    "condition",
    [
        "1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3",
        "1 == 1.0 and 1 != 2",
        "not false",
        "not (1 == 2) or false",
        "true or false and false",
        '"a" == "a" and "a" != "b"',
        "[1, 2] == [1, 2]",
        "[1, 2] != [1, 3]",
        "none == none",
        "none != 3",
        "1 != true",
        "f16 == f16 and f16 != f32",
        "3 == len(0..3)",
    ],
)
def test_conditions_hold(condition: str) -> None:
    assert holds(condition)


def test_a_pipeline_binds_looser_than_a_sum() -> None:
    module = sound(net("x + x |> relu")).module()
    x = torch.randn(3, 4)
    assert torch.equal(results(module, x)[0], torch.relu(x + x))


def test_parentheses_hold_a_pipeline_within_a_sum() -> None:
    module = sound(net("x + (x |> relu)")).module()
    x = torch.randn(3, 4)
    assert torch.equal(results(module, x)[0], x + torch.relu(x))


def test_strings_are_joined_and_interpolated() -> None:
    text = net('stem = "la" + "yer"\nx |> "{stem}{1 + 1}_{true}": Linear(4)')
    assert names(sound(text))[0] == "layer2_true.weight"


def test_double_braces_are_braces() -> None:
    assert holds('len("{{}}") == 2')


def test_maps_are_read_by_key() -> None:
    assert value('{"small": 3, large: 5}["large"]') == 5


def test_lists_are_indexed_from_both_ends_and_sliced() -> None:
    assert value("[1, 2, 3][0] + [1, 2, 3][-1]") == 4
    assert holds("[1, 2, 3, 4][1:3] == [2, 3]")
    assert holds("[1, 2, 3, 4][::2] == [1, 3]")


@pytest.mark.parametrize("choice", ["1 if true else foo", "foo if false else 1"])
def test_only_the_branch_that_is_taken_is_evaluated(choice: str) -> None:
    assert value(choice) == 1


def test_a_statements_branch_that_is_not_taken_is_not_compiled() -> None:
    sound(
        net("if 1 > 2 {\n x = x |> foo\n} else if 1 > 3 {\n x = bar\n} else {\n x = relu(x)\n}\nx")
    )


def test_a_decided_side_spares_the_other() -> None:
    assert holds("true or foo")
    assert not holds("false and foo")


@pytest.mark.parametrize(
    ("condition", "same"),
    [
        ("sum(x) > 0 and true", "sum(x) > 0"),
        ("true and sum(x) > 0", "sum(x) > 0"),
        ("sum(x) > 0 or false", "sum(x) > 0"),
        ("false or sum(x) > 0", "sum(x) > 0"),
        ("sum(x) > 0 and not true", "false"),
        ("sum(x) > 0 or 1 < 2", "true"),
    ],
)
def test_a_bool_of_the_spec_joins_one_of_a_tensor_on_either_side(condition: str, same: str) -> None:
    """So that a hyperparameter can switch a run-time branch off, which leaves no trace then."""
    first, second = (
        specc.compile(net(f"if {test} {{ x = relu(x) }}\nx")).python() for test in (condition, same)
    )
    assert first == second


def test_a_bool_that_decides_for_every_element_has_no_shape_to_be_in() -> None:
    assert errors(net("y = x > 0 and false\nwhere(y, x, -x)")) == [
        ("bad-operands", "x > 0 and false")
    ]
    sound(net("y = x > 0 and true\nwhere(y, x, -x)"))


@pytest.mark.parametrize(
    ("iterable", "targets", "term", "total"),
    [
        ("0..4", "i", "i", 6),
        ("2..2", "i", "i", 0),
        ("[1, 5]", "i", "i", 6),
        ("enumerate([3, 4])", "i, n", "i * n", 4),
        ("zip([1, 2], [3, 4])", "a, b", "a * b", 11),
        ("[[3, 16], [5, 24]]", "k, c", "k * c", 168),
        ("reversed([1, 2])", "i", "i", 3),
    ],
)
def test_a_for_goes_over(iterable: str, targets: str, term: str, total: int) -> None:
    body = f"s = 0\nfor {targets} in {iterable} {{\n s = s + {term}\n}}\nx * 0 + s"
    module = sound(net(body)).module()
    assert float(results(module, torch.zeros(1, 4))[0][0, 0]) == total


# ---- definitions and scopes ----------------------------------------------------------------------


def test_a_function_takes_defaults_and_keywords() -> None:
    make_divisible = "def divisible(v: float, by = 8) = max(by, (int(v + by / 2) // by) * by)"
    assert value("divisible(37)", make_divisible) == 40
    assert value("divisible(37, by=10)", make_divisible) == 40
    assert value("divisible(1)", make_divisible) == 8


def test_a_default_sees_the_parameters_before_it() -> None:
    assert value("f(3)", "def f(a, b = a * 2) = a + b") == 9
    text = "net Wide(width = 4, out = 2 * width)(x: [N, 3]) -> [N, out] { x |> Linear(out) }"
    given = ({}, {"width": 5}, {"out": 3})
    assert [specc.compile(text, hyperparameters=g).outputs[0].dims[1] for g in given] == [8, 10, 3]
    before = text.replace("width = 4, out = 2 * width", "out = 2 * width, width = 4")
    assert errors(before) == [("unknown-name", "width")]


def test_a_function_does_not_see_its_callers_names() -> None:
    assert errors("def f(a) = a + k\n" + net("k = 3\nx * f(1)")) == [("unknown-name", "k")]


def test_a_block_does_not_see_its_users_names() -> None:
    text = "block B(x: [N, D]) -> [N, D] { x * k }\n" + net("k = 3\ny = x * k\ny |> B")
    assert errors(text) == [("unknown-name", "k")]


def test_a_for_and_an_if_open_no_scope() -> None:
    body = "for i in 0..3 {\n k = i\n}\nif true {\n m = 4\n}\nx * 0 + (k + m + i)"
    module = sound(net(body)).module()
    assert float(results(module, torch.zeros(1, 4))[0][0, 0]) == 8


def test_a_comprehension_opens_a_scope() -> None:
    text = net("i = 7\nwidths = [i for i in 0..3]\nx * (i + len(widths))")
    module = sound(text).module()
    assert float(results(module, torch.ones(1, 4))[0][0, 0]) == 10
    assert errors(net("widths = [j for j in 0..3]\nx * (j + len(widths))")) == [
        ("unknown-name", "j")
    ]


def test_a_definition_may_stand_behind_its_use() -> None:
    sound(net("x |> Later") + "\nblock Later(x: [N, D]) -> [N, D] { x |> relu }")


def test_a_file_may_define_what_the_language_has_already() -> None:
    text = "block cast(x: [N, D]) -> [N, D] { x * 3 }\n" + net("f64(x |> cast)")
    module = sound(text).module()
    assert float(results(module, torch.ones(1, 4))[0][0, 0]) == 3


# ---- what has no value ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("1 / 0", ("bad-value", "1 / 0")),
        ("1 // 0", ("bad-value", "1 // 0")),
        ("(-1) ** 0.5", ("bad-value", "(-1) ** 0.5")),
        ("1e308 * 10", ("bad-value", "1e308 * 10")),
        ("2 ** 10 ** 10", ("limit-exceeded", "2 ** 10 ** 10")),
        ("10 ** 18", ("limit-exceeded", "10 ** 18")),
        ("[1][1]", ("bad-value", "1")),
        ('{"a": 1}["b"]', ("bad-value", '"b"')),
        ('{"a": 1, "a": 2}["a"]', ("bad-value", '"a"')),
        ('1 + "a"', ("bad-operands", '1 + "a"')),
        ("1 < none", ("bad-operands", "1 < none")),
        ("true + true", ("bad-operands", "true + true")),
        ("-[1]", ("bad-operands", "-[1]")),
        ("sqrt(-1)", ("bad-value", "sqrt(-1)")),
        ("len(3)", ("wrong-type", "len(3)")),
        ("1 if 3 else 2", ("bad-operands", "3")),
        ("foo", ("unknown-name", "foo")),
        ("sum([foo, 1])", ("unknown-name", "foo")),
        ("max([foo, 1], 2)", ("unknown-name", "foo")),
        ("[1, 2][foo:][0]", ("unknown-name", "foo")),
        ('len("{[foo]}")', ("unknown-name", "foo")),
        ("(3).weight", ("wrong-type", "weight")),
    ],
)
def test_it_is_answered_at_its_place_and_once(expression: str, found: tuple[str, str]) -> None:
    assert errors(net(f"k = {expression}\nx * k")) == [found]


@pytest.mark.parametrize(
    "growth",
    [
        's = "ab"\nfor i in 0..60 {\n s = s + s\n}',
        's = "ab"\nfor i in 0..60 {\n s = "{s}{s}"\n}',
        "s = [1]\nfor i in 0..60 {\n s = s + s\n}",
        "s = [1]\nfor i in 0..60 {\n s = [*s, *s]\n}",
        "s = [1]\nfor i in 0..1000 {\n s = [s]\n}",
        "s = [1]\nfor i in 0..1000 {\n s = zip(s)\n}",
        "s = 3\nfor i in 0..60 {\n s = s * s\n}",
        "s = 0..10 ** 12",
    ],
)
def test_what_grows_without_end_is_stopped(growth: str) -> None:
    assert {code for code, _ in errors(net(f"{growth}\nt = s\nreturn x"))} == {"limit-exceeded"}


def test_a_function_that_calls_itself_is_stopped() -> None:
    found = errors("def f(n) = f(n + 1)\n" + net("x * f(0)"))
    assert [code for code, _ in found] == ["limit-exceeded"]


# ---- values from outside -------------------------------------------------------------------------


def test_python_values_become_hyperparameters() -> None:
    import numpy as np

    text = net("x |> Linear(n)", "(n: int)(x: [N, 4])")
    assert sound(text, n=3).outputs[0].dims == ("N", 3)
    assert sound(text, n=np.int64(3)).outputs[0].dims == ("N", 3)
    lists = net("x |> Linear(ns[0][1])", "(ns: list)(x: [N, 4])")
    assert sound(lists, ns=[(1, 2)]).outputs[0].dims == ("N", 2)


@pytest.mark.parametrize("wrong", [object(), "3", 3.5, None, [3], True, float("nan"), 10**30])
def test_a_value_of_another_type_is_refused(wrong: object) -> None:
    ((code, _),) = errors(net("x |> Linear(n)", "(n: int)(x: [N, 4])"), n=wrong)
    assert code in {"wrong-type", "bad-value", "limit-exceeded"}


def test_a_hyperparameter_has_the_type_of_its_default() -> None:
    text = 'block B(n = 1, s = [1], f = true, t = "a", m = none)(x: [N, D]) -> [N, D] { x }\n'
    for wrong in ("n=none", "n=[1]", "s=3", "f=1", "t=1"):
        assert errors(text + net(f"x |> B({wrong})")) == [("wrong-type", wrong)]
    sound(text + net('x |> B(n=2.5, s=[2], f=false, t="b", m=3)'))
