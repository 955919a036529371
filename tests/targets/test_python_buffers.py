"""Buffers that a block sets, in layers that are shared, looped over and parts of others."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tests.elaborate.specs import agrees, sound

TEXT = """
block RunningMean(momentum = 0.1)(x: [N, C]) -> [N, C] {
    buffer average: [C] ~ zeros
    if training { average = (1 - momentum) * average + momentum * mean(x, dim=0) }
    return x - average
}
net A(x: [N, 4]) -> [N, 4] {
    shared = RunningMean(momentum=0.25)
    x = x |> shared |> relu |> shared |> alone: RunningMean
    while sum(abs(x)) > 3 { x = (x |> shared) / 2 }
    return x |> _: RunningMean(0.5)
}
"""


class RunningMean(nn.Module):
    average: Tensor

    def __init__(self, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("average", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.average = (1 - self.momentum) * self.average + self.momentum * x.mean(0)
        return x - self.average


class ByHand(RunningMean):
    """``turns`` counts the turns of the loop."""

    def __init__(self) -> None:
        super().__init__(0.5)
        self.shared, self.alone = RunningMean(0.25), RunningMean(0.1)
        self.turns = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.alone(self.shared(torch.relu(self.shared(x))))
        while x.abs().sum() > 3:
            x = self.shared(x) / 2
            self.turns += 1
        return super().forward(x)


def test_each_application_sets_what_the_next_one_reads(tmp_path: Path) -> None:
    program = sound(TEXT)
    agrees(program, tmp_path)
    ours, theirs = program.module().train(), ByHand().train()
    assert set(ours.state_dict()) == set(theirs.state_dict())
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        x = torch.randn(6, 4, generator=generator) * 5 + 2
        torch.testing.assert_close(ours(x), theirs(x))
        for name, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], value)
    assert theirs.turns > 3
    x = torch.randn(6, 4, generator=generator)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
