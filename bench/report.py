"""A table with what was measured, how to repeat it, and what was asked of the figures."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.measure import machine


@dataclass(frozen=True)
class Bound:
    """A figure that has to stay below a limit."""

    what: str
    figure: float
    limit: float

    @property
    def kept(self) -> bool:
        """Whether it does."""
        return self.figure <= self.limit


@dataclass
class Report:
    """The outcome of one benchmark.

    ``method`` says what was timed and against what; ``raw`` holds every single figure, in seconds.
    """

    name: str
    title: str
    method: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    raw: dict[str, list[float]] = field(default_factory=dict)

    def markdown(self) -> str:
        """The report as a page."""
        parts = [f"# {self.title}", self.method, _table(self.columns, self.rows)]
        if self.bounds:
            rows = [
                (b.what, f"{b.figure:.3g}", f"{b.limit:.3g}", "yes" if b.kept else "NO")
                for b in self.bounds
            ]
            parts.append(_table(("asked", "measured", "at most", "kept"), rows))
        parts.append(f"To repeat: `make bench`, or `python -m bench {self.name}` for this one.")
        parts.append("\n".join(f"- {key}: {value}" for key, value in machine().items()))
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> None:
        """Writes NAME.md for people and NAME.json, with every figure, for programs."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(self.markdown(), encoding="utf-8")
        text = json.dumps({**asdict(self), "machine": machine()}, indent=1, ensure_ascii=False)
        (folder / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
