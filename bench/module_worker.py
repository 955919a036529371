"""Times compiled modules beside others' classes; a process of its own, since it imports torch.

Prints JSON: for each network and mode, seconds a call in each round, of three sides. The third is a
second copy of the network that is not compiled: what it differs by is noise.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import specc
from bench import by_hand

_SAMPLE = 0.03
"""Seconds that one sample lasts at least, so that the clock and one interrupt weigh little."""


@dataclass(frozen=True)
class Subject:
    """A network on both sides, and a batch with its targets; ``bound`` on max|a - b| / max|b|."""

    compiled: nn.Module
    reference: Callable[[], nn.Module]
    x: Tensor
    y: Tensor
    bound: float = 0.0


# Name: the spec, the class by hand, and the dims of the batch.
_BY_HAND: dict[str, tuple[str, type[nn.Module], tuple[int, ...]]] = {
    "LeNet": ("specs/lenet.net", by_hand.LeNet, (32, 1, 28, 28)),
    "MLP": ("specs/mlp.net", by_hand.MLP, (32, 64)),
    "Conv12": ("bench/specs/conv12.net", by_hand.Conv12, (8, 3, 32, 32)),
}


def _written_by_hand() -> Iterator[tuple[str, Subject]]:
    for name, (spec, by_hand_class, dims) in _BY_HAND.items():
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(dims, generator=generator)
        y = torch.randint(10, (dims[0],), generator=generator)
        module = specc.compile(spec).module()

        yield name, Subject(module, partial(_filled, by_hand_class, module), x, y)


def _filled(made: type[nn.Module], module: nn.Module) -> nn.Module:
    """The same parameters in the same order, under other names."""
    network = made()
    pairs = zip(network.state_dict(), module.state_dict().values(), strict=True)
    network.load_state_dict({name: value.clone() for name, value in pairs})
    return network


def _published(tiny: bool) -> Iterator[tuple[str, Subject]]:
    from bench import published

    for name, network in (published.TINY if tiny else published.NETWORKS).items():
        program, reference = network.pair()
        module = program.module()
        module.load_state_dict(published.state(reference))
        x = network.inputs()
        answer = x.shape[:1] if x.is_floating_point() else x.shape
        y = torch.randint(network.classes, answer, generator=torch.Generator().manual_seed(1))
        yield name, Subject(module, partial(copy.deepcopy, reference), x, y, bound=1e-5)


def main() -> None:
    """Measures every network, forward and training step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    subjects = _published(options.tiny) if options.published else _written_by_hand()
    print(json.dumps({name: _measure(one, options.rounds) for name, one in subjects}))


def _measure(subject: Subject, rounds: int) -> dict[str, dict[str, list[float]]]:
    modules = {
        "compiled": subject.compiled,
        "reference": subject.reference(),
        "reference again": subject.reference(),
    }
    with torch.no_grad():
        expected = modules["reference"].eval()(subject.x)
        for module in modules.values():
            apart = (module.eval()(subject.x) - expected).abs().max() / expected.abs().max()
            assert apart <= subject.bound, f"they differ by {apart}"
    gc.freeze()  # all that the imports made: to look through it takes longer than a sample
    forward = {side: partial(_forward, m.eval(), subject.x) for side, m in modules.items()}
    measured = {"forward": _in_turns(forward, rounds)}
    steps = {side: partial(_step(m), subject.x, subject.y) for side, m in modules.items()}
    return measured | {"training step": _in_turns(steps, rounds)}


@torch.inference_mode()
def _forward(module: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = module(x)
    return result


def _step(module: nn.Module) -> Callable[[Tensor, Tensor], None]:
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        logits = module(x)
        F.cross_entropy(logits.flatten(0, -2), y.flatten()).backward()
        optimizer.step()

    return step


def _in_turns(actions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds a call. The order changes from round to round, so that none is always the first."""
    calls = _calls(next(iter(actions.values())))
    for action in actions.values():
        _sample(action, calls)
    taken: dict[str, list[float]] = {side: [] for side in actions}
    sides = list(actions)
    for _ in range(rounds):
        for side in sides:
            taken[side].append(_sample(actions[side], calls))
        sides = sides[1:] + sides[:1]
    return taken


def _calls(action: Callable[[], Any]) -> int:
    calls = 1
    while _sample(action, calls) * calls < _SAMPLE:
        calls *= 2
    return calls


def _sample(action: Callable[[], Any], calls: int) -> float:
    gc.collect()
    start = time.perf_counter()
    for _ in range(calls):
        action()
    return (time.perf_counter() - start) / calls


if __name__ == "__main__":
    main()
