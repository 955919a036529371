import specc

specc.compile("""
net Net(x: [N, A * B]) -> [N] {
    return sum(x, dim=1) * A
}
""").onnx()
