"""What one text may ask of the front end; counted before anything is built from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Upper bounds on one source text.

    ``nesting`` bounds what hangs on one another: brackets and bodies that enclose, and operators,
    calls and attributes that chain, so that every tree is at most about this deep and no later pass
    can run out of stack. Members, arguments, stages and statements are not counted by it.
    """

    bytes: int = 16 * 2**20
    nesting: int = 100
    digits: int = 100
    name_length: int = 200
    errors: int = 20


DEFAULT_LIMITS = Limits()
