"""Every benchmark runs, at a size that says nothing about speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import NAMES
from bench.generated import FORMS, spec
from bench.measure import BenchmarkFailed, process, ratio
from specc import compile

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_and_writes_its_report(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", name, "--tiny", "-o", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / f"{name}.json").read_text())
    assert report["rows"]
    assert all(len(row) == len(report["columns"]) for row in report["rows"])
    assert report["raw"]
    assert all(seconds > 0 for figures in report["raw"].values() for seconds in figures)
    assert done.stdout.strip() == (tmp_path / f"{name}.md").read_text().strip()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_a_weight_and_a_bias_for_each_layer(form: str) -> None:
    network = compile(spec(form, 7)).network
    assert len({parameter.name for parameter in network.parameters}) == 2 * 7


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(BenchmarkFailed, match="exit code 3"):
        process([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_ratio_is_that_of_the_typical_round() -> None:
    assert ratio([1.0, 2.0, 90.0], [2.0, 4.0, 3.0]) == 0.5
