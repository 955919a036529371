"""No text, JSON network or weight file becomes code, reaches a file or escapes as an exception."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import specc
from tests.fuzz.hostile.documents import DOCUMENTS
from tests.fuzz.hostile.headers import HEADERS, weight_file
from tests.fuzz.hostile.texts import INERT, TEXTS
from tests.targets.test_python_injection import assert_harmless

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what hostile imports reach for, inside it and beside it."""
    return lay_traps(tmp_path)


def lay_traps(outside: Path) -> Path:
    """Makes that folder; ``main.net`` is for the text."""
    inside = outside / "project"
    inside.mkdir()
    (outside / "secret.net").write_text("block A(x: [...]) = x\n", encoding="utf-8")
    (inside / "link.net").symlink_to(outside / "secret.net")
    (inside / "circle.net").symlink_to(inside / "circle.net")
    (inside / "folder.net").mkdir()
    os.mkfifo(inside / "pipe.net")
    return inside


def test_the_corpus_is_large_enough() -> None:
    corpus = (TEXTS, DOCUMENTS, HEADERS)
    assert sum(expected != INERT for part in corpus for _, expected in part.values()) >= 100


def outcome(make: Callable[[], specc.Program]) -> specc.SpecError | None:
    """How a network is refused; None where it is made, and what is made from it is harmless."""
    try:
        program = make()
        source = program.python()
    except specc.SpecError as error:
        return error
    assert_harmless(source)
    assert specc.Program.from_json(program.to_json()).python() == source
    return None


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_refused_or_inert(name: str, folder: Path) -> None:
    text, expected = TEXTS[name]
    path = folder / "main.net"
    path.write_text(text, encoding="utf-8")
    refused = outcome(lambda: specc.compile(path))
    if refused is None:
        assert expected == INERT
        return
    assert expected in [diagnostic.code for diagnostic in refused.diagnostics], str(refused)
    assert all(diagnostic.primary is not None for diagnostic in refused.diagnostics)
    assert all(c.isprintable() or c == "\n" for c in str(refused))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_refused_or_inert(name: str) -> None:
    text, expected = DOCUMENTS[name]
    refused = outcome(lambda: specc.Program.from_json(text))
    assert (refused is None) == (expected == INERT), str(refused)
    assert refused is None or expected in str(refused)


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_weight_file_is_refused(name: str, tmp_path: Path) -> None:
    header, expected = HEADERS[name]
    path = tmp_path / "w.safetensors"
    path.write_bytes(weight_file(header))
    with pytest.raises(specc.SpecError) as caught:
        specc.load(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize("specs", [180, pytest.param(1000, marks=pytest.mark.slow)])
def test_compiling_hostile_and_generated_specs_reaches_nothing(tmp_path: Path, specs: int) -> None:
    """An audit hook sees each file opened, module imported, process and connection begun."""
    done = _audited(lay_traps(tmp_path), specs)
    assert done.returncode == 0, done.stderr[-3000:]
    found = re.fullmatch(r"(\d+) specs, (\d+) compiled\n", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) == specs
    assert 0.03 * specs < int(found[2]) < 0.7 * specs  # neither kind is missing


@pytest.mark.parametrize("deed", ["open", "import", "spawn", "connect", "write", "list"])
def test_the_audit_hook_sees_what_is_not_needed(tmp_path: Path, deed: str) -> None:
    done = _audited(lay_traps(tmp_path), 0, deed)
    assert done.returncode != 0
    assert "not needed" in done.stderr


def _audited(folder: Path, specs: int, *deed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.audited", str(folder), str(specs), *deed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
