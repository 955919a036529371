import specc

program = specc.compile("""
net Line(x: [N, 2]) -> [N, 1] { x |> Linear(1) }

train {
    data      = synthetic_regression(w=[2, -3.4], b=4.2)
    loss      = mse
    optimizer = sgd(lr=1000)
    epochs    = 5
}
""")
specc.train(program, device="cpu")
