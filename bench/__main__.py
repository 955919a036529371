"""Runs benchmarks and writes their reports: ``python -m bench [NAME ...]``."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

NAMES = (
    "startup",
    "scale",
    "module_speed",
    "model_speed",
    "export_speed",
    "onnxruntime_speed",
)
_RESULTS = Path(__file__).resolve().parent / "results"


def main() -> int:
    """Runs the chosen benchmarks, or all; 1 where a figure is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("-o", "--output", type=Path, default=_RESULTS, metavar="FOLDER")
    parser.add_argument(
        "--tiny", action="store_true", help="sizes that only show that everything runs"
    )
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}")
    exceeded = 0
    for name in options.names or NAMES:
        report = importlib.import_module(f"bench.{name}").run(tiny=options.tiny)
        report.write(options.output)
        print(report.markdown(), flush=True)
        exceeded += sum(not bound.kept for bound in report.bounds)
    # Sizes that only show that everything runs are no measurement.
    return int(exceeded > 0 and not options.tiny)


if __name__ == "__main__":
    sys.exit(main())
