import specc

program = specc.compile("""
net Net(x: [N, 1, 8, 8]) -> [N, 64] { x |> flatten |> softmax(dim=1) }

train {
    data      = digits(resize=8)
    loss      = cross_entropy
    optimizer = adam(lr=1e-3)
    epochs    = 1
}
""")
specc.train(program, device="cpu")
