"""What was compared, and how far apart it was."""

from __future__ import annotations

from dataclasses import dataclass

from specc.ir.types import DType

BOUNDS = {DType.F64: 1e-7, DType.F32: 1e-4, DType.F16: 1e-2, DType.BF16: 5e-2}
"""The greatest relative difference of an output by its dtype; integers and bools must be equal."""


@dataclass(frozen=True)
class OutputReport:
    """One output at one assignment.

    ``difference`` is max|a - b| / max|b|, b being PyTorch's: infinite where infinities or NaN stand
    at different places. Where b is little more than rounding errors, it is relative to these, so
    that it is within the ``bound`` where they explain it. ``problem`` says what is wrong beside
    numbers: a shape, a dtype.
    """

    name: str
    type: str
    difference: float
    bound: float
    problem: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether this output is as it should be."""
        return self.problem is None and self.difference <= self.bound

    @property
    def verdict(self) -> str:
        """In words: ``differs by 3.1e-07, at most 1e-04 is allowed``."""
        if self.problem is not None:
            return self.problem
        return f"differs by {self.difference:.1e}, at most {self.bound:.0e} is allowed"


@dataclass(frozen=True)
class CaseReport:
    """All outputs for one assignment of the symbolic dims."""

    sizes: tuple[tuple[str, int], ...]
    outputs: tuple[OutputReport, ...]

    @property
    def at(self) -> str:
        """`` at N=1, T=2``; empty where nothing is symbolic."""
        return describe(dict(self.sizes))


@dataclass(frozen=True)
class ParityReport:
    """All that was compared."""

    cases: tuple[CaseReport, ...]

    @property
    def failures(self) -> tuple[tuple[CaseReport, OutputReport], ...]:
        """The outputs that disagree, in order."""
        return tuple((c, output) for c in self.cases for output in c.outputs if not output.agrees)

    @property
    def agrees(self) -> bool:
        """Whether every output agrees everywhere."""
        return not self.failures

    @property
    def difference(self) -> float:
        """The greatest difference of all."""
        return max((output.difference for c in self.cases for output in c.outputs), default=0.0)

    def text(self) -> str:
        """A line an output and case: ``logits f32[2, 10] at N=2: 3.1e-07 (at most 1e-04)``."""
        lines = []
        for case in self.cases:
            for output in case.outputs:
                mark = "" if output.agrees else "  <- disagrees"
                verdict = output.problem or f"{output.difference:.1e} (at most {output.bound:.0e})"
                lines.append(f"{output.name} {output.type}{case.at}: {verdict}{mark}")
        return "\n".join(lines)


def describe(sizes: dict[str, int]) -> str:
    """`` at N=1, T=2``; empty for no sizes."""
    return f" at {', '.join(f'{name}={size}' for name, size in sizes.items())}" if sizes else ""
