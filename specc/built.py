"""What a build gives, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specc.verification.report import ParityReport


@dataclass(frozen=True)
class Built:
    """The files that a build wrote, and what the parity check found where it was run.

    ``unverified`` says why it could not be run though it was asked for.
    """

    paths: tuple[Path, ...]
    parity: ParityReport | None = None
    unverified: str | None = None
