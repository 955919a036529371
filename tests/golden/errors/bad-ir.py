import specc

program = specc.compile("net Net(x: [N, 8]) -> [N, 4] { x |> Linear(4) }")
specc.Program.from_json(program.to_json().replace('"in_features": 8', '"in_features": 9'))
