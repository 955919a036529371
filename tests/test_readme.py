"""The README's examples do what it shows. Numbers of a run may differ in the digits shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages
from tests.pages import Specc

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = pages.blocks(README)

WRONG = """\
net Sum(x: [N, 16]) -> [N, 8] {
    a = x |> Linear(8)
    b = x |> Linear(4)
    return a + b
}
"""


def test_sessions_are_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, specc: Specc
) -> None:
    pages.write_files(BLOCKS, tmp_path)
    (tmp_path / "wrong.net").write_text(WRONG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ran = pages.run(BLOCKS, specc, tmp_path)
    assert [command for command, *_ in ran] == ["show", "train", "build", "check"]


def test_it_names_the_two_commands() -> None:
    assert "make demo" in README
    assert "make test" in README


@pytest.mark.parametrize(
    "command", ["check", "show", "build", "train", "params", "convert", "devices", "ops"]
)
def test_it_names_every_command(command: str) -> None:
    assert f"specc {command}" in README


def test_the_example_has_about_ten_lines() -> None:
    assert len(pages.blocks(README, "net")[0].text.splitlines()) <= 12
