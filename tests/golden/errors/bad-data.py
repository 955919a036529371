from pathlib import Path

import specc

Path("train.npz").write_bytes(b"not an archive")
Path("line.net").write_text("""
net Line(x: [N, 4]) -> [N, 1] { x |> Linear(1) }

train {
    data      = npz("train.npz")
    loss      = mse
    optimizer = sgd(lr=0.1)
    epochs    = 1
}
""")
specc.train(specc.compile("line.net"), device="cpu")
