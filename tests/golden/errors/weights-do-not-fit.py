import specc

small = specc.compile("net Net(x: [N, 8]) -> [N, 4] { x |> hidden: Linear(16) |> out: Linear(4) }")
large = specc.compile("net Net(x: [N, 8]) -> [N, 4] { x |> hidden: Linear(32) |> head: Linear(4) }")
small.build("small.safetensors")
large.onnx(weights="small.safetensors")
