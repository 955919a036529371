import specc

specc.compile(
    "net Net(x: [N, 8]) -> (scale: [N, 8]) {\n"
    "    param scale: [8] ~ ones\n"
    "    return x * scale\n"
    "}\n"
).onnx()
