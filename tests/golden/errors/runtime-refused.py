from pathlib import Path

import specc
from specc.verification.parity import verify

program = specc.compile("net Net(x: [4, 8]) -> [4, 4] { x |> Linear(4) }")
Path("net.onnx").write_bytes(b"no ONNX file")
verify(program.network, Path("net.onnx"))
