"""Counts of parameters and multiply-adds against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import specc
from specc.ir.conditions import smallest_sizes
from specc.ir.dims import evaluate
from specc.summary.rows import rows_of, totals
from specc.targets.torch import TORCH_DTYPES

NETS = {
    "lenet": "std.lenet",
    "mlp": "std.mlp",
    "linear regression": "std.linear_regression",
    "grouped, strided, dilated": """net C(x: [N, 4, 17, 19]) -> [...] {
        x |> Conv(8, 3, stride=2, groups=2) |> Conv(6, [3, 1], dilation=2, bias=false)
          |> Conv(6, 2, groups=6, padding="valid")
    }""",
    "one and three dims": """net D(x: [N, 3, L], y: [N, 2, 5, 6, 7]) -> ([...], [...]) {
        return x |> Conv(4, 3), y |> Conv(3, [1, 2, 3], stride=2)
    }""",
    "sequences and products": """net P(x: [N, T, 8]) -> [N, T, T] {
        q, k = x |> Linear(6), x |> Linear(6, bias=false)
        q @ transpose(k, 1, 2)
    }""",
    "shared": """net S(vocab = 11)(x: i64[N, T]) -> [N, T, vocab] {
        embed = Embedding(vocab, 4)
        step = Linear(4)
        embed(x) |> step |> relu |> step |> Linear(vocab, bias=false, weight=embed.weight)
    }""",
    "normalized": """net B(x: [N, 3, 10, 10]) -> [...] {
        x |> Conv(4, 3) |> BatchNorm |> relu |> MaxPool(2) |> flatten(start_dim=2) |> LayerNorm
    }""",
    "own parameters": """net O(x: [N, 5]) -> [N, 3] {
        param weight: [5, 3] ~ normal
        const shift: [3] ~ uniform(0, 1)
        x @ weight + shift
    }""",
}


@pytest.mark.parametrize("name", NETS)
def test_counts_agree_with_pytorch(name: str) -> None:
    program = specc.compile(NETS[name])
    sums = totals(program.network, rows_of(program.network))
    module = program.module().eval()
    assert sums.parameters == sum(p.numel() for p in module.parameters())
    assert sums.parameters == sum(row.parameters for row in rows_of(program.network))
    state = module.state_dict(keep_vars=True).values()
    assert sums.fixed == sum(t.numel() for t in state if not isinstance(t, torch.nn.Parameter))

    sizes = smallest_sizes(program.network)
    assert sizes is not None
    sizes = {symbol: size + 2 for symbol, size in sizes.items()}
    inputs = [
        torch.zeros([evaluate(d, sizes) for d in p.type.shape], dtype=TORCH_DTYPES[p.type.dtype])
        for p in program.network.inputs
    ]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    assert evaluate(sums.multiply_adds, sizes) == counter.get_total_flops() // 2
    assert counter.get_total_flops() > 0


def test_lenet_is_lecuns() -> None:
    """The counts that the literature gives for this LeNet with sigmoids and average pooling."""
    program = specc.compile("std.lenet")
    sums = totals(program.network, rows_of(program.network))
    assert sums.parameters == 61_706
    convolutions = 25 * 6 * 28 * 28 + 25 * 6 * 16 * 10 * 10
    linear = 400 * 120 + 120 * 84 + 84 * 10
    assert evaluate(sums.multiply_adds, {"N": 1}) == convolutions + linear
