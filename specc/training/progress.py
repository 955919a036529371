"""Progress of a run on a console: a bar on a terminal, a line for each epoch in a pipe."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from specc.training.result import Epoch, Outcome, Run

_SMOOTHING = 0.98
_SECONDS_BETWEEN_UPDATES = 0.1


class ConsoleProgress:
    """Watches a run and shows it on ``console``, which the command line hands over."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._run: Run | None = None
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._loss: float | None = None
        self._examples = 0
        self._pending = 0
        self._began = self._shown = 0.0

    def started(self, run: Run) -> None:
        """Says what is trained, on what, and opens the bar."""
        self._run = run
        frozen = f" ({run.frozen:,} more are frozen)" if run.frozen else ""
        self._say(
            f"{run.network}: {run.parameters:,} parameters{frozen}, "
            f"{run.train_examples:,} examples ({run.test_examples:,} held out), on {run.device}"
        )
        self._began = self._shown = time.perf_counter()
        if self.console.is_terminal:
            self._bar = Bar(
                TextColumn("epoch {task.fields[epoch]}/" + str(run.epochs)),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TextColumn("loss {task.fields[loss]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=run.steps, epoch=1, rate="", loss="")
            self._bar.start()

    def stepped(self, epoch: int, examples: int, loss: float) -> None:
        """Moves the bar, a few times a second; the loss shown is a running mean."""
        smooth = loss if self._loss is None else _SMOOTHING * self._loss + (1 - _SMOOTHING) * loss
        self._loss = smooth
        self._examples += examples
        self._pending += 1
        now = time.perf_counter()
        if self._bar is not None and now - self._shown >= _SECONDS_BETWEEN_UPDATES:
            self._advance(epoch, now)

    def _advance(self, epoch: int, now: float) -> None:
        assert self._bar is not None
        rate = f"{self._examples / (now - self._began):,.0f} examples/s"
        loss = "" if self._loss is None else f"{self._loss:.4f}"
        self._bar.update(self._task, advance=self._pending, epoch=epoch, rate=rate, loss=loss)
        self._pending = 0
        self._shown = now

    def epoch_ended(self, epoch: Epoch) -> None:
        """Prints the epoch's line, above the bar where there is one."""
        assert self._run is not None
        now = time.perf_counter()
        if self._bar is not None:
            self._advance(epoch.epoch, now)
        width = len(str(self._run.epochs))
        rate = self._examples / max(now - self._began, 1e-9)
        self._say(
            f"epoch {epoch.epoch:{width}}/{self._run.epochs}  train {_numbers(epoch.train)}  "
            f"test {_numbers(epoch.test)}  {rate:,.0f} examples/s"
        )

    def ended(self, outcome: Outcome | None) -> None:
        """Closes the bar."""
        if self._bar is not None:
            self._bar.stop()
        if outcome == "interrupted":
            self._say("interrupted: what was trained so far is kept")

    def _say(self, line: str) -> None:
        # As plain text, since a network's name may hold what rich takes for markup.
        self.console.print(Text(line), soft_wrap=True)


def _numbers(measured: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in measured.items())
