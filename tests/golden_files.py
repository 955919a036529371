"""Golden files: a text that a test makes, beside what made it, for a reviewer to read.

A test calls ``check_golden("syntax/wildcard.txt", text)``. With ``SPECC_UPDATE_GOLDEN=1`` in the
environment the files are written anew, for the change to be read in the diff; otherwise a
difference, or a missing file, fails the test.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "SPECC_UPDATE_GOLDEN"


def check_golden(path: str | Path, text: str) -> None:
    """Asserts that ``text`` equals the file at ``path``, which is relative to ``tests/golden``."""
    file = GOLDEN / path
    text = text.rstrip("\n") + "\n"
    if os.environ.get(UPDATE) == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or _read(file) != text:
            file.write_text(text, encoding="utf-8", newline="")
        return
    assert file.exists(), f"no {file.relative_to(GOLDEN.parent)}; run again with {UPDATE}=1"
    golden = _read(file)
    if golden != text:
        difference = difflib.unified_diff(
            golden.splitlines(), text.splitlines(), "golden", "now", lineterm=""
        )
        raise AssertionError(
            "\n".join([f"{path} differs; if that is meant, run again with {UPDATE}=1", *difference])
        )


def _read(file: Path) -> str:
    with file.open(encoding="utf-8", newline="") as opened:
        return opened.read()
