"""What the pages of the documentation show, as blocks of text that tests can run.

A block between fences has a language and perhaps a title: ``net gate.net`` is a file of that name.
In a ``console`` block each command stands behind ``$`` and what it prints below it; a ``python``
block without a title is a session of the interpreter. In what a command prints, ``...`` on a line
of its own stands for any lines, and a decimal fraction for any other.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Specc = Callable[..., subprocess.CompletedProcess[str]]

DOCS = Path(__file__).resolve().parent.parent / "docs"

_FENCED = re.compile(r"^```([\w-]+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    title: str | None
    text: str


def blocks(page: str, language: str | None = None) -> list[Block]:
    """The fenced blocks of a page in order, or those in one language."""
    found = [
        Block(page.count("\n", 0, m.start()) + 1, m[1], m[2], m[3]) for m in _FENCED.finditer(page)
    ]
    return [block for block in found if language in (None, block.language)]


def sections(page: str) -> dict[str, list[Block]]:
    """The blocks under each heading of the second level."""
    lines = page.splitlines()
    starts = [n for n, line in enumerate(lines, 1) if line.startswith("## ")]
    return {
        lines[start - 1].removeprefix("## "): [b for b in blocks(page) if start < b.line <= end]
        for start, end in pairwise([*starts, len(lines)])
    }


def dangling_links(page: str) -> set[str]:
    """The links to a heading of the page itself that has no such heading."""
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }
    return set(re.findall(r"\]\(#([\w-]+)\)", page)) - headings


def write_files(page: Iterable[Block], folder: Path) -> None:
    """Writes the blocks that are files, those whose title has a suffix."""
    for block in page:
        if block.title and "." in block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")


def sessions(page: Iterable[Block]) -> list[tuple[str, str]]:
    """Each command with the output that is shown below it."""
    return [
        (m[1], m[2])
        for block in page
        if block.language == "console"
        for m in _COMMAND.finditer(block.text)
    ]


def pattern(shown: str) -> re.Pattern[str]:
    """The output that a page shows: `...` stands for lines, a decimal fraction for any."""
    number, lines = r"-?\d+\.\d+(?:e[-+]\d+)?", r"(?:.*\n)*?"
    literal = [map(re.escape, re.split(number, part)) for part in shown.split("...\n")]
    return re.compile(lines.join(number.join(parts) for parts in literal))


def run(page: Iterable[Block], specc: Specc, folder: Path) -> list[list[str]]:
    """Does what the page shows in order, in ``folder``, the current one, and asserts the answers.

    What is typed in Python is one session. Gives the arguments of each command.
    """
    ran, names = [], dict[str, object]()
    for block in page:
        if block.language == "console":
            ran += [_command(command, shown, specc, folder) for command, shown in sessions([block])]
        elif block.language == "python" and block.title is None:
            _session(block, names)
    return ran


def _command(command: str, shown: str, specc: Specc, folder: Path) -> list[str]:
    program, *arguments = shlex.split(command)
    assert program == "specc"
    done = specc(*arguments, cwd=folder)
    assert pattern(shown).fullmatch(done.stderr + done.stdout), done.stderr + done.stdout
    return arguments


def _session(block: Block, names: dict[str, object]) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(block.text, names, "page", None, block.line)
    runner = doctest.DocTestRunner(optionflags=flags)
    runner.run(test, clear_globs=False)
    names.update(test.globs)
    done = runner.summarize(verbose=False)
    assert done.attempted > 0
    assert done.failed == 0
