"""What onnxruntime cannot run on the CPU, as (node, dtype).

Samples of these are checked on every other target and skipped here; ``test_operators`` asserts that
each gap is still one, so that this list does not outlive what it excuses.
"""

from __future__ import annotations

from typing import Final

GAPS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("AveragePool", "f64"),
        ("Conv", "f64"),
        ("Gemm", "bf16"),
        ("Softplus", "f64"),
    }
)
