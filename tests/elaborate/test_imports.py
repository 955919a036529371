"""``from ... import``: where files are looked for, what comes along, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import specc

MAIN = """
from "parts/blocks.net" import Twice, half
from std.lenet import LeNet
net M(x: [N, 1, 28, 28]) -> [N, 5] { x |> LeNet |> Twice(half(16)) |> Linear(5) }
init { "linear1.bias" ~ constant(3) }
"""
BLOCKS = """
from "more.net" import One
def half(n: int) = n // 2
block Twice(width: int)(x: [N, D]) -> [N, width] { x |> One(width) |> One(width) }
init { Linear.weight ~ zeros }
train { epochs = nonsense }
"""
MORE = """
block One(width: int)(x: [N, D]) -> [N, width] {
    init { Linear.bias ~ ones }
    x |> Linear(width) |> relu
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "main.net").write_text(MAIN)
    (tmp_path / "parts" / "blocks.net").write_text(BLOCKS)
    (tmp_path / "parts" / "more.net").write_text(MORE)
    return tmp_path


def refused(folder: Path, line: str) -> list[specc.Diagnostic]:
    path = folder / "wrong.net"
    path.write_text(f"{line}\nnet W(x: [N, 2]) -> [N, 2] {{ x |> A }}\n")
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(path)
    return caught.value.diagnostics


def initializers(program: specc.Program) -> dict[str, str]:
    return {p.name: str(p.initializer) for p in program.network.parameters}


def test_definitions_come_from_files_below_and_from_the_shipped_specs(folder: Path) -> None:
    program = specc.compile(folder / "main.net")
    assert program.outputs[0].dims == ("N", 5)
    assert {"le_net1.conv1.weight", "twice1.one2.linear1.weight"} <= set(initializers(program))
    names = [source.name.rpartition("/")[2] for source in program.network.sources]
    assert names == ["main.net", "blocks.net", "more.net", "lenet.net"]


def test_a_files_own_rules_and_recipe_stay_there(folder: Path) -> None:
    program = specc.compile(folder / "main.net")
    assert initializers(program)["twice1.one1.linear1.weight"].startswith("kaiming_uniform")
    assert program.network.recipe is None


def test_rules_inside_a_block_come_along_and_yield_to_the_importing_file(folder: Path) -> None:
    path = folder / "main.net"
    assert initializers(specc.compile(path))["twice1.one1.linear1.bias"] == "ones"
    path.write_text(MAIN + "init { Linear.bias ~ constant(7) }\n")
    assert initializers(specc.compile(path))["twice1.one1.linear1.bias"] == "constant(val=7)"


def test_the_program_is_whole_in_json_and_onnx(folder: Path, tmp_path: Path) -> None:
    program = specc.compile(folder / "main.net")
    again = specc.Program.from_json(program.to_json())
    assert again.python() == program.python()
    assert again.build(tmp_path / "m.onnx").parity is not None


def test_an_error_in_an_imported_file_is_shown_there_with_the_uses_that_led_to_it(
    folder: Path,
) -> None:
    (folder / "parts" / "more.net").write_text(MORE.replace("Linear(width)", "Liner(width)"))
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(folder / "main.net")
    text = str(caught.value)
    assert len(caught.value.diagnostics) == 1
    assert "more.net:4:10" in text
    assert "used here as twice1.one1" in text
    assert "used here as twice1" in text
    assert "main.net" in text


def test_a_syntax_error_in_an_imported_file_is_the_only_error(folder: Path) -> None:
    (folder / "parts" / "more.net").write_text("block One(\n")
    with pytest.raises(specc.SpecError) as caught:
        specc.compile(folder / "main.net")
    assert len(caught.value.diagnostics) == 1
    assert "more.net" in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        'from "../main.net" import A',
        'from "parts/../../main.net" import A',
        'from "/etc/hostname" import A',
        'from "https://example.org/a.net" import A',
        'from "missing.net" import A',
        'from "notes.txt" import A',
        "from std.missing import A",
        "from torch.nn import A",
    ],
)
def test_a_file_that_is_not_there_or_leads_out_is_refused(folder: Path, line: str) -> None:
    (folder / "notes.txt").write_text("A")
    assert [d.code for d in refused(folder, line)] == ["bad-import"]


def test_a_link_that_leads_out_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.net"
    outside.write_text(MORE)
    (folder / "link.net").symlink_to(outside)
    assert [d.code for d in refused(folder, 'from "link.net" import A')] == ["bad-import"]


def test_a_circle_of_imports_is_refused(folder: Path) -> None:
    (folder / "a.net").write_text('from "b.net" import A\n')
    (folder / "b.net").write_text('from "a.net" import A\n')
    codes = {d.code for d in refused(folder, 'from "a.net" import A')}
    assert "bad-import" in codes


def test_a_name_that_the_file_lacks_is_refused_with_the_nearest(folder: Path) -> None:
    first = refused(folder, 'from "parts/more.net" import Onee')[0]
    assert first.code == "unknown-name"
    assert first.help == "did you mean 'One'?"


def test_a_name_imported_twice_or_defined_too_is_refused(folder: Path) -> None:
    lines = 'from "parts/more.net" import One\nblock One(x: [N, D]) = x'
    assert "duplicate-name" in {d.code for d in refused(folder, lines)}


def test_a_text_without_a_folder_imports_from_std_alone() -> None:
    text = 'from "a.net" import A\nnet M(x: [N, 2]) { x |> A }'
    with pytest.raises(specc.SpecError, match="bad-import"):
        specc.compile(text)
