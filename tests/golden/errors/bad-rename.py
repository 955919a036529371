import specc

program = specc.compile(
    "net Net(x: [N, 8]) -> [N, 4] { x |> hidden: Linear(16) |> out: Linear(4) }"
)
program.build("net.safetensors")
program.onnx(weights="net.safetensors", rename={"hiden.*": "hidden.*"})
