"""What is measured on both sides is the same network."""

from __future__ import annotations

import pytest
import torch

from bench.measure import ROOT
from bench.resnet_by_hand import ResNet152
from specc import compile


@pytest.mark.slow
def test_resnet152_by_hand_is_the_spec() -> None:
    compiled = compile(ROOT / "bench/specs/resnet152.net").module()
    by_hand = ResNet152()
    by_hand.load_state_dict(compiled.state_dict())
    x = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(compiled.eval()(x), by_hand.eval()(x), rtol=0, atol=0)
