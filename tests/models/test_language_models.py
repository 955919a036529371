"""GPT-2 and Llama are transformers' networks: names, values, gradients, ONNX, learning."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

import specc
from specc.testing.parity import OPSETS
from tests.models.agreement import (
    Inputs,
    Pair,
    assert_learns,
    assert_same_answers,
    assert_same_gradients,
    assert_same_in_onnx,
    assert_same_parameters,
    quiet,
)
from tests.models.references import transformers

VOCABULARY = 61
SIZES = ((1, 1), (2, 5), (5, 16))  # batch and length; 16 is all the positions that GPT-2 has here


def tokens(batch: int, length: int) -> Inputs:
    generator = torch.Generator().manual_seed(batch)
    return (torch.randint(0, VOCABULARY, (batch, length), generator=generator),)


def logits(result: Any) -> Any:
    return result.logits


@cache
def gpt2() -> Pair:
    library = transformers()
    config = library.GPT2Config(
        vocab_size=VOCABULARY, n_positions=16, n_embd=24, n_layer=2, n_head=3, **_EDGES
    )
    program = specc.compile("std.gpt2", vocab=VOCABULARY, positions=16, width=24, layers=2, heads=3)
    return _pair(program, quiet(lambda: library.GPT2LMHeadModel(config)))


def llama(groups: int) -> Pair:
    library = transformers()
    config = library.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=groups,
        rms_norm_eps=1e-5,
        **_EDGES,
    )
    program = specc.compile(
        "std.llama", vocab=VOCABULARY, width=32, layers=2, heads=4, groups=groups, hidden=40
    )
    return _pair(program, quiet(lambda: library.LlamaForCausalLM(config)))


_EDGES = {"bos_token_id": 0, "eos_token_id": 0}  # the library warns of the usual ones


def _pair(program: specc.Program, reference: torch.nn.Module) -> Pair:
    # What starts at zero or one would hide a parameter that is used in the wrong place.
    generator = torch.Generator().manual_seed(1)
    for parameter in reference.parameters():
        parameter.data += torch.randn(parameter.shape, generator=generator) * 0.2
    return Pair(program, reference, [tokens(*size) for size in SIZES], logits)


PAIRS: dict[str, Callable[[], Pair]] = {
    "gpt2": gpt2,
    "llama": cache(lambda: llama(4)),
    "llama with grouped queries": cache(lambda: llama(2)),
}
every_pair = pytest.mark.parametrize("name", PAIRS)


@every_pair
def test_parameters_are_the_references(name: str) -> None:
    assert_same_parameters(PAIRS[name]())


@every_pair
def test_answers_are_the_references(name: str) -> None:
    assert_same_answers(PAIRS[name]())


@every_pair
def test_gradients_are_the_references(name: str) -> None:
    assert_same_gradients(PAIRS[name]())


@pytest.mark.parametrize("opset", OPSETS)
@every_pair
def test_one_onnx_file_answers_at_every_size(name: str, opset: int) -> None:
    assert_same_in_onnx(PAIRS[name](), opset)


@every_pair
def test_the_loss_falls(name: str) -> None:
    (batch,) = tokens(5, 12)
    assert_learns(PAIRS[name]().program, (batch[:, :-1],), batch[:, 1:], lr=1e-2)


def test_gpt2_answers_no_text_that_is_longer_than_its_positions() -> None:
    with pytest.raises(ValueError, match="16 >= T"):
        gpt2().module()(*tokens(1, 17))


def test_a_tied_weight_is_one_parameter_under_two_names() -> None:
    assert "lm_head.weight" in gpt2().reference.state_dict()
    assert "lm_head.weight" not in gpt2().module().state_dict()
    assert "lm_head.weight" not in {
        tensor.name for tensor in gpt2().program.onnx().graph.initializer
    }
