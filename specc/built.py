"""What a build is asked for and what it gives, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specc.verification.report import ParityReport
    from specc.weights.safetensors import Weights


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How ``Program.build`` makes a file; what its kind has no use for is without effect.

    Without ``weights``, up to ``processes`` draw the initial values of ``seed``. ``limit`` is how
    many seconds a run of the comparison may take where the net has a run-time loop, None for the
    usual ones.
    """

    weights: Weights | None
    seed: int
    processes: int
    opset: int | None
    verify: bool
    strip: bool
    limit: float | None


@dataclass(frozen=True)
class Built:
    """The files that a build wrote, and what the parity check found where it was run.

    ``unverified`` says why it could not be run though it was asked for.
    """

    paths: tuple[Path, ...]
    parity: ParityReport | None = None
    unverified: str | None = None
