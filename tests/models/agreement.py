"""What it means that a spec is the network of a published implementation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from specc.program import Program
from specc.targets.onnx import DEFAULT_OPSET

Inputs = tuple[Tensor, ...]

OUTPUT, GRADIENT, ONNX = 1e-5, 1e-4, 1e-4
"""Bounds on max|a - b| / max|b|, in f32."""


@dataclass(frozen=True)
class Pair:
    """A spec, its reference, and inputs of several sizes.

    ``answer`` picks the tensor to compare from what the reference returns.
    """

    program: Program
    reference: nn.Module
    inputs: Sequence[Inputs]
    answer: Callable[[Any], Tensor] = lambda result: result

    def module(self) -> nn.Module:
        """The compiled module with the reference's values, loaded strictly and by no name map."""
        module = self.program.module()
        module.load_state_dict(self.reference.state_dict(), strict=True)
        return module


def distance(ours: Tensor, theirs: Tensor) -> float:
    """max|a - b| / max|b|"""
    assert ours.shape == theirs.shape
    scale = theirs.abs().max().item()
    return (ours - theirs).abs().max().item() / (scale or 1.0)


def assert_same_parameters(pair: Pair) -> None:
    """The same parameters, to the last one, by name and shape."""
    network = pair.program.network
    ours = {p.name: p.type.shape for p in network.parameters if p.role == "parameter"}
    theirs = {name: tuple(p.shape) for name, p in pair.reference.named_parameters()}
    assert ours == theirs


def assert_same_answers(pair: Pair) -> None:
    """The reference's output in eval mode, at every size."""
    ours, theirs = pair.module().eval(), pair.reference.eval()
    with torch.no_grad():
        for inputs in pair.inputs:
            assert distance(ours(*inputs), pair.answer(theirs(*inputs))) < OUTPUT


def assert_same_gradients(pair: Pair) -> None:
    """The reference's gradient of every parameter, in eval mode."""
    ours, theirs = pair.module().eval(), pair.reference.eval()
    inputs = pair.inputs[-1]
    found, expected = ours(*inputs), pair.answer(theirs(*inputs))
    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(0))
    theirs.zero_grad()
    (found * direction).sum().backward()
    (expected * direction).sum().backward()
    gradients = {name: p.grad for name, p in ours.named_parameters()}
    for name, parameter in theirs.named_parameters():
        gradient = gradients[name]
        assert gradient is not None, name
        assert parameter.grad is not None, name
        assert distance(gradient, parameter.grad) < GRADIENT, name


def assert_same_buffers(pair: Pair) -> None:
    """What a forward in train mode leaves in the reference's buffers."""
    ours, theirs = pair.module().train(), pair.reference.train()
    before = {name: buffer.clone() for name, buffer in theirs.named_buffers()}
    with torch.no_grad():
        ours(*pair.inputs[-1])
        theirs(*pair.inputs[-1])
    buffers = dict(ours.named_buffers())
    assert buffers
    for name, buffer in theirs.named_buffers():
        assert not torch.equal(buffer, before[name]), name
        assert distance(buffers[name].double(), buffer.double()) < OUTPUT, name
    theirs.load_state_dict(before, strict=False)


def assert_same_in_onnx(pair: Pair, opset: int = DEFAULT_OPSET) -> None:
    """One file, which passes ONNX's checker, answers as the reference does at every size."""
    weights = pair.reference.state_dict()
    model = pair.program.onnx(weights=weights, opset=opset)
    onnx.checker.check_model(model, full_check=True)
    names = {tensor.name for tensor in model.graph.initializer}
    owned = {name for name, _ in pair.reference.named_parameters()}
    assert owned <= names, "an initializer has another name than the checkpoint's"
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    theirs = pair.reference.eval()
    for inputs in pair.inputs:
        feeds = {
            port.name: value.numpy()
            for port, value in zip(session.get_inputs(), inputs, strict=True)
        }
        with torch.no_grad():
            expected = pair.answer(theirs(*inputs))
        assert distance(torch.from_numpy(session.run(None, feeds)[0]), expected) < ONNX


def assert_learns(program: Program, inputs: Inputs, targets: Tensor, *, lr: float) -> None:
    """The loss on a fixed batch falls over 20 steps, by a tenth at least."""
    torch.manual_seed(0)
    module = program.module(seed=0).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=lr)
    losses = []
    for _ in range(20):
        logits = module(*inputs)
        loss = nn.functional.cross_entropy(logits.flatten(0, -2), targets.flatten())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.9 * losses[0], losses


def quiet(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A reference with values of its own initialization, made the same on every run."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        return make()
