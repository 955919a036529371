"""``--limit`` and ``--strip``."""

from __future__ import annotations

import io
from pathlib import Path

import onnx
import pytest

import specc
from specc.cli.main import main
from specc.frontend.limits import DEFAULT_LIMITS

SPEC = """
net Sized(x: [N, 3, H, W]) -> [N, 8] {
    assert H == W, "square images"
    x |> Conv(8, 5) |> MaxPool(2) |> AdaptiveAvgPool(1) |> flatten
}
"""


@pytest.mark.parametrize("limit", ["nodes=2", "bytes=20", "nesting=1", "items=1"])
def test_a_limit_can_be_set_and_is_said(
    limit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.net"
    path.write_text(SPEC.replace("x |>", "[1, 2]\n    x |>"))
    assert main(["check", str(path)]) == 0
    assert main(["check", str(path), "--limit", limit]) == 1
    said = capsys.readouterr().err
    assert "more than" in said
    assert f"`--limit {limit.partition('=')[0]}=N` raises it" in said


@pytest.mark.parametrize("file", ["long.net", "-"])
def test_the_limit_on_a_files_bytes_can_be_raised(
    file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SPEC + "#" * DEFAULT_LIMITS.bytes + "\n"
    (tmp_path / "long.net").write_text(text)
    monkeypatch.chdir(tmp_path)

    def check(*options: str) -> int:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return main(["check", file, *options])

    assert check() == 1
    assert "more than 16,777,216 bytes" in capsys.readouterr().err
    assert check("--limit", f"bytes={len(text)}") == 0
    assert check("--limit", f"bytes={len(text) - 1}") == 1


@pytest.mark.parametrize("limit", ["nods=2", "nodes=0", "nodes=-1", "nodes", "=5"])
def test_a_limit_that_is_none_is_an_error_of_the_command_line(limit: str) -> None:
    assert main(["check", "std.lenet", "--limit", limit]) == 2


def test_a_stripped_graph_names_no_place_and_no_reason() -> None:
    program = specc.compile(SPEC)
    full, stripped = program.onnx(), program.onnx(strip=True)
    assert any(node.metadata_props for node in full.graph.node)
    assert not any(node.metadata_props for node in stripped.graph.node)
    assert "square images" in str(full.metadata_props)
    assert "square images" not in str(stripped.metadata_props)
    assert full.graph.node[0].op_type == stripped.graph.node[0].op_type


def test_the_graph_says_at_which_sizes_it_works() -> None:
    properties = {p.key: p.value for p in specc.compile(SPEC).onnx().metadata_props}
    assert properties["specc.sizes"].splitlines() == [
        "any N",
        "H >= 6",
        "W >= 6",
        "H == W: square images",
    ]


def test_strip_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    assert main(["build", "std.mlp", "--strip", "--no-verify", "-o", str(path)]) == 0
    assert not any(node.metadata_props for node in onnx.load(path).graph.node)
