"""``docs/custom_operators.md`` is true: its module, its spec and its sessions run as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import pages
from tests.pages import Specc

BLOCKS = pages.blocks((pages.DOCS / "custom_operators.md").read_text(encoding="utf-8"))


def test_what_the_page_shows_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, specc: Specc
) -> None:
    pages.write_files(BLOCKS, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert len(pages.run(BLOCKS, specc, tmp_path)) == 3
