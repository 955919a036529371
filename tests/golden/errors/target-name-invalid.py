from dataclasses import replace

import specc

program = specc.compile("net Net(x: [N, 8]) -> [N, 4] { x |> Linear(4) }")
(output,) = program.network.outputs
nameless = program.network.model_copy(update={"outputs": (output.model_copy(update={"name": ""}),)})
replace(program, network=nameless).onnx()
