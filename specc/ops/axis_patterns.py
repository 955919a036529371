"""Patterns in einops' notation: ``"n t (s h d) -> s n h t d"``, read and planned.

A side lists the dims of a tensor. A dim is an axis, a group ``(h d)`` of axes of which the first
varies slowest, ``1`` or ``()`` for a dim of size 1, or ``...`` for any number of dims. The notation
and its rules are those of einops 0.8 (A. Rogozhnikov, "Einops", ICLR 2022). A number other than 1
is an axis of that size and of no name: dropped by ``reduce``, added by ``repeat``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Group = tuple[str, ...]
"""The axes that make up one dim."""

Function = Literal["rearrange", "reduce", "repeat"]

_ELLIPSIS = "..."
_MOST_AXES = 32  # half of what PyTorch takes, so that ... has the other half
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class PatternError(ValueError):
    """What is wrong with a pattern, or with the sizes beside it; completes "must be ..."."""


@dataclass(frozen=True)
class _Side:
    """One side as it is written: None is ``...`` outside of parentheses, which is many dims."""

    groups: tuple[Group | None, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        groups = ((_ELLIPSIS,) if group is None else group for group in self.groups)
        return tuple(axis for group in groups for axis in group)

    @property
    def grouped_ellipsis(self) -> bool:
        return any(group is not None and _ELLIPSIS in group for group in self.groups)


@dataclass(frozen=True)
class Recipe:
    """A pattern for inputs of one rank, as steps over axes.

    The input's dims are taken apart into ``taken`` (``groups`` says how), the axes at ``reduced``
    dropped, what is left permuted by ``order``, the axes at ``added`` (places in the result's axes)
    stretched out of nothing, and the result's axes merged as ``merged`` says.
    """

    groups: tuple[Group, ...]
    merged: tuple[Group, ...]

    @property
    def taken(self) -> tuple[str, ...]:
        """The axes of the input, in its order."""
        return tuple(axis for group in self.groups for axis in group)

    @property
    def given(self) -> tuple[str, ...]:
        """The axes of the result, in its order."""
        return tuple(axis for group in self.merged for axis in group)

    @property
    def reduced(self) -> tuple[int, ...]:
        """Places among ``taken`` of the axes that the result lacks."""
        given = set(self.given)
        return tuple(i for i, axis in enumerate(self.taken) if axis not in given)

    @property
    def kept(self) -> tuple[str, ...]:
        """The input's axes that the result has too, in the input's order."""
        given = set(self.given)
        return tuple(axis for axis in self.taken if axis in given)

    @property
    def order(self) -> tuple[int, ...]:
        """How the kept axes are permuted into the result's order."""
        kept = {axis: place for place, axis in enumerate(self.kept)}
        return tuple(kept[axis] for axis in self.given if axis in kept)

    @property
    def added(self) -> tuple[int, ...]:
        """Places among ``given`` of the axes that the input lacks."""
        taken = set(self.taken)
        return tuple(i for i, axis in enumerate(self.given) if axis not in taken)


def literal_size(axis: str) -> int | None:
    """The size of an axis that is written as a number, else None."""
    digits = axis.partition("'")[0]
    return int(digits) if digits.isdecimal() else None


def named_axes(pattern: str) -> tuple[str, ...]:
    """The names in a pattern, each once. Raises PatternError where it is malformed."""
    left, right = _sides(pattern)
    axes = dict.fromkeys((*left.axes, *right.axes))
    return tuple(a for a in axes if a != _ELLIPSIS and literal_size(a) is None)


def least_rank(pattern: str) -> tuple[int, bool]:
    """How many dims the left side names, and whether ``...`` stands for more.

    Raises PatternError where the pattern is malformed.
    """
    left, _ = _sides(pattern)
    return sum(group is not None for group in left.groups), _ELLIPSIS in left.axes


@lru_cache(maxsize=1024)
def recipe(function: Function, pattern: str, rank: int) -> Recipe:
    """The steps of a pattern for an input of ``rank`` dims, which its left side admits.

    Raises PatternError where the function does not do what the pattern says.
    """
    left, right = _sides(pattern)
    _check(function, left, right)
    named, _ = least_rank(pattern)
    dots = tuple(f"{_ELLIPSIS}{i}" for i in range(rank - named))
    return Recipe(_expanded(left, dots), _expanded(right, dots))


def _check(function: Function, left: _Side, right: _Side) -> None:
    only_left = [axis for axis in left.axes if axis not in right.axes]
    only_right = [axis for axis in right.axes if axis not in left.axes]
    if _ELLIPSIS in only_right:
        raise PatternError("one with ... on the left too, where it has it on the right")
    if function != "reduce" and only_left:
        raise PatternError(
            f"one whose right side has every axis of the left; {_shown(only_left[0])} is "
            "missing there"
        )
    if function != "repeat" and only_right:
        raise PatternError(
            f"one whose left side has every axis of the right; {_shown(only_right[0])} is "
            "missing there"
        )


def _shown(axis: str) -> str:
    return f"`{axis.partition(chr(39))[0]}`"


def _expanded(side: _Side, dots: Sequence[str]) -> tuple[Group, ...]:
    groups: list[Group] = []
    for group in side.groups:
        if group is None:
            groups += [(axis,) for axis in dots]
        else:
            groups.append(
                tuple(a for axis in group for a in (dots if axis == _ELLIPSIS else (axis,)))
            )
    return tuple(groups)


@lru_cache(maxsize=1024)
def _sides(pattern: str) -> tuple[_Side, _Side]:
    parts = pattern.split("->")
    if len(parts) != 2:
        raise PatternError('one with a single ->, such as "n h w c -> n c h w"')
    left, right = (_Side(tuple(_parse(part, side))) for part, side in zip(parts, "<>", strict=True))
    for side, name in ((left, "left"), (right, "right")):
        axes = side.axes
        if len(axes) > _MOST_AXES or len(side.groups) > _MOST_AXES:
            raise PatternError(f"one with at most {_MOST_AXES} axes on a side")
        twice = next((axis for axis in axes if axes.count(axis) > 1), None)
        if twice is not None:
            raise PatternError(f"one that names each axis once; `{twice}` is twice on the {name}")
    if left.grouped_ellipsis:
        raise PatternError("one with no ... inside parentheses on the left")
    return left, right


def _parse(text: str, side: str) -> Iterator[Group | None]:
    """The groups of one side. ``side`` tells numbers apart, which are axes of their own each."""
    inside: list[str] | None = None
    for place, token in enumerate(re.findall(r"[()]|[^\s()]+", text)):
        if token == "(":
            if inside is not None:
                raise PatternError("one with no parentheses inside parentheses")
            inside = []
        elif token == ")":
            if inside is None:
                raise PatternError("one whose parentheses are closed where they are open")
            yield tuple(inside)
            inside = None
        elif inside is not None:
            inside += _axis(token, f"{side}{place}")
        else:
            yield None if token == _ELLIPSIS else _axis(token, f"{side}{place}")
    if inside is not None:
        raise PatternError("one whose parentheses are closed")


def _axis(token: str, where: str) -> Group:
    if token == "1":
        return ()
    if token == _ELLIPSIS or _NAME.fullmatch(token):
        return (token,)
    if _NUMBER.fullmatch(token):
        return (f"{token}'{where}",)
    raise PatternError(
        "one of axes (letters, digits and inner underscores, a letter first), numbers, "
        f"parentheses and ...; {token[:40]!r} is none"
    )
