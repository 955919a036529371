import specc

program = specc.compile(
    "net Net(x: [N, T]) -> [N, T] {\n    assert T > 8\n    assert T < 4\n    return x * 2\n}\n"
)
program.build("net.onnx")
