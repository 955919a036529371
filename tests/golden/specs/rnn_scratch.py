# RNNScratch, compiled by specc 0.1.0 from std/rnn_scratch.net
import torch
from torch import nn


class RNNCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.w_xh = nn.Parameter(torch.empty(8, 64))
        self.w_hh = nn.Parameter(torch.empty(64, 64))
        self.b_h = nn.Parameter(torch.zeros(64))

    def forward(self, x, h):
        return torch.tanh(x @ self.w_xh + h @ self.w_hh + self.b_h)


class RNNScratch(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn_cell1 = RNNCell()
        self.output = nn.Linear(64, 10)
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.normal_(self.rnn_cell1.w_xh, std=0.1)
        nn.init.orthogonal_(self.rnn_cell1.w_hh)

    def forward(self, x):
        N = x.shape[0]
        rows = x.squeeze(1)
        h = torch.zeros(N, 64, dtype=x.dtype, device=x.device)
        for rows_t in rows.unbind(1):
            h = self.rnn_cell1(rows_t, h)
        return self.output(h)
