"""Lark's parser of the grammar, from a table that ships beside it or from the grammar itself.

Working the LALR table out takes a third of a second, reading it a tenth of that. The table is JSON,
made by ``python -m specc.frontend.table``; it names the grammar and the lark that it was made from,
and where either is another one now, it is not used.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from specc.frontend.lexer import Layout
from specc.frontend.resources import resource
from specc.frontend.tree_builder import TreeBuilder

STARTS = ("source_file", "expression", "setting_value")
TABLE = "net.table.json.gz"
_LARGEST = 8 * 2**20


def build_lark(layout: Layout, builder: TreeBuilder | None = None, *, strict: bool = False) -> Lark:
    """Lark's parser, from the grammar. ``strict`` refuses any conflict (needs interegular)."""
    return Lark(
        _grammar(),
        parser="lalr",
        lexer="basic",
        start=list(STARTS),
        postlex=layout,
        transformer=builder,
        keep_all_tokens=True,
        maybe_placeholders=False,
        strict=strict,
    )


def load_lark(layout: Layout, builder: TreeBuilder) -> Lark:
    """Lark's parser, from the table where there is one for this grammar and this lark."""
    table = _read_table()
    if table is None:
        return build_lark(layout, builder)
    # This is what the parsers call that lark itself generates.
    loaded: Lark = Lark._load_from_dict(  # type: ignore[no-untyped-call]
        table["data"], table["memo"], postlex=layout, transformer=builder
    )
    return loaded


def write_table(path: Path) -> None:
    """Makes the table of the grammar."""
    data, memo = build_lark(Layout()).memo_serialize([TerminalDef, Rule])
    for option in ("postlex", "transformer"):
        data["options"].pop(option, None)
    text = json.dumps({"made_from": _made_from(), "data": data, "memo": memo}, sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def _grammar() -> str:
    return resource("grammars", "net.lark").read_text(encoding="utf-8")


def _made_from() -> dict[str, str]:
    return {"grammar": hashlib.sha256(_grammar().encode()).hexdigest(), "lark": lark.__version__}


def _read_table() -> dict[str, Any] | None:
    """The table, its numbers numbers again (JSON has none as keys), or None if it does not fit."""
    try:
        with gzip.open(resource("grammars", TABLE)) as file:
            table: dict[str, Any] = json.loads(file.read(_LARGEST))
    except (FileNotFoundError, gzip.BadGzipFile, zlib.error, EOFError, ValueError):
        return None
    if table.get("made_from") != _made_from():
        return None
    parser = table["data"]["parser"]["parser"]
    parser["tokens"] = _numbered(parser["tokens"])
    parser["states"] = {
        int(state): _numbered(actions) for state, actions in parser["states"].items()
    }
    table["memo"] = _numbered(table["memo"])
    return table


def _numbered(mapping: dict[str, Any]) -> dict[int, Any]:
    return {int(key): value for key, value in mapping.items()}


if __name__ == "__main__":
    write_table(resource("grammars") / TABLE)
