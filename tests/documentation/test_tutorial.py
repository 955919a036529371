"""``docs/tutorial.md`` is true: each section's commands and sessions give what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from specc.compiler import parse_text
from tests import pages
from tests.pages import Specc

PAGE = (pages.DOCS / "tutorial.md").read_text(encoding="utf-8")
SECTIONS = {name: found for name, found in pages.sections(PAGE).items() if found}


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_runs_as_shown(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, specc: Specc
) -> None:
    pages.write_files(pages.blocks(PAGE), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert pages.run(SECTIONS[section], specc, tmp_path)


def test_no_file_is_written_twice() -> None:
    titles = [block.title for block in pages.blocks(PAGE) if block.title]
    assert sorted(titles) == sorted(set(titles))


def test_every_spec_is_run() -> None:
    sessions = "\n".join(b.text for b in pages.blocks(PAGE) if b.title is None)
    specs = [block for block in pages.blocks(PAGE, "net") if block.title]
    assert len(specs) > 10
    assert [spec.title for spec in specs if str(spec.title) not in sessions] == []
    assert all(parse_text(spec.text).nets for spec in specs)


def test_links_lead_to_headings() -> None:
    assert pages.dangling_links(PAGE) == set()
