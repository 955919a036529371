"""Pictures show every layer once, within its block, and nothing overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import specc
from specc.ops.registry import operators
from specc.picture import picture
from specc.picture.boxes import Box, Figure
from specc.picture.figure import figure_of
from specc.picture.layout import Laid, Placed, lay_out
from tests.conftest import Specc

RESNET = "std.resnet"
DEPTH = {RESNET: {"depth": 152}}
NETS = [
    "std.lenet",
    "std.fixed_hidden",
    "std.vit",
    "std.gpt2",
    "std.llama",
    "std.alexnet2012",
    RESNET,
]
every_net = pytest.mark.parametrize("source", NETS, ids=str)


def program(source: str) -> specc.Program:
    return specc.compile(source, hyperparameters=DEPTH.get(source, {}))


def figure(source: str) -> Figure:
    return figure_of(program(source).network, operators())


def every_box(figure: Figure) -> Iterator[Box]:
    for box in figure.boxes:
        yield box
        for _, inner in box.figures:
            yield from every_box(inner)


def texts(source: str) -> list[str]:
    root = ElementTree.fromstring(program(source).svg())
    return [
        "".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def every_layout(laid: Laid) -> Iterator[Laid]:
    yield laid
    for placed in laid.boxes:
        for _, inner, _, _ in placed.figures:
            yield from every_layout(inner)


@every_net
def test_boxes_do_not_overlap_and_lie_within_their_figure(source: str) -> None:
    for laid in every_layout(lay_out(figure(source))):
        for placed in laid.boxes:
            assert placed.x >= -0.01
            assert placed.y >= -0.01
            assert placed.x + placed.width <= laid.width + 0.01
            assert placed.y + placed.height <= laid.height + 0.01
        for index, one in enumerate(laid.boxes):
            assert not any(overlap(one, other) for other in laid.boxes[index + 1 :])


def overlap(a: Placed, b: Placed) -> bool:
    return (
        a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + b.height
        and b.y < a.y + a.height
    )


@every_net
def test_arrows_go_down(source: str) -> None:
    for laid in every_layout(lay_out(figure(source))):
        for arrow in laid.arrows:
            heights = [y for _, y in arrow.points]
            assert heights == sorted(heights)


@every_net
def test_arrows_turn_between_the_layers_alone(source: str) -> None:
    for laid in every_layout(lay_out(figure(source))):
        for arrow in laid.arrows:
            for (x, top), (turned, bottom) in pairwise(arrow.points):
                beside = [
                    b for b in laid.boxes if b.y < bottom - 0.01 and top < b.y + b.height - 0.01
                ]
                assert x == turned or not beside


@every_net
def test_figures_inside_a_block_lie_in_it(source: str) -> None:
    for laid in every_layout(lay_out(figure(source))):
        for placed in laid.boxes:
            for _, inner, x, y in placed.figures:
                assert x >= 0
                assert x + inner.width <= placed.width + 0.01
                assert y + inner.height <= placed.height + 0.01


def test_a_chain_of_layers_is_one_box() -> None:
    rows = [box for box in every_box(figure("std.lenet")) if box.kind == "rows"]
    assert len(rows) == 1
    assert [row.name for row in rows[0].rows if row.name] == [
        *("conv1", "conv2", "linear1", "linear2", "linear3")
    ]
    assert rows[0].rows[0].shape == "[N, 6, 28, 28]"


def test_repeated_blocks_are_one_with_their_count() -> None:
    counts = [box.count for box in every_box(figure(RESNET)) if box.count > 1]
    assert counts == [2, 7, 35, 2]
    assert "1 … 35" in texts(RESNET)


def test_a_block_is_drawn_whole_once() -> None:
    boxes = [box for box in every_box(figure(RESNET)) if "Bottleneck" in box.detail]
    assert [bool(box.figures) for box in boxes] == [True, True] + [False] * 6


def test_what_is_shared_says_with_what() -> None:
    assert any("shares transformer.wte.weight" in text for text in texts("std.gpt2"))
    assert any("the same layer again" in text for text in texts("std.fixed_hidden"))


def test_devices_are_named_where_they_change() -> None:
    shown = texts("std.alexnet2012")
    assert any("Early on bottom" in text for text in shown)
    assert any("concat(dim=1)" in text and "on top" in text for text in shown)


def test_a_loop_has_its_condition_and_its_body() -> None:
    (region,) = (box for box in every_box(figure("std.fixed_hidden")) if box.kind == "region")
    assert [label for label, _ in region.figures] == ["while", "repeat"]


def test_a_scan_says_what_it_runs_over_and_has_one_step() -> None:
    drawn = figure("std.rnn_scratch")
    (region,) = (box for box in every_box(drawn) if box.kind == "region")
    assert region.detail == "scan over T"
    assert [label for label, _ in region.figures] == ["at each step"]
    before = [a.rows[0].text for a, b, _ in drawn.arrows() if b is region and a.rows]
    assert sorted(text.partition("(")[0] for text in before) == ["squeeze", "zeros"]


def test_a_scan_that_begins_at_the_end_says_so() -> None:
    text = "net Sums(x: [N, T]) -> [N, T] { scan(add, x, zeros(N), dim=1, reverse=true)[0] }"
    (region,) = (box for box in every_box(figure(text)) if box.kind == "region")
    assert region.detail == "scan over T, last entry first"


def test_a_branch_that_is_passed_has_an_arrow_of_its_own() -> None:
    text = "net Skip(x: [N, 4]) -> [N, 4] { relu(x |> Linear(4)) + x }"
    drawn = figure(text)
    pairs = [(a.kind, b.rows[0].text if b.rows else b.kind) for a, b, _ in drawn.arrows()]
    assert sorted(pairs) == [
        ("input", "+"),
        ("input", "Linear(4)"),
        ("rows", "+"),
        ("rows", "output"),
    ]


def test_what_the_language_writes_as_signs_is_shown_as_such() -> None:
    shown = texts(
        "net Signs(x: [N, 4]) -> bool[N] {\n"
        "    return (1 - x ** 2)[:, 0] > 0.5 and x[:, 1] < x[:, -1]\n"
        "}"
    )
    for sign in ("** 2", "1 -", "[:, 0]", "> 0.5", "<"):
        assert any(sign in text for text in shown), sign


def test_any_text_of_a_spec_is_text_in_the_picture() -> None:
    label = "</text><script>alert(1)</script>&amp;"
    text = 'net Odd(x: [N, 4]) -> [N, 4] { x |> rearrange("n c -> n c") |> "a.b": Linear(4) }'
    program = specc.compile(text)
    network = program.network.model_copy(update={"name": label})
    drawn = picture(network)
    assert "<script" not in drawn
    assert ElementTree.fromstring(drawn)[0].text == label


def test_pictures_are_the_same_on_every_run() -> None:
    assert specc.compile("std.gpt2").svg() == specc.compile("std.gpt2").svg()


def test_the_command_writes_the_picture(specc: Specc, tmp_path: Path) -> None:
    target = tmp_path / "lenet.svg"
    done = specc("show", "std.lenet", "--svg", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"wrote {target}")
    assert ElementTree.parse(target).getroot().tag.endswith("svg")
    assert specc("show", "std.lenet", "--svg", target, "--all").returncode == 2
    assert specc("show", "std.lenet", "--svg", tmp_path / "no" / "x.svg").returncode == 3
