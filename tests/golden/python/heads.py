# Heads, compiled by specc 0.1.0
import torch
import torch.nn.functional as F
from torch import nn


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(12, 36)
        self.proj = nn.Linear(12, 12)

    def forward(self, x):
        N, T, _ = x.shape
        q, k, v = torch.chunk(self.qkv(x), 3, dim=-1)
        q = q.reshape(N, T, 3, 4)
        k = k.reshape(N, T, 3, 4)
        v = v.reshape(N, T, 3, 4)
        q = q.transpose(1, 2)
        k = k.transpose(1, 2)
        v = v.transpose(1, 2)
        scores = F.softmax(q @ k.transpose(-2, -1) / 2.0, dim=-1)
        scores = (scores @ v).transpose(1, 2).reshape(N, T, 12)
        return self.proj(scores)
