"""Calls of operators whose arguments need more than positions and names of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.elaborate.specs import agrees, errors, net, sound

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
