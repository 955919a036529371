"""A parameter that a body declares and hands to the blocks in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import specc
from tests.elaborate.specs import agrees, errors, inputs, names, results, sound

BLOCKS = """
block Times(w)(x: [N, D]) { x @ w / 4 }
block Deep(w)(x: [N, D]) { x |> Linear(8) |> relu |> Times(w=w) }
"""

BODIES = {
    "a block": "return relu(x @ w) |> Times(w=w)",
    "a block of a block": "return x @ w |> Deep(w=w)",
    "no other use": "return x |> Times(w=w)",
    "one block twice": "d = Deep(w=w)\n    return x |> d |> d",
    "a list": "return x |> [Times(w=w), relu, [Deep(w=w), tanh]]",
    "a list of many": "return x |> [Deep(w=w) for i in 0..4]",
    "branches": "a, b = x |> (Times(w=w), relu)\n    return a + b",
    "branches in a list": "a, b = x |> [relu, (tanh, Times(w=w))]\n    return a * b",
    "a part of the body": "return x |> _: Deep(w=w)",
    "a loop": "t = Times(w=w)\n    while mean(abs(x)) > 0.2 { x = t(x) / 2 }\n    return x",
    "branches at run time": "t = Times(w=w)\n    if mean(x) > 0 { x = t(x) } else { x = t(-x) }\n"
    "    return t(x)",
}


def outer(body: str) -> str:
    return BLOCKS + "net A(x: [N, 8]) {\n    param w: [8, 8] ~ normal\n    " + body + "\n}\n"


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_it_is_one_parameter_of_the_body_that_declares_it(body: str, tmp_path: Path) -> None:
    program = sound(outer(body))
    assert names(program)[0] == "w"
    assert not [name for name in names(program) if name.endswith(".w")]
    assert next(iter(program.module().state_dict())) == "w"
    agrees(program, tmp_path)


def test_it_has_the_gradient_of_all_its_uses() -> None:
    program = sound(outer(BODIES["a list"]))
    module, (x,) = program.module(), inputs(program)
    weight = module.w.detach().clone().requires_grad_()
    deep = module.sequential1[2][0].linear1
    first = torch.relu(x @ weight / 4)
    expected = torch.tanh(torch.relu(deep(first)) @ weight / 4)
    torch.testing.assert_close(results(module, x)[0], expected)
    module(x).sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(module.w.grad, weight.grad)


def test_the_source_passes_it_as_one_would() -> None:
    source = sound(outer(BODIES["a block of a block"])).python()
    assert "def forward(self, x, w):\n        return x @ w / 4" in source
    assert "return self.deep1(x @ self.w, self.w)" in source


def test_a_block_in_a_block_lends_its_own(tmp_path: Path) -> None:
    program = sound(
        BLOCKS + "block Tied(x: [N, 8]) {\n    param w: [8, 8] ~ normal\n"
        "    return x @ w |> Deep(w=w)\n}\nnet A(x: [N, 8]) { x |> Tied |> Tied }\n"
    )
    assert [name for name in names(program) if name.endswith(".w")] == ["tied1.w", "tied2.w"]
    agrees(program, tmp_path)


def test_a_layer_borrows_it(tmp_path: Path) -> None:
    program = sound(
        "block Head(table)(h: [N, T, D]) { h @ transpose(table, 0, 1) }\n"
        "net A(x: i64[N, T]) {\n    param table: [20, 8] ~ normal\n"
        "    h = x |> Embedding(20, 8, weight=table) |> Linear(8)\n"
        "    return h |> Head(table=table)\n}\n"
    )
    assert names(program)[0] == "table"
    assert "embedding1.weight" in program.network.aliases
    agrees(program, tmp_path)


def test_a_scanned_block_has_it_at_every_step(tmp_path: Path) -> None:
    program = sound(
        "block Cell(w)(x: [N, 4], h: [N, 4]) {\n    h = tanh(x + h @ w)\n    return h, h\n}\n"
        "net A(x: [N, T, 4], h: [N, 4]) {\n    param w: [4, 4] ~ normal\n"
        "    ys, h = scan(Cell(w=w), x, h, dim=1)\n    return ys\n}\n"
    )
    assert names(program) == ["w"]
    agrees(program, tmp_path)


def test_it_is_moved_to_where_the_block_is() -> None:
    program = specc.compile(
        "device right = cuda:0 | cpu\n"
        + outer("return x |> (Times(w=w) on right) |> (Times(w=w) on right)")
    )
    assert program.python().count("self.w.to(self.right.device)") == 1


def test_it_is_lent_by_name() -> None:
    with pytest.raises(specc.SpecError, match=r"given by name: `w=\.\.\.`") as raised:
        specc.compile(outer("return x |> Times(w)"))
    assert [one.code for one in raised.value.diagnostics] == ["missing-argument"]


def test_one_of_another_shape_is_refused_where_it_is_used() -> None:
    ((code, place),) = errors(outer("return x[:, 0:4] |> Times(w=w)"))
    assert (code, place) == ("shape-mismatch", "x @ w")
