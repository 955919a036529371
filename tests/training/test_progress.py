"""What a run shows: a bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import io
import re

from rich.console import Console

import specc
from specc.training.progress import ConsoleProgress

LINE = """
net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }
train {
    data = synthetic_regression(examples=100)
    loss = mse
    optimizer = sgd(lr=0.05)
    epochs = 12
    batch = 16
    metrics = [mae]
}
"""
NUMBER = r"\d+\.\d{4}"


def shown(*, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=60)
    specc.train(specc.compile(LINE), device="cpu", progress=ConsoleProgress(console))
    return output.getvalue()


def test_a_pipe_gets_a_plain_line_for_each_epoch() -> None:
    first, *epochs = shown(terminal=False).splitlines()
    assert first == "Line: 3 parameters, 80 examples (20 held out), on cpu"
    assert len(epochs) == 12
    for number, line in enumerate(epochs, start=1):
        pattern = (
            rf"epoch {number:2}/12  train loss {NUMBER}  mae {NUMBER}  "
            rf"test loss {NUMBER}  mae {NUMBER}  [\d,]+ examples/s"
        )
        assert re.fullmatch(pattern, line), line


def test_a_terminal_gets_a_bar_that_moves_and_goes() -> None:
    output = shown(terminal=True)
    assert "\x1b[" in output
    assert "60/60" in output or "55/60" in output
    assert "examples/s" in output
    assert re.search(rf"loss {NUMBER}", output)
    assert "\x1b[?25h" in output  # the cursor is back


def test_markup_in_a_name_is_shown_as_text() -> None:
    output = io.StringIO()
    ConsoleProgress(Console(file=output))._say("[bold]x[/bold]")
    assert output.getvalue() == "[bold]x[/bold]\n"
