"""What the emitter refuses."""

from __future__ import annotations


class EmitError(ValueError):
    """A network that cannot be written as Python; a sound network never raises it."""
