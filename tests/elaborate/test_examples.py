"""The examples of the language's page are sound, and onnxruntime agrees with PyTorch on each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.elaborate.specs import agrees, sound

PAGE = Path(__file__).resolve().parents[2] / "docs" / "language.md"
EXAMPLES = re.findall(r"^```net\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)

# As one meets them in lectures and papers, beside those of the page.
MORE = {
    "fixed hidden layer": """
        net FixedHidden(x: [N, 20]) -> [] {
            const rand_weight: [20, 20] ~ uniform(0, 1)
            linear = Linear(20)
            x = linear(x)
            x = relu(x @ rand_weight + 1)
            x = linear(x)
            return sum(x)
        }""",
    "initializers": """
        init sparse_uniform(limit = 10, keep = 5)(w: [...]) {
            w ~ uniform(-limit, limit)
            return w * (abs(w) >= keep)
        }
        net Example(depth = 12)(x: [N, 8, 16, 16]) -> [N, 10] {
            init { "**.conv.weight" ~ normal(std = 0.02 / (2 * depth) ** 0.5) }
            x |> features: [conv: Conv(16, 3), relu] |> flatten
              |> hidden: Linear(32) |> relu |> out: Linear(10)
        }
        init {
            Linear.weight       ~ normal(std=0.01)
            Linear.bias         ~ zeros
            "out.weight"        ~ sparse_uniform
            "hidden.weight"     += 1
            "hidden.weight"[0, 0] = 42
        }""",
    "centred layer": """
        block Centered(x: [...]) = x - mean(x)
        net A(x: [N, 8]) -> [N, 16] { x |> Linear(16) |> Centered }""",
    "nested blocks": """
        block Part(x: [N, D]) -> [N, 4] { x |> [Linear(8), relu, Linear(4), relu] }
        block Parts(repeats: int) = ["part{i}": Part for i in 0..repeats]
        net A(x: [N, 4]) -> [N, 1] { x |> Parts(4) |> Linear(1) }""",
    "attention": """
        block Heads(heads: int)(x: [N, T, D]) -> [N, T, D] {
            assert D % heads == 0, "width {D} cannot be split into {heads} heads"
            q, k, v = x |> qkv: Linear(3 * D) |> reshape(N, T, 3, heads, D // heads)
                        |> permute(2, 0, 3, 1, 4)
            const causal: [T, T] = tril(ones(T, T))
            scores = where(causal > 0, q @ transpose(k, -2, -1) / (D / heads) ** 0.5, -1e9)
            y = softmax(scores, dim=-1) @ v
            return y |> permute(0, 2, 1, 3) |> reshape(N, T, D) |> proj: Linear(D)
        }
        net A(x: [N, T, 8]) -> [N, T, 8] {
            for i in 0..2 { x = x + (x |> LayerNorm |> Heads(2 ** (i + 1))) }
            return x
        }""",
    "inception": """
        block Inception(a: int, b: list, c: list, d: int)(x: [N, C, H, W]) -> [N, A, H, W] {
            x |> (
                branch1: [Conv(a, 1), relu],
                branch2: [Conv(b[0], 1), relu, Conv(b[1], 3, padding=1), relu],
                branch3: [Conv(c[0], 1), relu, Conv(c[1], 5, padding=2), relu],
                branch4: [MaxPool(3, stride=1, padding=1), Conv(d, 1), relu],
            ) |> concat(dim=1)
        }
        net A(x: [N, 3, H, W]) -> [N, 22, H, W] {
            x |> Inception(2, [3, 4], [1, 2], 3) |> Inception(4, [3, 8], [2, 4], 6)
        }""",
    "dense blocks": """
        def conv(channels) = [BatchNorm, relu, Conv(channels, 3, padding=1)]
        block Dense(convs: int, growth: int)(x: [N, C, H, W]) -> [N, C + convs*growth, H, W] {
            for i in 0..convs { x = (x, x |> "layer{i}": conv(growth)) |> concat(dim=1) }
            return x
        }
        net A(x: [N, 4, H, W]) -> [N, 3] {
            x |> Dense(2, 3) |> Dense(2, 3) |> AdaptiveAvgPool(1) |> flatten |> Linear(3)
        }""",
}


@pytest.mark.parametrize("text", EXAMPLES + [pytest.param(t, id=n) for n, t in MORE.items()])
def test_an_example_agrees_on_both_targets(text: str, tmp_path: Path) -> None:
    for name in re.findall(r"^ *net (\w+)", text, re.MULTILINE):
        program = sound(text, {"H": 32, "W": 32}, net=name)
        assert program.warnings == ()
        agrees(program, tmp_path)
