from pathlib import Path

import numpy as np

import specc

np.savez("words.npz", x=np.arange(40).reshape(40, 1), y=np.zeros((40, 3), np.float32))
Path("words.net").write_text("""
net Words(x: i64[N, T]) -> [N, 3] { x |> Embedding(30, 3) |> sum(dim=1) }

train {
    data      = npz("words.npz")
    loss      = mse
    optimizer = adam(lr=1e-3)
    epochs    = 1
    batch     = 40
}
""")
specc.train(specc.compile("words.net"), device="cpu")
