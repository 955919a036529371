"""Calls of operators whose arguments need more than positions and names of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.elaborate.specs import agrees, errors, net, results, sound

HEADS = """
block Heads(heads: int)(x: [N, T, D]) -> [N, T, D] {
    q, k, v = x |> Linear(3 * D) |> rearrange("n t (s h d) -> s n h t d", s=3, h=heads)
    y = softmax(q @ rearrange(k, "n h t d -> n h d t"), dim=-1) @ v
    return y |> rearrange("n h t d -> n t (h d)")
}
"""


def test_sizes_of_axes_are_keywords_of_any_name(tmp_path: Path) -> None:
    program = sound(f"{HEADS}net A(x: [N, T, 24]) = x |> a: Heads(2) |> b: Heads(4)\n")
    assert ".unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)" in program.python()
    agrees(program, tmp_path)


def test_a_pattern_is_a_layer_of_a_list() -> None:
    sound(net('x |> [Linear(6), rearrange("n (a b) -> n b a", a=2)]'))


@pytest.mark.parametrize(
    ("use", "code", "at"),
    [
        ('rearrange("n (a b) -> n a b", a=3)', "size-mismatch", "a=3"),
        ('rearrange("n (a b) -> n a b", c=3, a=2)', "bad-argument", "c=3"),
        ('rearrange("n (a b) -> n a b", a=0.5)', "bad-argument", "a=0.5"),
        ('rearrange("n (a b) -> n a b")', "bad-argument", '"n (a b) -> n a b"'),
        ('rearrange("n a b -> n a b")', "rank-mismatch", 'rearrange("n a b -> n a b")'),
        ('rearrange("n a -> n a", "b")', "too-many-arguments", '"b"'),
        ("rearrange(a=1)", "missing-argument", "rearrange(a=1)"),
        ("relu(a=1)", "unknown-argument", "a=1"),
    ],
)
def test_what_is_wrong_is_shown_where_it_is(use: str, code: str, at: str) -> None:
    assert errors(net(f"x |> {use}")) == [(code, at)]


# ---- optional inputs -----------------------------------------------------------------------------

MASKED = "(x: [N, 2, T, 4], m: bool[N, 1, T, T])"


def test_an_optional_input_is_given_by_keyword(tmp_path: Path) -> None:
    program = sound(net("attention(x, x, x, mask=m)", MASKED))
    assert "F.scaled_dot_product_attention(x, x, x, attn_mask=m)" in program.python()
    agrees(program, tmp_path)


def test_none_is_its_absence() -> None:
    program = sound(net("attention(x, x, x, mask=none, causal=m == none)", MASKED))
    assert "F.scaled_dot_product_attention(x, x, x)" in program.python()


@pytest.mark.parametrize(
    ("use", "code", "at"),
    [
        ("attention(x, x, x, m, mask=m)", "repeated-argument", "mask=m"),
        ("(x, x, x) |> attention(mask=m)", "wrong-type", "mask=m"),
        ("attention(x, x, mask=m)", "wrong-type", "mask=m"),
        ("attention(x, x, x, mask=3)", "wrong-type", "mask=3"),
        ("attention(x, x)", "wrong-input-count", "attention(x, x)"),
    ],
)
def test_an_optional_input_out_of_place_is_refused(use: str, code: str, at: str) -> None:
    assert errors(net(use, MASKED)) == [(code, at)]


# ---- numbers that differ between uses of a block -------------------------------------------------


@pytest.mark.parametrize("index", ["i64[]", "i64[3]", "i64[3, 2]"])
def test_take_along_a_dim_that_is_a_hyperparameter(index: str, tmp_path: Path) -> None:
    take = "block Take(d: int)(x: [3, 4, 5], i: i64[...]) = take(x, i, d)\n"
    header = f"(x: [3, 4, 5], i: {index})"
    program = sound(f"{take}net A{header} {{\nreturn Take(1)(x, i), Take(2)(x, i)\n}}\n")
    agrees(program, tmp_path)


def test_an_input_of_a_block_may_be_given_by_its_name(tmp_path: Path) -> None:
    block = "block Both(x: [N, 4], m: [N, 4]) = x - 2 * m\n"
    program = sound(block + net("Both(x, m=y)", "(x: [N, 4], y: [N, 4])"))
    agrees(program, tmp_path)
    x, y = torch.randn(2, 3, 4)
    (given,) = results(program.module(), x, y)
    torch.testing.assert_close(given, x - 2 * y)
