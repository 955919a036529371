"""The module checks the sizes that it is given: a clear message in place of a wrong answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import specc
from specc.ir.dims import symbol
from specc.ir.graph import Constraint
from specc.targets.python import source
from specc.targets.torch import module
from tests.targets.networks import Body, network

LENET = """
net LeNet(x: [N, 1, H, W]) -> [N, 16, H2, W2] {
    x |> Conv(6, 5, padding=2) |> sigmoid |> AvgPool(2) |> Conv(16, 5) |> sigmoid |> AvgPool(2)
}
"""

PAIR = """
net Pair(x: [N, T, 8], y: [N, T]) -> [N, T, 8] {
    assert T % 4 == 0, "{{T}} must be a multiple of four"
    assert N * T >= 12
    assert N + 1 != T
    x * y[:, :, none]
}
"""


def made(text: str) -> nn.Module:
    return specc.compile(text).module().eval()


def refused(module: nn.Module, *shapes: tuple[int, ...]) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the message is what is tested
        module(*map(torch.ones, shapes))
    return str(caught.value)


def test_lenet_says_in_two_lines_which_sizes_it_takes() -> None:
    text = specc.compile(LENET).python()
    assert text.count("raise ValueError") == 2
    assert (
        "        _, _, H, W = x.shape\n"
        "        if H < 12:\n"
        '            raise ValueError(f"H must be at least 12, not {H}")\n'
    ) in text


def test_a_size_below_its_bound_is_refused_and_one_at_it_is_not() -> None:
    lenet = made(LENET)
    assert refused(lenet, (2, 1, 11, 12)) == "H must be at least 12, not 11"
    assert refused(lenet, (2, 1, 12, 5)) == "W must be at least 12, not 5"
    assert lenet(torch.ones(1, 1, 12, 12)).shape == (1, 16, 1, 1)


def test_the_bounds_are_those_below_which_torch_itself_fails() -> None:
    text = specc.compile(LENET).python()
    lines = [line for line in text.splitlines(keepends=True) if "raise" not in line]
    without = "".join(line for line in lines if " < 12:" not in line)
    namespace: dict[str, type[nn.Module]] = {}
    exec(without, namespace)
    with pytest.raises(RuntimeError):
        namespace["LeNet"]()(torch.ones(1, 1, 11, 12))


def test_a_static_net_has_no_checks() -> None:
    assert "raise" not in specc.compile("std.lenet").python()


def test_a_symbol_that_two_inputs_name_has_one_size() -> None:
    pair = made(PAIR)
    # Either would be stretched in silence.
    assert refused(pair, (2, 8, 8), (1, 8)) == "dim 0 of y must be N = 2, not 1"
    assert refused(pair, (2, 8, 8), (2, 1)) == "dim 1 of y must be T = 8, not 1"
    assert pair(torch.ones(2, 8, 8), torch.ones(2, 8)).shape == (2, 8, 8)


def test_asserts_over_sizes_hold_when_the_net_runs() -> None:
    pair = made(PAIR)
    message = "{T} must be a multiple of four: T % 4 == 0 does not hold at T = 6"
    assert refused(pair, (3, 6, 8), (3, 6)) == message
    assert refused(pair, (2, 4, 8), (2, 4)) == "N * T >= 12 does not hold at N = 2, T = 4"
    assert refused(pair, (3, 4, 8), (3, 4)) == "N + 1 != T does not hold at N = 3, T = 4"


def test_a_size_in_an_expression_must_be_one() -> None:
    halved = made("net Halved(x: [N, 2*T]) -> [N, T] { x[:, 0:T] }")
    assert halved(torch.ones(3, 8)).shape == (3, 4)
    assert refused(halved, (3, 7)) == "dim 1 of x must be 2*T = 6, not 7"


def test_a_product_that_no_input_takes_apart_is_compared_as_a_whole() -> None:
    both = made("net Both(x: [H*W, 3], y: [H*W, 3]) { x + y }")
    assert refused(both, (6, 3), (1, 3)) == "dim 0 of y must be H*W = 6, not 1"
    apart = made("net Apart(x: [H*W], y: [H], z: [W]) { sum(x) + sum(y) + sum(z) }")
    assert refused(apart, (7,), (2,), (3,)) == "dim 0 of x must be H*W = 6, not 7"


def test_an_offset_alone_is_no_condition() -> None:
    assert "raise" not in specc.compile("net Off(x: [N, T + 2]) { x * T }").python()


def test_a_list_that_is_the_whole_net_keeps_its_base_class() -> None:
    text = 'net Net(x: [N, 3, H, W]) {\n x |> "0": Conv(4, 3) |> "1": relu |> "2": MaxPool(2) }'
    ours = made(text)
    assert isinstance(ours, nn.Sequential)
    assert refused(ours, (1, 3, 3, 9)) == "H must be at least 4, not 3"
    x = torch.randn(2, 3, 9, 7)
    torch.testing.assert_close(ours(x), ours[2](ours[1](ours[0](x))))


def test_a_net_whose_size_no_input_gives_is_refused_with_a_diagnostic() -> None:
    program = specc.compile("net Net(x: [H*W, 3]) -> [H, W, 3] { reshape(x, H, W, 3) }")
    for build in (program.python, program.module):
        with pytest.raises(specc.SpecError) as caught:
            build()
        assert [d.code for d in caught.value.diagnostics] == ["unbound-size"]


@pytest.mark.parametrize(
    "reason", ['"', "'", "{H}", "\\", "\n", '"); import os  # ', "{", "é {H!r:>{W}} ☃", "\x00"]
)
def test_a_reason_is_text_and_nothing_else(reason: str) -> None:
    b = Body("Net", x="f32[H]")
    least = Constraint(relation="==", left=symbol("H"), right=3, reason=reason)
    net = network(b.template(b.op("exp", 0))).model_copy(update={"constraints": (least,)})
    assert refused(module(net), (2,)) == f"{reason}: H == 3 does not hold at H = 2"


def test_checks_are_formatted_as_ruff_would(tmp_path: Path) -> None:
    long = "assert " + " + ".join(["(H // 3) * W"] + [f"H // {i} * W // {i}" for i in range(2, 9)])
    text = PAIR.replace("x * y", f"{long.replace('H', 'N').replace('W', 'T')} >= 9\n    x * y")
    long_name = PAIR.replace("y", "a_name_that_takes_quite_some_room_on_a_line")
    for index, spec in enumerate((LENET, PAIR, text, long_name)):
        (tmp_path / f"model{index}.py").write_text(specc.compile(spec).python())
    for command in (["format", "--check", "--diff", "--isolated"], ["check", "--isolated"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_source_with_checks_is_the_same_from_json() -> None:
    program = specc.compile(PAIR)
    assert source(specc.Program.from_json(program.to_json()).network) == program.python()
