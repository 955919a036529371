"""``scan``: what it names, what it gives, and the uses of it that are wrong."""

from __future__ import annotations

import pytest

from tests.elaborate.specs import errors, sound

CELLS = """
block Cell(x: [N, D], h: [N, H]) -> [N, H] { (x |> Linear(H)) + h }
block Wider(x: [N, D], h: [N, H]) -> [N, H2] { (x, h) |> concat(dim=1) }
block Two(x: [N, D], h: [N, H], c: [N, H]) -> [N, H] { h + c + mean(x) }
block Scalar(x: [N], h: []) -> [] { mean(x) + h }
"""


def names(text: str) -> list[str]:
    return list(sound(CELLS + text).module().state_dict())


def test_a_cell_that_is_made_in_place_is_named_after_its_kind() -> None:
    text = """
net Named(x: [N, T, 4]) -> ([N, T, 5], [N, 5]) {
    scan(Cell(), x, zeros(N, 5), dim=1)
}"""
    assert names(text) == ["cell1.linear1.weight", "cell1.linear1.bias"]


def test_a_cell_that_is_bound_has_its_name_and_is_shared_by_all_that_apply_it() -> None:
    text = """
net Named(x: [N, T, 4]) -> ([N, T, 5], [N, 5]) {
    recurrent = Cell()
    h = recurrent(x[:, 0], zeros(N, 5))
    scan(recurrent, x, h, dim=1)
}"""
    assert names(text) == ["recurrent.linear1.weight", "recurrent.linear1.bias"]


def test_a_constructor_is_called_with_its_defaults_once_for_all_steps() -> None:
    text = """
net Named(x: [N, T, 4]) -> ([N, T, 5], [N, 5]) {
    scan(cell=Cell, x=x, states=zeros(N, 5), dim=1)
}"""
    assert names(text) == ["cell1.linear1.weight", "cell1.linear1.bias"]


def test_blocks_that_scan_share_one_template() -> None:
    text = """
block Layer(width: int)(x: [N, T, D]) -> [N, T, width] {
    ys, _h = scan(Cell(), x, zeros(N, width), dim=1)
    return ys
}
net Deep(x: [N, T, 4], short: [N, 7, 3]) -> ([N, T, 6], [N, 7, 2]) {
    x |> Layer(5) |> Layer(6), short |> Layer(2)
}"""
    program = sound(CELLS + text)
    assert [template.name for template in program.network.templates].count("Layer") == 1


def test_a_scan_inside_a_loop_applies_a_layer_from_before_it() -> None:
    text = """
net Looped(x: [N, T, 5]) -> [N, 5] {
    cell = Cell()
    h = zeros(N, 5)
    while sum(abs(h)) < 1 {
        _ys, h = scan(cell, x + 1, h, dim=1)
        h = h + 1
    }
    return h
}"""
    assert names(text) == ["cell.linear1.weight", "cell.linear1.bias"]


WRONG = {
    "a state that changes its shape": (
        "scan(Wider(), x, zeros(N, 4), dim=1)",
        "carried-mismatch",
        "Wider()",
    ),
    "too few states": ("scan(Two(), x, zeros(N, 4), dim=1)", "wrong-input-count", "Two()"),
    "too many states": (
        "scan(Cell(), x, (zeros(N, 4), zeros(N, 4)), dim=1)",
        "wrong-input-count",
        "Cell()",
    ),
    "a state that is not given back": (
        "scan(Two(), x, (zeros(N, 4), zeros(N, 4)), dim=1)",
        "wrong-result-count",
        "Two()",
    ),
    "a dim that is not there": ("scan(add, x, zeros(N, 4), dim=3)", "bad-argument", "dim=3"),
    "a dim that is no int": ("scan(add, x, zeros(N, 4), dim=1.0)", "wrong-type", "dim=1.0"),
    "no dim": ("scan(add, x, zeros(N, 4))", "missing-argument", "scan(add, x, zeros(N, 4))"),
    "a cell that is no layer": ("scan(3, x, zeros(N, 4), dim=1)", "not-a-layer", "3"),
    "a state that is no tensor": ("scan(add, x, 0, dim=1)", "wrong-type", "0"),
    "a sequence that is no tensor": ("scan(add, 2, x, dim=1)", "wrong-type", "2"),
    "a fourth argument without a name": (
        "scan(add, x, zeros(N, 4), 1, dim=1)",
        "too-many-arguments",
        "1",
    ),
    "an argument that it does not have": (
        "scan(add, x, zeros(N, 4), dim=1, reversed=true)",
        "unknown-argument",
        "reversed=true",
    ),
    "a direction that is no bool": (
        "scan(add, x, zeros(N, 4), dim=1, reverse=1)",
        "wrong-type",
        "reverse=1",
    ),
    "a direction that depends on a tensor": (
        "scan(add, x, zeros(N, 4), dim=1, reverse=sum(x) > 0)",
        "wrong-type",
        "reverse=sum(x) > 0",
    ),
    "an unknown name for a direction": (
        "scan(add, x, zeros(N, 4), dim=1, reverse=backwards)",
        "unknown-name",
        "backwards",
    ),
    "an unknown name for a dim": (
        "scan(add, x, zeros(N, 4), dim=last)",
        "unknown-name",
        "last",
    ),
    "an argument twice": (
        "scan(add, x, zeros(N, 4), x=x, dim=1)",
        "repeated-argument",
        "x=x",
    ),
    "an initializer": (
        "scan(add, x, zeros(N, 4), w ~ ones, dim=1)",
        "unknown-argument",
        "w ~ ones",
    ),
    "a sequence without entries": (
        "scan(add, empty, zeros(N, 4), dim=1)",
        "size-mismatch",
        "empty",
    ),
    "sequences of two lengths": (
        "scan(Two(), (x, other), zeros(N, 4), dim=1)",
        "shape-mismatch",
        "other",
    ),
    "entries that cannot be stacked along the dim": (
        "scan(Scalar(), x[:, :, 0], mean(x), dim=1)",
        "wrong-type",
        "Scalar()",
    ),
    "a cell made in a loop": (
        "scan(Cell(), x, zeros(N, 4), dim=1)",
        "layer-in-loop",
        "Cell()",
    ),
}


@pytest.mark.parametrize("use", WRONG)
def test_a_wrong_use_is_located(use: str) -> None:
    call, code, place = WRONG[use]
    body = f"ys = {call}[0]\n    return ys"
    if code == "layer-in-loop":
        body = f"y = x\n    while sum(y) > 0 {{ y = {call}[0] }}\n    return y"
    header = "net Wrong(x: [N, T, 4], other: [N, S, 4], empty: [N, 0, 4]) -> [...]"
    text = f"{CELLS}{header} {{\n    {body}\n}}"
    assert errors(text) == [(code, place)]
