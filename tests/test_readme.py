"""The README's examples do what it shows. Numbers of a run may differ in the digits shown."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")

Specc = Callable[..., subprocess.CompletedProcess[str]]

WRONG = """\
net Sum(x: [N, 16]) -> [N, 8] {
    a = x |> Linear(8)
    b = x |> Linear(4)
    return a + b
}
"""


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """The output that the page shows: `...` stands for lines, a decimal fraction for any."""
    number, lines = r"\d+\.\d+(?:e-\d+)?", r"(?:.*\n)*?"
    literal = [map(re.escape, re.split(number, part)) for part in shown.split("...\n")]
    return re.compile(lines.join(number.join(parts) for parts in literal))


def sessions() -> list[tuple[str, str]]:
    """Each command of the page with the output that is shown below it."""
    return [
        (m[1], m[2])
        for block in blocks("console")
        for m in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def test_sessions_are_as_shown(tmp_path: Path, specc: Specc) -> None:
    (tmp_path / "digits.net").write_text(blocks("net")[0], encoding="utf-8")
    (tmp_path / "wrong.net").write_text(WRONG, encoding="utf-8")
    ran = []
    for command, shown in sessions():
        program, *arguments = shlex.split(command)
        assert program == "specc"
        done = specc(*arguments, cwd=tmp_path)
        assert pattern(shown).fullmatch(done.stderr + done.stdout), done.stderr + done.stdout
        ran.append(arguments[0])
    assert ran == ["show", "train", "build", "check"]


def test_pattern_refuses_another_output() -> None:
    assert pattern("accuracy 0.9750 in 3 epochs\n").fullmatch("accuracy 0.9611 in 3 epochs\n")
    assert not pattern("accuracy 0.9750 in 3 epochs\n").fullmatch("accuracy 0.9750 in 4 epochs\n")


def test_python_session_is_as_shown() -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=flags)
    for block in blocks("python"):
        runner.run(parser.get_doctest(block, {}, "README", "README.md", 0))
    assert runner.summarize().attempted > 5
    assert runner.summarize().failed == 0


def test_it_names_the_two_commands() -> None:
    assert "make demo" in README
    assert "make test" in README


@pytest.mark.parametrize("command", ["check", "show", "build", "train", "ops"])
def test_it_names_every_command(command: str) -> None:
    assert f"specc {command}" in README


def test_the_example_has_about_ten_lines() -> None:
    assert len(blocks("net")[0].splitlines()) <= 12
