# MLP, compiled by specc 0.1.0 from std/mlp.net
import torch.nn.functional as F
from torch import nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 64)
        self.output = nn.Linear(64, 10)
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)
        nn.init.kaiming_uniform_(self.hidden.weight, nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.hidden(x))
        return self.output(x)
