"""The emitted source: golden files, its style, and that it computes what torch by hand does."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from specc.frontend.diagnostics import Fault
from specc.ir.attributes import Hole
from specc.ir.dims import symbol
from specc.ir.graph import Network
from specc.targets.facts import UnboundSize
from specc.targets.python import EmitError, source
from tests.targets.networks import Body, initializer, network
from tests.targets.zoo import ZOO

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "python"


def executed(text: str, name: str) -> nn.Module:
    """The module that a source defines, in a namespace that holds nothing else."""
    namespace: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(text, "emitted.py", "exec"), namespace)
    made = namespace[name]()
    assert isinstance(made, nn.Module)
    return made


def module_of(made: Network) -> nn.Module:
    return executed(source(made), made.name)


def same_weights(module: nn.Module, other: nn.Module) -> None:
    """Copies the weights of ``module`` into ``other``, whose names must be the same."""
    other.load_state_dict(module.state_dict(), strict=True)


# ---- golden files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ZOO)
def test_source_is_the_golden_one(name: str) -> None:
    file = GOLDEN / f"{name}.py"
    text = source(ZOO[name]())
    if os.environ.get("SPECC_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


def test_golden_files_are_those_of_the_zoo() -> None:
    assert {file.stem for file in GOLDEN.glob("*.py")} - {"conftest"} == set(ZOO)


def test_golden_files_are_formatted_and_clean() -> None:
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", str(GOLDEN)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_lenet_is_as_short_as_a_person_writes_it() -> None:
    assert len(source(ZOO["lenet"]()).splitlines()) <= 40


@pytest.mark.parametrize("name", ZOO)
def test_source_does_not_depend_on_hash_order(name: str) -> None:
    program = (
        "from tests.targets.zoo import ZOO; from specc.targets.python import source;"
        f"print(source(ZOO[{name!r}]()), end='')"
    )
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONHASHSEED": "4711", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == source(ZOO[name]()), done.stderr


@pytest.mark.parametrize("name", ZOO)
def test_source_is_the_same_from_json(name: str) -> None:
    made = ZOO[name]()
    assert source(Network.model_validate_json(made.model_dump_json())) == source(made)


@pytest.mark.parametrize("name", ZOO)
def test_state_dict_has_the_networks_names(name: str) -> None:
    made = ZOO[name]()
    state = module_of(made).state_dict()
    assert {n: tuple(t.shape) for n, t in state.items()} == {
        p.name: p.type.shape for p in made.parameters
    }


# ---- against torch written by hand ---------------------------------------------------------------


class _LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.linear1 = nn.Linear(16 * 5 * 5, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.avg_pool2d(self.conv1(x).sigmoid(), 2)
        x = F.avg_pool2d(self.conv2(x).sigmoid(), 2)
        x = self.linear1(x.flatten(1)).sigmoid()
        return self.linear3(self.linear2(x).sigmoid())


def test_lenet_computes_what_a_hand_written_one_does() -> None:
    ours, theirs = module_of(ZOO["lenet"]()), _LeNet()
    same_weights(ours, theirs)
    x = torch.randn(3, 1, 28, 28)
    torch.testing.assert_close(ours(x), theirs(x))


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)


class _Block(nn.Module):
    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(inputs, channels, 3, stride), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = _conv(channels, channels), nn.BatchNorm2d(channels)
        if stride > 1:
            shortcut = _conv(inputs, channels, 1, stride)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu((self.downsample(x) if hasattr(self, "downsample") else x) + y)


class _ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, 8), nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(_Block(8, 8, 1), _Block(8, 8, 1))
        self.layer2 = nn.Sequential(_Block(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
        return self.fc(x.mean((2, 3)))


def test_blocks_with_numbers_compute_what_hand_written_ones_do() -> None:
    ours, theirs = module_of(ZOO["residual"]()), _ResNet()
    same_weights(ours, theirs)
    for mode in (True, False):  # the batch's statistics, then the running ones
        ours.train(mode)
        theirs.train(mode)
        x = torch.randn(2, 3, 12, 10)
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), check_stride=False)


def test_blocks_that_differ_by_numbers_share_a_class() -> None:
    ours = module_of(ZOO["residual"]())
    assert type(ours.layer1[0]) is type(ours.layer1[1])
    assert type(ours.layer1[0]) is not type(ours.layer2[0])


def test_heads_compute_what_attention_does() -> None:
    ours = module_of(ZOO["heads"]())
    x = torch.randn(2, 7, 12)
    split = ours.qkv(x).view(2, 7, 3, 3, 4).permute(2, 0, 3, 1, 4)
    expected = F.scaled_dot_product_attention(*split).transpose(1, 2).reshape(2, 7, 12)
    torch.testing.assert_close(ours(x), ours.proj(expected))


def test_lists_are_reached_by_index_and_label() -> None:
    ours = module_of(ZOO["lists"]())
    assert isinstance(ours.features, nn.Sequential)
    assert isinstance(ours.features[2], nn.MaxPool2d)
    assert isinstance(ours.classifier.hidden, nn.Linear)
    assert isinstance(ours.mixed, nn.Sequential)
    x = torch.randn(2, 3, 8, 8)
    y = ours.features[2](ours.features[1](ours.features[0](x))).abs()
    torch.testing.assert_close(ours.features(x), y)
    towers = ours.mixed[0]
    y = ours.mixed[2](torch.cat([towers.a(y), F.max_pool2d(y, 3, 1, 1)], 1))
    hidden = torch.tanh(ours.classifier.hidden(y.flatten(1)))
    torch.testing.assert_close(ours(x), ours.classifier.out(hidden))


def test_a_layer_that_is_applied_twice_is_one_layer() -> None:
    ours = module_of(ZOO["fixed_hidden"]())
    x = torch.randn(2, 20)
    once = F.linear(x, ours.linear.weight, ours.linear.bias)
    twice = ours.linear(torch.relu(once @ ours.rand_weight + 1))
    torch.testing.assert_close(ours(x), twice.sum())
    assert [name for name, _ in ours.named_parameters()] == ["linear.weight", "linear.bias"]


def test_a_borrowed_weight_has_one_entry_and_a_summed_gradient() -> None:
    ours = module_of(ZOO["tied"]())
    tokens = torch.randint(30, (2, 5))
    embed = ours.embed.weight.detach().clone().requires_grad_()
    head = ours.embed.weight.detach().clone().requires_grad_()
    y = F.linear(F.gelu(ours.linear(F.embedding(tokens, embed))), head, ours.head.bias)
    torch.testing.assert_close(ours(tokens), y)
    y.square().sum().backward()
    ours(tokens).square().sum().backward()
    assert embed.grad is not None
    assert head.grad is not None
    torch.testing.assert_close(ours.embed.weight.grad, embed.grad + head.grad)


def test_a_layer_that_is_handed_on_stays_its_owners() -> None:
    ours = module_of(ZOO["captured"]())
    x = torch.randn(3, 6)
    y = ours.norm(ours.second.linear(ours.norm(ours.first.linear(x))))
    torch.testing.assert_close(ours(x), y)
    assert "first.norm.weight" not in ours.state_dict()


def test_own_parameters_of_a_block() -> None:
    ours = module_of(ZOO["own_state"]())
    x = torch.randn(3, 5)
    y = torch.relu(x @ ours.hidden.weight + ours.hidden.bias)
    y = torch.relu(y @ ours.out.weight + ours.out.bias)
    y = F.layer_norm(y, (4,), ours.norm.weight, ours.norm.bias)
    torch.testing.assert_close(ours(x), y)


# ---- initial values ------------------------------------------------------------------------------


def test_initial_values_are_those_of_the_network() -> None:
    ours = module_of(ZOO["lists"]())
    assert ours.classifier.hidden.weight.std() < 0.02
    assert ours.classifier.out.bias.eq(1).all()
    assert ours.features[0].bias.eq(0).all()
    assert ours.mixed[0].a.bias.eq(0).all()
    assert ours.features[0].weight.std() > 0.05
    constant = module_of(ZOO["fixed_hidden"]()).rand_weight
    assert 0 <= constant.min() < 0.1
    assert 0.9 < constant.max() <= 1


def test_a_layer_that_starts_as_torchs_does_is_not_set() -> None:
    assert "reset_parameters" not in source(ZOO["residual"]())


def test_an_exception_to_a_rule_is_set_by_name() -> None:
    b = Body("Net", x="f32[N, 4]")
    x = 0
    for name in ("a", "b", "c", "d"):
        x = b.layer(name, "Linear", x, features=4, bias=name == "d")
    rules = {"Linear.weight": initializer("ones"), "c.weight": initializer("zeros")}
    ours = module_of(network(b.template(x), rules=rules))
    assert [float(getattr(ours, n).weight.detach().mean()) for n in "abcd"] == [1, 1, 0, 1]


def test_a_slot_that_some_layers_lack_is_asked_for() -> None:
    b = Body("Net", x="f32[N, 4]")
    x = 0
    for name in ("a", "b", "c"):
        x = b.layer(name, "Linear", x, features=4, bias=name != "b")
    made = network(b.template(x), rules={"Linear.bias": initializer("constant", val=2)})
    assert "if module.bias is not None:" in source(made)
    assert module_of(made).c.bias.eq(2).all()


# ---- variables and lines -------------------------------------------------------------------------


def test_a_value_that_is_still_needed_is_not_overwritten() -> None:
    b = Body("Net", x="f32[N, 4]")
    y = b.op("exp", 0, name="x")  # the spec's own x, while the input is needed below
    z = b.op("sin", y, name="x")
    made = network(b.template(b.op("add", b.op("mul", 0, z), y)))
    x = torch.randn(2, 4)
    torch.testing.assert_close(module_of(made)(x), x * x.exp().sin() + x.exp())


def test_an_operand_that_the_lowering_repeats_is_computed_once() -> None:
    b = Body("Net", x="f32[N, 4]")
    made = network(b.template(b.op("softmax", b.op("exp", b.op("sin", 0)), dim=-1)))
    assert source(made).count("torch.sin(") == 1


def test_names_that_would_hide_a_module_are_changed() -> None:
    b = Body("Net", torch="f32[N, 4]", F="f32[N, 4]")
    y = b.op("relu", b.op("add", 0, 1, name="nn"), name="self")
    made = network(b.template(b.op("sigmoid", y, name="super")))
    x = torch.randn(2, 2, 4)
    torch.testing.assert_close(module_of(made)(*x), x.sum(0).relu().sigmoid())


def test_a_long_chain_is_split_into_lines_that_fit() -> None:
    b = Body("Net", a_rather_long_name_of_an_input="f32[N, 4]")
    y = b.op("add", b.op("exp", 0), b.op("sin", b.op("tanh", 0)))
    y = b.op("mul", b.op("add", b.op("exp", 0), right=1.2345678), b.op("sigmoid", y))
    made = network(b.template(b.op("softmax", b.op("add", y, right=0.33333333), dim=-1)))
    assert max(map(len, source(made).splitlines())) <= 88
    x = torch.randn(3, 4)
    y_ = (x.exp() + 1.2345678) * (x.exp() + x.tanh().sin()).sigmoid() + 0.33333333
    torch.testing.assert_close(module_of(made)(x), y_.softmax(-1))


def test_unused_results_leave_no_unused_variable() -> None:
    b = Body("Net", x="f32[N, 4]")
    b.op("exp", 0)
    left, _ = b.ops("chunk", 0, chunks=2, dim=-1, names=("left", "right"))
    text = source(network(b.template(b.op("sin", left))))
    assert "exp" not in text
    assert "left, _ = " in text


# ---- names of layers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "2"],
        ["layer1.0", "layer1.1", "layer2.0"],
        ["cls.predictions", "cls.pooler.dense", "keys.0"],
        ["block.items", "block.keys", "block.7"],
        ["h.1", "h.0", "h.2"],
        ["class", "lambda", "µ"],
        ["a b", "1x", "ﬁ"],
        ["append", "pop", "extend"],
        ["0", "conv", "2"],
    ],
)
def test_parameters_are_named_as_the_layers(names: list[str]) -> None:
    b = Body("Net", x="f32[N, 4]")
    x = 0
    for name in names:
        x = b.layer(name, "Linear", x, features=4)
    made = network(b.template(x))
    ours = module_of(made)
    assert set(ours.state_dict()) == {p.name for p in made.parameters}
    layers = [ours.get_submodule(name) for name in names]
    x_ = torch.randn(2, 4)
    expected = layers[2](layers[1](layers[0](x_)))
    torch.testing.assert_close(ours(x_), expected)


@pytest.mark.parametrize("name", ["forward", "training", "state_dict", "__class__", "_modules"])
def test_a_name_that_torch_reserves_is_refused(name: str) -> None:
    b = Body("Net", x="f32[N, 4]")
    x = b.layer(name, "Linear", 0, features=4)
    with pytest.raises(EmitError):
        source(network(b.template(x)))


def _is_of_torch(member: object) -> bool:
    """Not what another library, transformers for one, has put into torch's classes."""
    home = getattr(member, "__module__", None) or "torch"
    return home.partition(".")[0] not in {"transformers", "torchvision"}


def test_the_reserved_names_are_torchs() -> None:
    from specc.targets.python.names import DICT_MEMBERS, LIST_MEMBERS, MODULE_MEMBERS

    def members(module: nn.Module) -> set[str]:
        names = {name for name in {*dir(module), *vars(module)} if not name.startswith("__")}
        return {name for name in names if _is_of_torch(getattr(module, name))}

    assert members(nn.Module()) <= MODULE_MEMBERS
    assert members(nn.Sequential()) | members(nn.ModuleList()) <= LIST_MEMBERS
    assert members(nn.ModuleDict()) <= DICT_MEMBERS


# ---- loops ---------------------------------------------------------------------------------------


def _numbered(skip: bool) -> Network:
    b = Body("Net", x="f32[N, 4]")
    first = b.layer("h.0", "Linear", 0, features=4, bias=False)
    x = b.layer("h.1", "Linear", first, features=4)
    x = b.layer("h.2", "Linear", x, features=4)
    return network(b.template(b.op("add", x, first) if skip else x))


def test_a_list_that_is_applied_in_order_is_a_loop() -> None:
    made = _numbered(skip=False)
    assert "        for layer in self.h:\n            x = layer(x)\n" in source(made)
    ours, x = module_of(made), torch.randn(2, 4)
    torch.testing.assert_close(ours(x), ours.h[2](ours.h[1](ours.h[0](x))))


def test_a_list_with_a_shortcut_is_not() -> None:
    made = _numbered(skip=True)
    assert "for layer" not in source(made)
    ours, x = module_of(made), torch.randn(2, 4)
    first = ours.h[0](x)
    torch.testing.assert_close(ours(x), ours.h[2](ours.h[1](first)) + first)


# ---- sizes ---------------------------------------------------------------------------------------


def test_sizes_are_solved_from_the_inputs() -> None:
    b = Body("Net", x="f32[N, 2*T + 3]", y="f32[N, T*C]", z="f32[C]")
    t, c, n = symbol("T"), symbol("C"), symbol("N")
    made = network(b.template(b.op("reshape", 1, sizes=(n, t, c)), b.op("add", 0, right=t // 2)))
    y, x = torch.randn(2, 10), torch.randn(2, 13)
    first, second = module_of(made)(x, y, torch.randn(2))
    assert first.shape == (2, 5, 2)
    torch.testing.assert_close(second, x + 2)


def test_a_size_outlives_the_variable_that_it_came_from() -> None:
    b = Body("Net", x="f32[N, T]")
    x = b.op("sum", 0, dim=1, name="x")
    made = network(b.template(b.op("mul", x, right=symbol("T"), name="x")))
    x_ = torch.randn(2, 5)
    torch.testing.assert_close(module_of(made)(x_), x_.sum(1) * 5)


def test_a_size_that_no_input_gives_is_refused() -> None:
    b = Body("Net", x="f32[N]")
    made = network(b.template(b.op("mul", 0, right=symbol("T"))))
    with pytest.raises(Fault) as caught:
        source(made)
    assert caught.value.fact == UnboundSize(size="T")


def test_numbers_of_a_block_are_kept_where_forward_needs_them() -> None:
    inner = Body("Scale", "block", parameters=("factor", "unused"), x="f32[N]")
    y = inner.op("mul", 0, right=2)
    template = inner.template(y)
    node = template.body.nodes[0]
    node = node.model_copy(update={"attributes": {"left": None, "right": Hole("factor")}})
    body = template.body.model_copy(update={"nodes": (node,)})
    template = template.model_copy(update={"body": body})
    b = Body("Net", x="f32[N]")
    b.block("first", 0, factor=2, unused=0)
    b.block("second", 0, factor=3, unused=0)
    (x,) = b.apply("first", 0, results=["f32[N]"])
    (x,) = b.apply("second", x, results=["f32[N]"])
    made = network(template, b.template(x))
    assert "self.unused" not in source(made)
    torch.testing.assert_close(module_of(made)(torch.ones(2)), torch.full((2,), 6.0))


def test_source_imports_only_what_it_uses() -> None:
    for name in ZOO:
        tree = ast.parse(source(ZOO[name]()))
        imported = {
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert imported <= used, name
