"""``docs/custom_operators.md`` is true: its module, its spec and its sessions run as shown."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_readme import pattern

PAGE = Path(__file__).resolve().parents[2] / "docs" / "custom_operators.md"

Specc = Callable[..., subprocess.CompletedProcess[str]]


def blocks(kind: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files, which is the current one."""
    (tmp_path / "my_ops.py").write_text(blocks("python")[0], encoding="utf-8")
    (tmp_path / "gate.net").write_text(blocks("net")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_command_line_says_what_the_page_shows(folder: Path, specc: Specc) -> None:
    (session,) = blocks("console")
    ran = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE)
    assert len(ran) == 3
    for command, shown in ran:
        program, *arguments = shlex.split(command)
        assert program == "specc"
        done = specc(*arguments, cwd=folder)
        assert pattern(shown).fullmatch(done.stderr + done.stdout), done.stderr + done.stdout


def test_python_says_what_the_page_shows(folder: Path) -> None:
    (_, session) = blocks("python")
    test = doctest.DocTestParser().get_doctest(session, {}, "custom_operators", str(PAGE), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test)
    assert runner.summarize().failed == 0
