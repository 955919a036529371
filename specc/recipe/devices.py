"""The devices of a recipe beside those of its net."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from specc.frontend.source import Span
from specc.recipe.facts import ConflictingSettings


def copied_though_placed(
    placed: Collection[str], devices: Sequence[str], where: Span | None = None
) -> ConflictingSettings | None:
    """What is wrong where a recipe copies a net to ``devices`` whose parts are ``placed`` on some.

    None where it names one device at most, or the net puts nothing on a device.
    """
    several = len(devices) > 1 or any(name.endswith(":*") for name in devices)
    if not placed or not several:
        return None
    return ConflictingSettings(
        where=where,
        problem="a net whose parts are on devices of its own cannot be copied to several",
        detail=f"the net puts parts of itself on {' and '.join(placed)}",
        advice="name one device, or leave `devices` out",
    )
