import specc

specc.compile("net Net(x: [N, 8]) -> [N, 4] {\n    x |> Linear(4) \x07\n}\n")
