"""The shipped LALR table is the grammar's, and what does not fit is not used."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from specc.frontend import table
from specc.frontend.lexer import Layout
from specc.frontend.resources import resource
from specc.frontend.tree_builder import TreeBuilder


def _builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Records whether the grammar is worked out anew."""
    built: list[str] = []
    build = table.build_lark
    monkeypatch.setattr(
        table, "build_lark", lambda *a, **k: built.append("built") or build(*a, **k)
    )
    return built


def test_the_shipped_table_fits_the_grammar(monkeypatch: pytest.MonkeyPatch):
    # After a change of the grammar: python -m specc.frontend.table
    made_from = json.loads(gzip.decompress(resource("grammars", table.TABLE).read_bytes()))[
        "made_from"
    ]
    assert made_from["grammar"] == table._made_from()["grammar"]
    built = _builds(monkeypatch)
    table.load_lark(Layout(), TreeBuilder())
    assert built == ([] if made_from == table._made_from() else ["built"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b"not json", mtime=0),
        gzip.compress(b'{"made_from": {"grammar": "another", "lark": "0"}}', mtime=0),
        gzip.compress(b"{}", mtime=0)[:-4],
        gzip.compress(b"{}", mtime=0)[:10] + b"\xff" * 20,
    ],
    ids=["empty", "no gzip", "no JSON", "of another grammar", "cut off", "damaged"],
)
def test_a_table_that_does_not_fit_is_not_used(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / table.TABLE
    path.write_bytes(content)
    grammar = resource("grammars", "net.lark")
    monkeypatch.setattr(
        table, "resource", lambda kind, name="": path if name == table.TABLE else grammar
    )
    built = _builds(monkeypatch)
    table.load_lark(Layout(), TreeBuilder())
    assert built == ["built"]


def test_a_written_table_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / table.TABLE
    table.write_table(path)
    grammar = resource("grammars", "net.lark")
    monkeypatch.setattr(
        table, "resource", lambda kind, name="": path if name == table.TABLE else grammar
    )
    built = _builds(monkeypatch)
    loaded = table.load_lark(Layout(), TreeBuilder())
    assert built == []
    assert set(loaded.options.start) == set(table.STARTS)
