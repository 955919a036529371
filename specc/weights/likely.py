"""What would make weights fit, where one cause explains all that does not: advice, never done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from specc.ir.patterns import pattern_matches
from specc.weights.facts import Renaming

_MOST_NAMES = 20_000  # of a file for which advice is looked for
_MOST_TRIED = 20  # prefixes
_MOST_LEFT = 3  # patterns of what is left out


def likely_renaming(
    names: Collection[str], names_of: Mapping[str, Sequence[str]], missing: Sequence[str]
) -> Renaming | None:
    """What to do with the ``names`` of a file for a network that wants one of each ``names_of``.

    It may be a prefix before all of the names, one that they lack, and names that are left over, if
    they are few or numbered alike. ``missing`` is what the file has none of. None where more than
    this is wrong.

    >>> net = {f"wte.{i}": [f"wte.{i}"] for i in range(2)}
    >>> likely_renaming(["module.wte.0", "module.mask.0", "module.wte.1"], net, list(net))
    Renaming(rule=('module.**', '**'), left=('mask.*',))
    """
    if len(names) > _MOST_NAMES or any(mark in name for name in names for mark in "*="):
        return None  # of which the last would not say what is meant
    known = {name for group in names_of.values() for name in group}
    for rule, new_names in _renamings(names, names_of, missing):
        new = set(new_names)
        if len(new) < len(new_names) or any(new.isdisjoint(names_of[owner]) for owner in missing):
            continue
        left = _patterns([name for name in new_names if name not in known], new & known)
        # Where most of a file is left over, it is another network's.
        if left is not None and len(new) < 2 * len(new & known):
            return Renaming(rule, left)
    return None


def _renamings(
    names: Collection[str], names_of: Mapping[str, Sequence[str]], missing: Sequence[str]
) -> Iterator[tuple[tuple[str, str] | None, list[str]]]:
    """Rules that may explain what is missing, with the names that each gives."""
    if not missing:
        yield None, list(names)
        return
    tried = 0
    for wanted in names_of[missing[0]]:
        for name in names:
            if wanted.endswith(f".{name}"):
                prefix = wanted.removesuffix(name)
                yield ("**", f"{prefix}**"), [f"{prefix}{each}" for each in names]
            elif name.endswith(f".{wanted}"):
                prefix = name.removesuffix(wanted)
                yield (f"{prefix}**", "**"), [each.removeprefix(prefix) for each in names]
            else:
                continue
            tried += 1
            if tried == _MOST_TRIED:
                return


def _patterns(left: Sequence[str], kept: Collection[str]) -> tuple[str, ...] | None:
    """Few patterns for names, numbers as stars, that match none of ``kept``."""
    patterns = list(dict.fromkeys(map(_numbered, left)))
    if len(patterns) > _MOST_LEFT:
        return None
    if any(pattern_matches(pattern, name) for pattern in patterns for name in kept):
        return None
    return tuple(patterns)


def _numbered(name: str) -> str:
    return ".".join("*" if part.isdecimal() else part for part in name.split("."))
