"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ASKED = 4  # candidates that are looked at
_WORD = 4  # letters that make a word
_BEGINNING = 3  # letters that make the beginning of one


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like ``name``, where one is like it enough to be worth a question."""
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    asked = name.casefold()
    close = difflib.get_close_matches(asked, folded, n=_ASKED, cutoff=0.6)
    likely = [word for word in close if _plausible(asked, word)]
    # Who writes three letters of a name and stops means that name: `Lin` is no slip for `sin`.
    if len(asked) >= _BEGINNING:
        likely = sorted((word for word in folded if word.startswith(asked)), key=len) or likely
    return folded[likely[0]] if likely else None


def _plausible(name: str, candidate: str) -> bool:
    """Whether a slip leads from one to the other: not from ``lt`` to ``LSTM``.

    Letters that are left out count for more in a short name, unless one holds the other whole.
    """
    shorter, longer = sorted((name, candidate), key=len)
    if len(longer) - len(shorter) <= max(1, len(name) // 3):
        return True
    return len(shorter) >= _WORD and shorter in longer


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The question that a help line asks."""
    close = nearest(name, candidates)
    return f"did you mean {close!r}?" if close else None
