"""Only what is needed of a checkpoint is read: processes whose memory is far below its size.

The checkpoints are sparse files of zeros, which take no space on most disks.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 2**20

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the peak is read from /proc"
)

_PEAK = """
import sys
from specc.cli.main import main
code = main(sys.argv[1:])
# Not getrusage's, which counts what this process was before it became this program.
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
sys.exit(code)
"""


def peak(folder: Path, *arguments: str, code: int = 0) -> int:
    """The most memory, in bytes, that the command line takes; mapped files count too."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return 1024 * int(done.stdout.splitlines()[-1])


def shards(folder: Path, tensors: dict[str, list[int]]) -> None:
    """A folder with an index and a shard of zeros for each tensor, in f32."""
    folder.mkdir()
    weight_map = {}
    for number, (name, shape) in enumerate(tensors.items()):
        file = f"model-{number}.safetensors"
        size = 4 * shape[0] * shape[1]
        header = {name: {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}
        text = json.dumps(header).encode()
        with (folder / file).open("wb") as shard:
            shard.write(struct.pack("<Q", len(text)) + text)
            shard.truncate(8 + len(text) + size)
        weight_map[name] = file
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


WIDE = """\
net Wide(n = 12)(x: f32[N, 2048]) -> f32[N, 2048] {
    x |> h: [Linear(2048, bias=false) for i in 0..n]
}
"""


def test_headers_alone_are_read_to_list_and_to_judge(tmp_path: Path) -> None:
    shards(tmp_path / "huge", {f"h.{i}.weight": [2**15, 2**14] for i in range(8)})  # 2 GB each
    (tmp_path / "wide.net").write_text(WIDE)
    assert peak(tmp_path, "params", "huge") < 300 * MEGABYTE
    build = ("build", "wide.net", "--weights", "huge", "-o", "wide.safetensors")
    assert peak(tmp_path, *build, code=3) < 300 * MEGABYTE


def test_what_is_picked_is_read_and_nothing_else(tmp_path: Path) -> None:
    huge = {f"h.{i}.mask": [2**15, 2**14] for i in range(8)}
    shards(tmp_path / "huge", huge | {"h.0.weight": [2048, 2048]})
    (tmp_path / "wide.net").write_text(WIDE)
    picked = ("params", "huge", "h.0.weight", "--stats", "--hist")
    assert peak(tmp_path, *picked) < 300 * MEGABYTE
    build = ("build", "wide.net", "--set", "n=1", "--weights", "huge", "-o", "wide.safetensors")
    assert peak(tmp_path, *build, "--rename", "h.*.mask=") < 300 * MEGABYTE


@pytest.mark.parametrize(
    ("target", "dtype", "count"),
    [
        ("wide.safetensors", "f32", 24),
        ("wide.safetensors", "f64", 12),  # which is converted
        ("wide.onnx", "f32", 24),
    ],
)
def test_one_tensor_at_a_time_goes_from_file_to_file(
    target: str, dtype: str, count: int, tmp_path: Path
) -> None:
    shards(tmp_path / "many", {f"h.{i}.weight": [2048, 2048] for i in range(count)})
    (tmp_path / "wide.net").write_text(WIDE.replace("f32", dtype))
    build = ["build", "wide.net", "--set", f"n={count}", "--weights", "many", "-o", target]
    build += ["--cast"] if dtype == "f64" else []
    build += ["--no-verify"] if target == "wide.onnx" else []
    most = peak(tmp_path, *build)
    assert (tmp_path / target).stat().st_size > 380 * MEGABYTE
    assert most < 300 * MEGABYTE
