"""Published implementations of networks that ship as specs, and inputs for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import specc
from tests.models.references import torchvision, transformers


@dataclass(frozen=True)
class Published:
    """A spec, the class that it is compared with, and a batch.

    ``reference`` takes the batch alone and returns a tensor of logits; ``dynamic`` names the axes
    of the input that vary.
    """

    spec: str
    reference: Callable[[], nn.Module]
    inputs: Callable[[], Tensor]
    dynamic: tuple[int, ...]
    classes: int
    hyperparameters: dict[str, Any] = field(default_factory=dict)

    def pair(self) -> tuple[specc.Program, nn.Module]:
        """The compiled program, and the reference in eval mode."""
        torch.manual_seed(0)
        return specc.compile(self.spec, **self.hyperparameters), self.reference().eval()


class _GPT2(nn.Module):
    """transformers' GPT-2 as a function of the tokens alone.

    Without dropout, which the two draw differently, and without the cache of a generation.
    """

    def __init__(self, **sizes: int) -> None:
        super().__init__()
        library = transformers()
        config = library.GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **sizes)
        self.model = library.GPT2LMHeadModel(config)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [N, T] to logits [N, T, vocabulary]."""
        logits: Tensor = self.model(tokens, use_cache=False).logits
        return logits


def state(reference: nn.Module) -> dict[str, Tensor]:
    """The reference's checkpoint, under its published names."""
    model = reference.model if isinstance(reference, _GPT2) else reference
    found: dict[str, Tensor] = model.state_dict()
    return found


def _images(count: int, size: int) -> Callable[[], Tensor]:
    return lambda: torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


def _tokens(count: int, length: int, vocabulary: int) -> Callable[[], Tensor]:
    return lambda: torch.randint(
        vocabulary, (count, length), generator=torch.Generator().manual_seed(0)
    )


def resnet(depth: int) -> nn.Module:
    """A ResNet of torchvision's, with 18, 34, 50, 101 or 152 layers."""
    network: nn.Module = getattr(torchvision(), f"resnet{depth}")(weights=None)
    return network


RESNET = Published(
    "std.resnet", lambda: resnet(50), _images(4, 224), (0, 2, 3), 1000, {"depth": 50}
)
GPT2 = Published("std.gpt2", _GPT2, _tokens(1, 64, 50257), (0, 1), 50257, {"dropout": 0.0})
NETWORKS = {"ResNet-50, 4 images": RESNET, "GPT-2 (124M), 64 tokens": GPT2}

# Of a size that only shows that everything runs.
TINY = {
    "ResNet-18": Published(
        "std.resnet", lambda: resnet(18), _images(2, 64), (0, 2, 3), 1000, {"depth": 18}
    ),
    "GPT-2": Published(
        "std.gpt2",
        lambda: _GPT2(vocab_size=61, n_positions=16, n_embd=24, n_layer=2, n_head=3),
        _tokens(2, 8, 61),
        (0, 1),
        61,
        {"vocab": 61, "positions": 16, "width": 24, "layers": 2, "heads": 3, "dropout": 0.0},
    ),
}
