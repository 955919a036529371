"""Layers and parameters that are used more than once: one owner, one storage, one gradient."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.elaborate.specs import agrees, errors, inputs, names, net, results, sound

INNER = "block Inner(x: [N, D]) -> [N, D] { x |> Linear(D) |> relu }\n"
USE = "block Use(f: layer)(x: [N, D]) -> [N, D] { x |> f |> Linear(D) }\n"


# ---- layers --------------------------------------------------------------------------------------


def test_a_layer_that_is_applied_twice_is_one_layer() -> None:
    program = sound(net("h = Linear(4)\nx |> h |> relu |> h"))
    assert names(program) == ["h.weight", "h.bias"]
    module, (x,) = program.module(), inputs(program)
    expected = module.h(F.relu(module.h(x)))
    assert torch.equal(results(module, x)[0], expected)


def test_its_gradient_is_the_sum_over_its_uses() -> None:
    program = sound(net("h = Linear(4)\nx |> h |> relu |> h"))
    module, (x,) = program.module(), inputs(program)
    module(x).sum().backward()
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    for layer in (first, second):
        layer.load_state_dict(module.h.state_dict())
    second(F.relu(first(x))).sum().backward()
    expected = first.weight.grad + second.weight.grad
    torch.testing.assert_close(module.h.weight.grad, expected)


def test_a_list_that_is_applied_twice_is_one_layer() -> None:
    program = sound(net("h = [Linear(4), relu, BatchNorm]\nx |> h |> h"))
    assert len([name for name in names(program) if name.endswith("weight")]) == 2
    assert isinstance(program.module().h, nn.Sequential)


def test_branches_that_are_applied_twice_are_one_layer() -> None:
    program = sound(net("t = (Linear(4), Linear(4))\na, b = t(x)\nc, d = t(a)\nb + c + d"))
    assert len(names(program)) == 4


def test_a_block_is_applied_twice_at_different_sizes(tmp_path: Path) -> None:
    text = (
        "block B(x: [N, C, H, W]) -> [N, C, H, W] { x |> Conv(C, 3, padding=1) |> relu }\n"
        "net A(x: [N, 2, 8, 8]) -> [N, 2, 4, 4] {\n b = B()\n x |> b |> MaxPool(2) |> b\n}"
    )
    program = sound(text)
    assert names(program) == ["b.conv1.weight", "b.conv1.bias"]
    agrees(program, tmp_path)


def test_a_bare_constructor_in_a_shared_block_is_one_layer() -> None:
    text = "block B(x: [N, D]) -> [N, D] { x |> LayerNorm }\n"
    program = sound(text + net("b = B()\nx |> b |> b"))
    assert names(program) == ["b.layer_norm1.weight", "b.layer_norm1.bias"]


def test_a_constructor_of_a_block_makes_a_block_of_its_own_at_each_place() -> None:
    program = sound(INNER + net("x |> Inner |> Inner"))
    assert names(program)[::2] == ["inner1.linear1.weight", "inner2.linear1.weight"]


def test_layers_that_lists_have_in_common_are_shared() -> None:
    program = sound(net("body = [Linear(4), relu]\nx |> body |> body + [Linear(4)]"))
    assert names(program)[::2] == ["body.0.weight", "sequential1.2.weight"]
    assert program.network.aliases["sequential1.0.weight"] == "body.0.weight"


# ---- layers handed to blocks ---------------------------------------------------------------------


def test_a_layer_handed_to_two_blocks_belongs_to_the_first_to_apply_it(tmp_path: Path) -> None:
    program = sound(USE + net("h = Linear(4)\nx |> Use(h) |> Use(h)"))
    assert names(program)[::2] == ["use1.h.weight", "use1.linear1.weight", "use2.linear1.weight"]
    assert program.network.aliases["use2.h.weight"] == "use1.h.weight"
    agrees(program, tmp_path)


def test_a_layer_that_is_applied_before_it_is_handed_over_stays_outside(tmp_path: Path) -> None:
    program = sound(USE + net("h = Linear(4)\nh(x) |> Use(h)"))
    assert names(program)[::2] == ["h.weight", "use1.linear1.weight"]
    assert program.network.aliases == {
        "use1.h.weight": "h.weight",
        "use1.h.bias": "h.bias",
    }
    agrees(program, tmp_path)


def test_a_block_is_handed_to_blocks_with_all_that_it_owns(tmp_path: Path) -> None:
    program = sound(INNER + USE + net("h = Inner()\nh(x) |> Use(h)"))
    assert names(program)[::2] == ["h.linear1.weight", "use1.linear1.weight"]
    assert program.network.aliases["use1.h.linear1.weight"] == "h.linear1.weight"
    agrees(program, tmp_path)


def test_a_layer_reaches_blocks_within_blocks(tmp_path: Path) -> None:
    text = USE + "block Outer(f: layer)(x: [N, D]) -> [N, D] { x |> Use(f) |> Use(f) }\n"
    program = sound(text + net("h = Linear(4)\nx |> h |> Outer(h) |> Outer(h)"))
    assert sum(name.endswith("weight") for name in names(program)) == 5
    assert len({id(p) for p in program.module().parameters()}) == len(names(program))
    agrees(program, tmp_path)


def test_a_checkpoint_may_hold_a_shared_layer_under_its_other_names() -> None:
    program = sound(USE + net("h = Linear(4)\nx |> Use(h) |> Use(h)"))
    module = program.module()
    state = module.state_dict()
    state |= {alias: state[owner] for alias, owner in program.network.aliases.items()}
    module.load_state_dict(state)


# ---- parameters ----------------------------------------------------------------------------------

TIED = """
net Tied(vocab = 10, width = 6)(x: i64[N, T]) -> [N, T, vocab] {
    embed = Embedding(vocab, width)
    return embed(x) |> Linear(width) |> gelu |> out: Linear(vocab, bias=false, weight=embed.weight)
}
"""


def test_a_borrowed_weight_is_one_tensor_with_two_names(tmp_path: Path) -> None:
    program = sound(TIED)
    assert names(program) == ["embed.weight", "linear1.weight", "linear1.bias"]
    assert program.network.aliases == {"out.weight": "embed.weight"}
    model = agrees(program, tmp_path)
    assert sorted(tensor.name for tensor in model.graph.initializer if "weight" in tensor.name) == [
        "embed.weight",
        "linear1.weight",
    ]


def test_a_borrowed_weight_has_the_sum_of_both_gradients() -> None:
    program = sound(TIED)
    module = program.module()
    x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    module(x).square().sum().backward()
    table = module.embed.weight.detach().clone().requires_grad_()
    again = module.embed.weight.detach().clone().requires_grad_()
    hidden = F.gelu(module.linear1(F.embedding(x, table)))
    F.linear(hidden, again).square().sum().backward()
    torch.testing.assert_close(module.embed.weight.grad, table.grad + again.grad)


def test_a_path_reaches_into_a_block(tmp_path: Path) -> None:
    text = (
        "block Encoder(v: int)(x: i64[N, T]) -> [N, T, 6] { x |> wte: Embedding(v, 6) }\n"
        "net A(x: i64[N, T]) -> [N, T, 9] { enc = Encoder(9)\n"
        " x |> enc |> Linear(9, bias=false, weight=enc.wte.weight) }"
    )
    program = sound(text)
    assert program.network.aliases == {"linear1.weight": "enc.wte.weight"}
    agrees(program, tmp_path)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("enc.layers[0].weight", "enc.layers.0.weight"),
        ("enc.layers[2].weight", "enc.layers.mid.weight"),
        ("enc.layers.mid.weight", "enc.layers.mid.weight"),
        ("enc.layers[3][-1].fc.weight", "enc.layers.3.1.fc.weight"),
        ("enc.layers[4][1].weight", "enc.layers.4.1.weight"),
    ],
)
def test_a_path_reaches_into_lists_as_into_nn_sequential(
    path: str, owner: str, tmp_path: Path
) -> None:
    text = (
        "block Part(x: [N, D]) -> [N, D] { x |> fc: Linear(D) |> relu }\n"
        "block Encoder(x: [N, D]) -> [N, D] {\n"
        " one = Linear(D)\n"
        " a, b = x |> layers: [Linear(D), relu, mid: Linear(D), [relu, Part], (Linear(D), one)]\n"
        " return a + b\n}\n"
        "net A(x: [N, 4]) -> [N, 4] {\n enc = Encoder()\n y = enc(x)\n"
        f" return y |> Linear(4, weight={path})\n}}"
    )
    program = sound(text)
    assert program.network.aliases["linear1.weight"] == owner
    agrees(program, tmp_path)


def test_an_index_that_a_list_of_layers_has_not_is_located() -> None:
    text = (
        "block Encoder(x: [N, D]) -> [N, D] { x |> layers: [Linear(D), relu] }\n"
        "net A(x: [N, 4]) -> [N, 4] {\n enc = Encoder()\n"
        " enc(x) |> Linear(4, weight=enc.layers[I].weight)\n}"
    )
    assert errors(text.replace("[I]", "[2]")) == [("bad-value", "2")]
    assert errors(text.replace("[I]", "[-3]")) == [("bad-value", "-3")]
    assert errors(text.replace("[I]", "[1]")) == [("unknown-name", "weight")]
    assert errors(text.replace("enc.layers[I]", "enc[0]")) == [("wrong-type", "enc[0]")]


def test_a_parameter_is_handed_to_a_block(tmp_path: Path) -> None:
    text = (
        "block Head(table)(x: [N, 6]) -> [N, 9] {"
        " x |> out: Linear(9, bias=false, weight=table) }\n"
        "net A(x: i64[N]) -> [N, 9] { e = Embedding(9, 6)\n x |> e |> Head(table=e.weight) }"
    )
    program = sound(text)
    assert program.network.aliases == {"head1.out.weight": "e.weight"}
    agrees(program, tmp_path)


def test_a_parameter_is_used_transposed(tmp_path: Path) -> None:
    text = (
        "net A(x: i64[N]) -> [N, 9] { e = Embedding(9, 6)\n"
        " y = x |> e\n y @ transpose(e.weight, 0, 1) }"
    )
    program = sound(text)
    module, (x,) = program.module(), inputs(program)
    table = module.e.weight
    torch.testing.assert_close(results(module, x)[0], table[x] @ table.T)
    agrees(program, tmp_path)


def test_what_is_borrowed_can_be_lent_on(tmp_path: Path) -> None:
    text = (
        "net A(x: i64[N]) -> [N, 6] { e = Embedding(6, 6)\n y = x |> e\n"
        " a = Linear(6, bias=false, weight=e.weight)\n y = a(y)\n"
        " return y |> b: Linear(6, bias=false, weight=a.weight) }"
    )
    program = sound(text)
    assert program.network.aliases == {"a.weight": "e.weight", "b.weight": "e.weight"}
    agrees(program, tmp_path)


def test_a_block_lends_its_own_parameter(tmp_path: Path) -> None:
    program = sound(net("param w: [4, 4] ~ normal\nx @ w |> a: Linear(4, weight=w)"))
    assert program.network.aliases == {"a.weight": "w"}
    agrees(program, tmp_path)


# ---- what cannot be shared -----------------------------------------------------------------------


def test_a_weight_of_another_shape_is_refused_where_it_is_given() -> None:
    text = "e = Embedding(9, 6)\nx |> e |> Linear(8, bias=false, weight=e.weight)"
    found = errors(net(text, "(x: i64[N])"))
    assert found == [("size-mismatch", "weight=e.weight")]


def test_a_layer_that_was_not_applied_has_no_parameters_to_lend() -> None:
    text = "e = Embedding(9, 4)\nx |> Linear(9, bias=false, weight=e.weight)"
    assert errors(net(text)) == [("bad-sharing", "weight")]


def test_only_parameters_are_lent() -> None:
    assert errors(net("x |> Linear(4, weight=3)")) == [("wrong-type", "weight=3")]
    assert errors(net("x |> Linear(4, weight=x)")) == [("wrong-type", "weight=x")]


def test_a_shared_layer_cannot_serve_two_widths() -> None:
    text = net("h = Linear(8)\ny = x |> h\ny |> h")
    assert errors(text) == [("bad-sharing", "h")]


def test_a_shared_block_cannot_hold_different_layers() -> None:
    text = "block B(x: [N, D]) -> [N, D] { x |> h: (relu if D == 4 else sigmoid) }\n" + net(
        "b = B()\ny = b(x)\n(y, x) |> concat(dim=1) |> b"
    )
    assert [code for code, _ in errors(text)] == ["bad-sharing"]


def test_a_shared_block_cannot_hold_parameters_of_two_shapes() -> None:
    text = "block B(x: [N, D]) -> [N, 3] { param w: [D, 3] ~ ones\n x @ w }\n" + net(
        "b = B()\ny = b(x)\ny + b((x, x) |> concat(dim=1))"
    )
    assert errors(text) == [("bad-sharing", "w")]


def test_a_shared_block_cannot_do_different_things() -> None:
    text = (
        "block B(x: [N, D]) -> [N, D] {\n if D == 4 { x = relu(x) }\n return x |> Dropout(0.5)\n}\n"
        + net("b = B()\ny = b(x)\n(y, x) |> concat(dim=1) |> b")
    )
    assert [code for code, _ in errors(text)] == ["bad-sharing"]


def test_a_tensor_reaches_a_block_as_an_input_alone() -> None:
    text = "block B(t = none)(x: [N, D]) -> [N, D] { x + t }\n" + net("x |> B(t=x)")
    assert errors(text) == [("wrong-type", "t")]
