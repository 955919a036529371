"""The published sizes of every model: how the spec is given each, and the reference made so.

References are made on the meta device: names and shapes, no values. So is a network of 70 billion
parameters in a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import nn

import specc
from tests.models.references import torchvision, transformers

Given = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """What a size is called where it was published, and the hyperparameters that give it."""

    name: str
    given: Given
    reference: Callable[[], nn.Module] | None = None


@dataclass(frozen=True)
class Model:
    """A spec under ``std`` and what it is held to.

    ``parts`` names, for each module of the reference, the classes, functions and tables that define
    the network; ``note`` says what has to be known to compare their lines with the spec's.
    """

    title: str
    spec: str
    sizes: tuple[Size, ...]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    note: str = ""


def programs(model: Model) -> Iterator[tuple[Size, specc.Program]]:
    """The spec, compiled at each size."""
    for size in model.sizes:
        yield size, program(model.spec, tuple(size.given.items()))


@cache
def program(spec: str, given: tuple[tuple[str, Any], ...]) -> specc.Program:
    """The spec at a size, compiled once."""
    return specc.compile(f"std.{spec}", hyperparameters=dict(given))


def parameters(of: specc.Program) -> int:
    """How many numbers are learnt: buffers are not, and a tied matrix counts once."""
    return sum(p.size for p in of.parameters() if p.role == "parameter")


def _vision(name: str, **given: Any) -> Size:
    """A size under the name that torchvision gives it."""
    return Size(name, given, lambda: _on_meta(getattr(torchvision(), name)))


def _gpt2(name: str, **given: int) -> Size:
    def make() -> nn.Module:
        names = {"width": "n_embd", "layers": "n_layer", "heads": "n_head"}
        library = transformers()
        config = library.GPT2Config(**{names[key]: value for key, value in given.items()})
        return library.GPT2LMHeadModel(config)

    return Size(name, given, lambda: _on_meta(make))


def _llama(name: str, **given: int) -> Size:
    def make() -> nn.Module:
        names = {
            "width": "hidden_size",
            "layers": "num_hidden_layers",
            "heads": "num_attention_heads",
            "groups": "num_key_value_heads",
            "hidden": "intermediate_size",
        }
        library = transformers()
        config = library.LlamaConfig(**{names[key]: value for key, value in given.items()})
        return library.LlamaForCausalLM(config)

    return Size(name, given, lambda: _on_meta(make))


def _on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


_VIT = "torchvision.models.vision_transformer"
_GPT2 = "transformers.models.gpt2.modeling_gpt2"
_LLAMA = "transformers.models.llama.modeling_llama"

MODELS = (
    Model(
        "AlexNet",
        "alexnet",
        (_vision("alexnet"),),
        {"torchvision.models.alexnet": ("AlexNet",)},
    ),
    Model(
        "AlexNet on two cards",
        "alexnet2012",
        (Size("AlexNet (2012)", {}),),
        note="Neither library has it. The tests compare it with one tower of `torch.nn` whose "
        "convolutions have two groups, as the paper's formulas say.",
    ),
    Model(
        "VGG",
        "vgg",
        tuple(
            _vision(f"vgg{depth}{suffix}", depth=depth, **given)
            for depth in (11, 13, 16, 19)
            for suffix, given in (("", {}), ("_bn", {"batch_norm": True}))
        ),
        {"torchvision.models.vgg": ("VGG", "make_layers", "cfgs")},
    ),
    Model(
        "ResNet",
        "resnet",
        tuple(_vision(f"resnet{depth}", depth=depth) for depth in (18, 34, 50, 101, 152)),
        {
            "torchvision.models.resnet": (
                *("conv3x3", "conv1x1"),
                *("BasicBlock", "Bottleneck", "ResNet"),
            )
        },
        "The reference's lines also make the variants with groups, wider bottlenecks and dilation.",
    ),
    Model(
        "ViT",
        "vit",
        (
            _vision("vit_b_16"),
            _vision("vit_b_32", patch=32),
            _vision("vit_l_16", width=1024, layers=24, heads=16),
            _vision("vit_l_32", patch=32, width=1024, layers=24, heads=16),
            _vision("vit_h_14", patch=14, width=1280, layers=32, heads=16),
        ),
        {_VIT: ("MLPBlock", "EncoderBlock", "Encoder", "VisionTransformer")},
        "The reference's lines also make a stem of convolutions and read the names of older files. "
        "Its attention is `torch.nn.MultiheadAttention`, whose lines are not counted; the spec "
        "writes it out.",
    ),
    Model(
        "GPT-2",
        "gpt2",
        (
            _gpt2("gpt2"),
            _gpt2("gpt2-medium", width=1024, layers=24, heads=16),
            _gpt2("gpt2-large", width=1280, layers=36, heads=20),
            _gpt2("gpt2-xl", width=1600, layers=48, heads=25),
        ),
        {
            "transformers.pytorch_utils": ("Conv1D",),
            _GPT2: (
                *("eager_attention_forward", "GPT2Attention", "GPT2MLP", "GPT2Block"),
                *("GPT2PreTrainedModel", "GPT2Model", "GPT2LMHeadModel"),
            ),
        },
        "The reference's lines also keep keys and values between calls, attend to an encoder, "
        "choose among attention kernels, and compute the loss.",
    ),
    Model(
        "Llama",
        "llama",
        (
            _llama("Llama-2-7b-hf"),
            _llama("Llama-2-13b-hf", width=5120, layers=40, heads=40, hidden=13824),
            _llama("Llama-2-70b-hf", width=8192, layers=80, heads=64, groups=8, hidden=28672),
        ),
        {
            _LLAMA: (
                *("LlamaRMSNorm", "LlamaRotaryEmbedding", "rotate_half", "apply_rotary_pos_emb"),
                *("LlamaMLP", "repeat_kv", "eager_attention_forward", "LlamaAttention"),
                *("LlamaDecoderLayer", "LlamaPreTrainedModel", "LlamaModel", "LlamaForCausalLM"),
            )
        },
        "The reference's lines also keep keys and values between calls, choose among attention "
        "kernels and rotary scalings, and compute the loss.",
    ),
)

COURSE = (
    "linear_regression",
    "softmax_regression",
    "mlp",
    "fixed_hidden",
    "nested",
    "lenet",
    "rnn_scratch",
    "blocks",
)
"""The other specs, in the order in which one would read them."""
