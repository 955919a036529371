"""Direct edits in `init` blocks: what they change, in which order, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.elaborate.specs import diagnostic, errors, net, sound, values

OUT = net("x |> out: Linear(3)")


def edited(*lines: str, text: str = OUT) -> str:
    return text + "init {\n" + "\n".join(lines) + "\n}\n"


def bias(*lines: str) -> list[float]:
    program = sound(edited('"out.bias" ~ constant(6)', *lines))
    found: list[float] = values(program, "out.bias").tolist()
    return found


def test_the_edit_by_hand() -> None:
    """`weight.data[:] += 1; weight.data[0, 0] = 42` of the course."""
    before = values(sound(OUT), "out.weight")
    program = sound(edited('"out.weight" += 1', '"out.weight"[0, 0] = 42'))
    expected = before + 1
    expected[0, 0] = 42
    np.testing.assert_array_equal(values(program, "out.weight"), expected)
    assert (
        "        with torch.no_grad():\n"
        "            self.out.weight += 1\n"
        "            self.out.weight[0, 0] = 42\n"
    ) in program.python()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ('"out.bias" = 3', [3, 3, 3]),
        ('"out.bias" += 1', [7, 7, 7]),
        ('"out.bias" -= 0.5', [5.5, 5.5, 5.5]),
        ('"out.bias" *= 2', [12, 12, 12]),
        ('"out.bias" /= 4', [1.5, 1.5, 1.5]),
        ('"out.bias"[1] = 0', [6, 0, 6]),
        ('"out.bias"[-1] = 0', [6, 6, 0]),
        ('"out.bias"[1:] = 0', [6, 0, 0]),
        ('"out.bias"[:-1] += 1', [7, 7, 6]),
        ('"out.bias"[::2] = 0', [0, 6, 0]),
        ('"out.bias"[...] = 1', [1, 1, 1]),
        ('"out.bias"[5:] = 0', [6, 6, 6]),
        ("Linear.bias += 1", [7, 7, 7]),
        ('"*.bias"[0] += 2 ** 3 - 1', [13, 6, 6]),
    ],
)
def test_each_edit(edit: str, expected: list[float]) -> None:
    assert bias(edit) == expected
    scope: dict[str, Any] = {}
    exec(sound(edited('"out.bias" ~ constant(6)', edit)).python(), scope)
    assert scope["A"]().out.bias.tolist() == expected


@pytest.mark.parametrize(
    ("index", "cut"),
    [
        ("[0]", np.s_[0]),
        ("[:, 1]", np.s_[:, 1]),
        ("[..., -2]", np.s_[..., -2]),
        ("[1:3, ::3]", np.s_[1:3, ::3]),
        ("[-2:, 0]", np.s_[-2:, 0]),
        ("[..., 1, :]", np.s_[..., 1, :]),
    ],
)
def test_an_index_is_numpys(index: str, cut: Any) -> None:
    program = sound(edited('"out.weight" ~ zeros', f'"out.weight"{index} = 5'))
    expected = np.zeros((3, 4), np.float32)
    expected[cut] = 5
    np.testing.assert_array_equal(values(program, "out.weight"), expected)
    scope: dict[str, Any] = {}
    exec(program.python(), scope)
    assert torch.equal(scope["A"]().out.weight.detach(), torch.from_numpy(expected))


def test_edits_are_made_in_order_and_after_all_initializers() -> None:
    assert bias('"out.bias" += 1', '"out.bias" *= 2') == [14, 14, 14]
    assert bias('"out.bias" *= 2', '"out.bias" += 1') == [13, 13, 13]
    program = sound(edited('"out.bias" += 1', '"out.bias" ~ ones'))
    assert values(program, "out.bias").tolist() == [2, 2, 2]


def test_an_edit_changes_what_is_written_at_the_layer_too() -> None:
    text = net("x |> out: Linear(3, bias ~ constant(2))")
    assert values(sound(edited('"out.bias" += 1', text=text)), "out.bias").tolist() == [3, 3, 3]


def test_an_edit_follows_a_defined_initializer() -> None:
    text = "init twos(w: [...]) {\n w ~ ones\n return w * 2\n}\n" + OUT
    program = sound(edited('"out.bias" ~ twos', '"out.bias"[0] += 1', text=text))
    assert values(program, "out.bias").tolist() == [3, 2, 2]


def test_an_edit_in_a_block_is_about_that_block() -> None:
    text = (
        'block Part(value = 1)(x: [N, D]) -> [N, D] {\n init { "fc.bias" = value }\n'
        " x |> fc: Linear(D)\n}\n" + net("x |> a: Part(3) |> b: Part(4) |> fc: Linear(4)")
    )
    program = sound(text)
    assert set(values(program, "a.fc.bias")) == {3}
    assert set(values(program, "b.fc.bias")) == {4}
    assert set(values(program, "fc.bias")) - {3, 4}


def test_an_edit_of_an_integer_constant_stays_one() -> None:
    text = net("const order: i64[4] ~ zeros\nx * order")
    program = sound(edited('"order"[1] = 3', '"order" -= 1', text=text))
    assert values(program, "order").tolist() == [-1, 2, -1, -1]


def test_truth_is_set() -> None:
    text = net("const flags: bool[4] ~ zeros\nwhere(flags, x, -x)")
    program = sound(edited('"flags"[::2] = true', text=text))
    assert values(program, "flags").tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("edit", "code", "place"),
    [
        ('"out.bias"[3] = 1', "bad-initializer", "3"),
        ('"out.bias"[-4] = 1', "bad-initializer", "-4"),
        ('"out.bias"[0, 0] = 1', "bad-initializer", "0, 0"),
        ('"out.weight"[..., 0, 0, 0] = 1', "bad-initializer", "..., 0, 0, 0"),
        ('"out.weight"[..., ...] = 1', "bad-initializer", '"out.weight"[..., ...] = 1'),
        ('"out.bias"[::-1] = 1', "bad-initializer", "::-1"),
        ('"out.bias"[0.5] = 1', "wrong-type", "0.5"),
        ('"out.bias"[0:true] = 1', "wrong-type", "true"),
        ('"out.bias" = relu', "wrong-type", "relu"),
        ('"out.bias" = "1"', "wrong-type", '"1"'),
        ('"out.bias" = true', "bad-initializer", "true"),
        ('"out.bias" = zeros', "wrong-type", "zeros"),
        ('"out.bias" /= 0', "bad-initializer", "0"),
        ('"out.bias" += 1e39', "bad-initializer", "1e39"),
        ('"out.bias"[0] ~ zeros', "bad-initializer", "0"),
        ('"outt.bias" += 1', "unused-pattern", '"outt.bias"'),
        ("Linear.bais += 1", "unknown-name", "bais"),
        ("Linaer.bias += 1", "unknown-name", "Linaer"),
        ("relu.bias = 1", "unknown-name", "bias"),
        ('"out.bias" += nothing', "unknown-name", "nothing"),
    ],
)
def test_what_cannot_be_is_an_error_at_its_place(edit: str, code: str, place: str) -> None:
    assert errors(edited(edit)) == [(code, place)]


@pytest.mark.parametrize(
    ("edit", "place"),
    [('"order" = 0.5', "0.5"), ('"order"[0] += 2 ** 40', "2 ** 40"), ('"order" = 300', "300")],
)
def test_a_value_that_the_dtype_cannot_hold(edit: str, place: str) -> None:
    text = net("const order: u8[4] ~ zeros\nx * order")
    assert errors(edited(edit, text=text)) == [("bad-initializer", place)]


def test_a_kind_that_the_net_does_not_use_is_no_error() -> None:
    sound(edited("Conv.bias += 1"))


def test_the_error_says_which_parameter_is_too_small() -> None:
    text = net("x |> a: Linear(8) |> b: Linear(3)")
    found = diagnostic(edited("Linear.bias[5] = 1", text=text))
    assert "index 5 is outside a dim of 3" in found.message
    assert [label.text for label in found.secondary] == ["b.bias is f32[3]"]
