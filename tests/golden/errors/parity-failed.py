from pathlib import Path

import specc
from specc.verification.parity import verify

program = specc.compile("net Net(x: [4, 8]) -> [4, 4] { x |> Linear(4) }")
program.build("net.onnx", verify=False)
verify(program.network, Path("net.onnx"), seed=1)  # its weights were drawn from seed 0
