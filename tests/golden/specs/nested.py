# Nested, compiled by specc 0.1.0 from std/nested.net
from torch import nn


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Sequential(
                *[
                    nn.Sequential(
                        nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU()
                    )
                    for _ in range(4)
                ]
            ),
            nn.Linear(4, 1),
        )

    def forward(self, x):
        return self.net(x)
