"""A network from a JSON text that may come from anywhere."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from specc.ir.graph import Network

MAX_CHARACTERS = 2**28
"""Of a JSON text. A network of a hundred thousand nodes takes about a tenth of that."""

_SHOWN = 300


def network_from_json(text: str) -> Network:
    """The network that ``text`` holds, its fields of the right types and nothing beyond them.

    Whether it is sound, ``specc.invariants`` says. Raises ValueError where the text is no JSON,
    gives a key twice, is of another version, or does not have the form of a network.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the text is longer than {MAX_CHARACTERS:,} characters")
    try:
        json.loads(text, object_pairs_hook=_refuse_repeated)
        return Network.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise ValueError(f"{place or 'the text'}: {first['msg']}"[:_SHOWN]) from None
    except RecursionError:
        raise ValueError("the text nests too deeply") from None
    except ValueError as error:  # json's own, or a character that UTF-8 cannot hold
        raise ValueError(str(error)[:_SHOWN]) from None


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> None:
    """Readers differ in which of two equal keys they take, so neither is."""
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise ValueError(f"the key {key[:80]!r} is given twice")
        seen.add(key)
