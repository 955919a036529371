# Lists, compiled by specc 0.1.0
from collections import OrderedDict

import torch
from torch import nn


class Abs(nn.Module):
    def forward(self, x):
        return torch.abs(x)


class Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(4, 2, 1)
        self.b = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x):
        return self.a(x), self.b(x)


class Concat(nn.Module):
    def forward(self, x, y):
        return torch.cat([x, y], dim=1)


class Mixed(nn.Sequential):
    def __init__(self):
        super().__init__(Towers(), Concat(), nn.Conv2d(6, 4, 1))

    def forward(self, x):
        x, y = self[0](x)
        x = self[1](x, y)
        return self[2](x)


class Lists(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), Abs()
        )
        self.mixed = Mixed()
        self.classifier = nn.Sequential(
            OrderedDict(
                [
                    ("hidden", nn.Linear(64, 16)),
                    ("act", nn.Tanh()),
                    ("out", nn.Linear(16, 5)),
                ]
            )
        )
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.classifier.hidden.weight, std=0.01)
        nn.init.constant_(self.classifier.out.bias, 1)

    def forward(self, x):
        x = self.features(x)
        x = torch.flatten(self.mixed(x), 1)
        return self.classifier(x)
