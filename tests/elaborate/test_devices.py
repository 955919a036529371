"""Devices: what is put where, what is moved, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import specc
from specc.ir.devices import devices_of_parameters
from specc.ir.graph import Network, Transfer
from specc.ir.walk import every_node, every_value
from tests.elaborate.specs import diagnostic, errors, net, results, sound

DEVICES = "device left = cuda:0 | cpu\ndevice right = cuda:1 | cpu\n"


def placed(body: str, header: str = "(x: [N, 4])") -> specc.Program:
    """A sound net whose body knows the devices ``left`` and ``right``."""
    program = sound(DEVICES + net(body, header))
    assert specc.Program.from_json(program.to_json()).network == program.network
    return program


def moves(network: Network) -> list[tuple[str, str]]:
    """The transfers of the net's own body: the name of what is moved, and where to."""
    body = network.templates[network.root].body
    names = {value.id: value.name for value in every_value(body)}
    nodes = [node for node in every_node(body) if isinstance(node, Transfer)]
    return [(names[node.inputs[0]], node.device) for node in nodes]


def devices(program: specc.Program) -> dict[str, str]:
    """The device of each weight."""
    found = devices_of_parameters(program.network)
    return {name: place for name, place in found.items() if name.endswith("weight")}


# ---- where things run ----------------------------------------------------------------------------


def test_a_declaration_keeps_its_fallbacks_in_order() -> None:
    network = placed("x |> Linear(4) on left").network
    declared = {device.name: device.alternatives for device in network.devices}
    assert declared == {"left": ("cuda:0", "cpu"), "right": ("cuda:1", "cpu")}


def test_a_layer_is_where_on_says_and_what_follows_stays_there() -> None:
    program = placed("x |> Linear(4) on left |> relu |> Linear(3)")
    assert devices(program) == {"linear1.weight": "left", "linear2.weight": "left"}
    assert moves(program.network) == [("x", "left")]


def test_what_stands_before_any_on_is_where_the_net_is() -> None:
    program = placed("x |> Linear(4) |> Linear(3) on left")
    assert devices(program) == {"linear1.weight": "", "linear2.weight": "left"}


def test_a_tensor_is_moved_once_to_each_device() -> None:
    body = "on left {\n a = x |> Linear(4)\n b = x |> Linear(4)\n}\n"
    body += "on right { c = x |> Linear(4) }\nreturn a + b + c"
    assert moves(placed(body).network) == [("x", "left"), ("x", "right"), ("c", "left")]


def test_an_operation_runs_where_its_first_operand_is() -> None:
    body = "a = x |> Linear(4) on left\nb = x |> Linear(4) on right\nreturn b - a"
    assert moves(placed(body).network)[-1] == ("a", "right")


def test_several_results_may_be_computed_on_a_device() -> None:
    body = "a, b = split(x, [2, 2], dim=1) on left\nreturn a + b |> Linear(2)"
    program = placed(body)
    assert devices(program) == {"linear1.weight": "left"}


def test_the_innermost_on_counts() -> None:
    body = "on left {\n a = x |> Linear(4)\n on right { b = a |> Linear(4) }\n"
    body += " c = b |> Linear(4)\n}\nc"
    assert list(devices(placed(body)).values()) == ["left", "right", "left"]


def test_a_list_may_have_members_on_several_devices() -> None:
    program = placed("x |> net1: [Linear(5) on left, relu, Linear(6) on right]")
    assert devices(program) == {"net1.0.weight": "left", "net1.2.weight": "right"}
    assert list(program.module().state_dict()) == [
        "net1.0.weight",
        "net1.0.bias",
        "net1.2.weight",
        "net1.2.bias",
    ]


def test_labels_with_dots_may_be_on_several_devices() -> None:
    program = placed('x |> "layers.0": Linear(4) on left |> "layers.1": Linear(4) on right')
    assert devices(program) == {"layers.0.weight": "left", "layers.1.weight": "right"}
    assert list(program.module().state_dict())[::2] == ["layers.0.weight", "layers.1.weight"]


def test_blocks_that_differ_in_their_place_alone_are_one_class() -> None:
    text = "block Cell(x: [N, C]) -> [N, C] { x |> Linear(C) |> relu }\n"
    program = sound(DEVICES + text + net("x |> Cell on left |> Cell on right"))
    assert len(program.network.templates) == 2
    assert list(devices(program).values()) == ["left", "right"]


def test_a_block_that_names_a_device_comes_back_from_it() -> None:
    text = "block Cell(x: [N, C]) -> [N, C] {\n on right { h = x |> Linear(C) }\n return x + h\n}\n"
    program = sound(DEVICES + text + net("x |> Cell on left |> Linear(4)"))
    assert devices(program) == {"cell1.linear1.weight": "right", "linear1.weight": "left"}


def test_state_of_a_block_is_where_it_is_declared() -> None:
    body = "on right { param scale: [4] ~ ones }\nx * scale"
    program = placed(body)
    assert devices_of_parameters(program.network) == {"scale": "right"}
    assert moves(program.network) == [("scale", "")]


def test_a_borrowed_weight_comes_to_where_it_is_used() -> None:
    body = "a = Linear(4)\ny = x |> a on left\ny |> Linear(4, weight=a.weight) on right"
    assert moves(placed(body).network)[-1] == ("weight", "right")


def test_what_a_loop_carries_stays_on_its_device() -> None:
    body = "x = x |> Linear(4) on left\nwhile sum(abs(x)) > 1 {\n on right { x = x / 2 }\n}\nx"
    assert moves(placed(body).network) == [("x", "left"), ("x", "right"), ("x", "left")]


def test_both_branches_end_on_one_device() -> None:
    body = "if sum(x) > 0 {\n on left { y = x * 2 }\n} else { y = x / 2 }\ny"
    assert moves(placed(body).network) == [("x", "left"), ("y", "left")]


def test_a_device_may_be_handed_to_a_block() -> None:
    text = "block Cell(where = left)(x: [N, C]) -> [N, C] { x |> Linear(C) on where }\n"
    program = sound(DEVICES + text + net("x |> Cell |> Cell(right)"))
    assert list(devices(program).values()) == ["left", "right"]


def test_devices_may_be_imported(tmp_path: Path) -> None:
    (tmp_path / "places.net").write_text(DEVICES)
    (tmp_path / "a.net").write_text(
        'from "places.net" import left\n' + net("x |> Linear(4) on left")
    )
    program = specc.compile(tmp_path / "a.net")
    assert [device.name for device in program.network.devices] == ["left"]


def test_placement_changes_no_result() -> None:
    body = "a = x |> Linear(4) {}\nb = x |> Linear(4) {}\nreturn a * b + (b |> Linear(4) {})"
    plain = specc.compile(DEVICES + net(body.replace("{}", ""))).module(seed=3)
    spread = placed(body.replace(" {}", " on left", 1).replace("{}", "on right")).module(seed=3)
    x = torch.randn(5, 4)
    assert list(plain.state_dict()) == list(spread.state_dict())
    assert torch.equal(*results(plain, x), *results(spread, x))


def test_a_net_that_uses_no_device_has_the_source_that_it_had() -> None:
    text = net("x |> Linear(4) |> relu")
    assert specc.compile(DEVICES + text).python() == specc.compile(text).python()


# ---- from outside --------------------------------------------------------------------------------


def test_devices_are_bound_from_outside() -> None:
    text = "device left = cuda:7\n" + net("x |> Linear(4) on left")
    assert specc.compile(text).module(devices={"left": "cpu"})(torch.ones(1, 4)).shape == (1, 4)
    bound = specc.compile(text, devices={"left": "cpu"})
    assert bound.network.devices[0].alternatives == ("cpu",)
    assert bound.module().state_dict()["linear1.weight"].device.type == "cpu"


def test_a_module_that_is_moved_takes_its_devices_along() -> None:
    module = placed("x |> Linear(4) on left |> Linear(4) on right").module()
    moved = module.to("meta")
    assert moved(torch.ones(2, 4, device="meta")).device.type == "meta"


def test_a_misspelt_device_from_outside_is_answered() -> None:
    found = diagnostic(DEVICES + net("x |> Linear(4) on left"), devices={"lefd": "cpu"})
    assert (found.code, found.help) == ("unknown-device", "did you mean 'left'?")


def test_what_is_no_device_from_outside_is_answered() -> None:
    found = diagnostic(DEVICES + net("x |> Linear(4) on left"), devices={"left": "gpu:0"})
    assert found.code == "bad-device"


# ---- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (net("x |> Linear(4) on lefd"), [("unknown-name", "lefd")]),
        (net("on lefd { y = x |> Linear(4) }\ny"), [("unknown-name", "lefd")]),
        (net("x |> Linear(4) on 3"), [("wrong-type", "3")]),
        (net("x |> Linear(4) on relu"), [("wrong-type", "relu")]),
        ("device left = cpu\n" + net("x"), [("duplicate-name", "left")]),
        ("device third = cdua:0 | cpu\n" + net("x"), [("bad-device", "cdua:0")]),
        ("device third = cuda:*\n" + net("x"), [("bad-device", "cuda:*")]),
        ("device third = cpu:1\n" + net("x"), [("bad-device", "cpu:1")]),
        ("device third = cpu | cpu\n" + net("x"), [("bad-device", "cpu")]),
        (net("a = Linear(4)\nx |> a on left |> a on right"), [("device-conflict", "a on right")]),
        (net("a = Linear(4) on left\nx |> a on right"), [("device-conflict", "a on right")]),
    ],
)
def test_it_is_answered_at_its_place(text: str, expected: list[tuple[str, str]]) -> None:
    assert errors(DEVICES + text) == expected


def test_an_initializer_is_on_no_device() -> None:
    text = "init own(w: [...]) {\n w ~ uniform(-1, 1)\n on left { w = w * 2 }\n return w\n}\n"
    text += net("x |> out: Linear(4)") + 'init { "out.weight" ~ own }\n'
    assert [code for code, _ in errors(DEVICES + text)] == ["bad-initializer"]


def test_two_devices_of_one_name_are_told_apart_by_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.net").write_text(
        "device left = cuda:3\nblock B(x: [N, D]) -> [N, D] { x |> Linear(D) on left }\n"
    )
    (tmp_path / "b.net").write_text(
        'from "a.net" import B\ndevice left = cpu\n' + net("x |> B |> Linear(4) on left")
    )
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(tmp_path / "b.net")
    assert [d.code for d in caught.value.diagnostics] == ["duplicate-name"]


def test_a_scan_runs_where_its_cell_is() -> None:
    text = "block Cell(x: [N, D], h: [N, D]) -> [N, D] { tanh(x + (h |> Linear(D))) }\n"
    body = "cell = Cell on left\nys, h = scan(cell, x, x[:, 0], dim=1)\n"
    body += "return ys |> Linear(2) on right"
    program = sound(DEVICES + text + net(body, "(x: [N, T, 4])"))
    assert devices(program) == {"cell.linear1.weight": "left", "linear1.weight": "right"}
    assert [place for _, place in moves(program.network)] == ["left", "left", "right"]


def test_a_loss_may_name_devices() -> None:
    text = DEVICES + "block own(y: [...], target: [...]) -> [] {\n on left { d = y - target }\n"
    text += " return mean(d ** 2)\n}\n" + net("x |> Linear(1)", "(x: [N, 2]) -> [N, 1]")
    text += "train {\n data = synthetic_regression(w=[2, 1], b=0, examples=20)\n loss = own\n"
    text += " optimizer = sgd(lr=0.1)\n steps = 2\n}\n"
    program = specc.compile(text, devices={"left": "cpu"})
    assert program.network.loss is not None
    assert [d.alternatives for d in program.network.loss.devices] == [("cpu",)]
    assert specc.train(program, device="cpu").outcome == "finished"
