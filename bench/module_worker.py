"""Times compiled modules beside handwritten ones; a process of its own, since it imports torch.

Prints JSON: for each network and mode, seconds a call in each round, of three sides. The third is a
second copy of the handwritten network: what it differs by is noise.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import specc
from bench import by_hand

_SAMPLE = 0.03
"""Seconds that one sample lasts at least, so that the clock and one interrupt weigh little."""

# Name: the spec, the class by hand, and the dims of the batch.
NETWORKS: dict[str, tuple[str, type[nn.Module], tuple[int, ...]]] = {
    "LeNet": ("specs/lenet.net", by_hand.LeNet, (32, 1, 28, 28)),
    "MLP": ("specs/mlp.net", by_hand.MLP, (32, 64)),
    "Conv12": ("bench/specs/conv12.net", by_hand.Conv12, (8, 3, 32, 32)),
}


def main() -> None:
    """Measures every network, forward and training step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, required=True)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    gc.freeze()  # all that the imports made: to look through it takes longer than a sample
    print(json.dumps({name: _measure(name, rounds) for name in NETWORKS}))


def _measure(name: str, rounds: int) -> dict[str, dict[str, list[float]]]:
    spec, by_hand_class, dims = NETWORKS[name]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(dims, generator=generator)
    y = torch.randint(10, (dims[0],), generator=generator)
    modules = {
        "compiled": specc.compile(spec).module(),
        "by hand": by_hand_class(),
        "by hand again": by_hand_class(),
    }
    state = modules["compiled"].state_dict()
    for module in modules.values():
        # The same parameters in the same order, under other names.
        names = zip(module.state_dict(), state.values(), strict=True)
        module.load_state_dict({name: value.clone() for name, value in names})
        torch.testing.assert_close(module.eval()(x), modules["compiled"].eval()(x), rtol=0, atol=0)
    forward = {side: partial(_forward, module.eval(), x) for side, module in modules.items()}
    measured = {"forward": _in_turns(forward, rounds)}
    training = {side: partial(_step(module), x, y) for side, module in modules.items()}
    return measured | {"training step": _in_turns(training, rounds)}


@torch.inference_mode()
def _forward(module: nn.Module, x: Tensor) -> Tensor:
    result: Tensor = module(x)
    return result


def _step(module: nn.Module) -> Callable[[Tensor, Tensor], None]:
    module.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-3)

    def step(x: Tensor, y: Tensor) -> None:
        optimizer.zero_grad()
        F.cross_entropy(module(x), y).backward()
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
