"""Rules that rename weights, before there are any: ``"module.**"`` to ``"**"``."""

from __future__ import annotations

from specc.ir.patterns import stars


def rule_problem(pattern: str, name: str | None) -> str | None:
    """Why a rule cannot be followed, whatever the weights are; None where it can.

    >>> rule_problem("module.**", "**"), rule_problem("h.*.bias", "h.bias")
    (None, 'the new name has the stars of the old one, in the same order')
    """
    if not pattern:
        return "the old name is empty"
    if name is None:
        return None
    if not name:
        return "the new name is empty"
    if stars(pattern) != stars(name):
        return "the new name has the stars of the old one, in the same order"
    return None
