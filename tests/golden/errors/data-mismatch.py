import specc

program = specc.compile("""
net Net(x: [N, 28, 28]) -> [N, 10] { x |> flatten |> Linear(10) }

train {
    data      = digits(resize=8)
    loss      = cross_entropy
    optimizer = adam(lr=1e-3)
    epochs    = 1
}
""")
specc.train(program, device="cpu")
