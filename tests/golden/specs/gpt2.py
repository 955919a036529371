# GPT2, compiled by specc 0.1.0 from std/gpt2.net
import torch
import torch.nn.functional as F
from torch import nn


class Conv1D(nn.Module):
    def __init__(self, features, units):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, units))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x):
        return x @ self.weight + self.bias


class Attention(nn.Module):
    """A token looks back at the tokens before it, `heads` times at once, each time with a part of
    the features. One matrix product makes all queries, keys and values.
    """

    def __init__(self):
        super().__init__()
        self.c_attn = Conv1D(768, 2304)
        self.c_proj = Conv1D(768, 768)

    def forward(self, x):
        x = self.c_attn(x).unflatten(2, (3, 12, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = x
        q = F.scaled_dot_product_attention(
            q, k, v, is_causal=True, dropout_p=0.1 * self.training
        )
        y = q.permute(0, 2, 1, 3).flatten(2, 3)
        return F.dropout(self.c_proj(y), p=0.1, training=self.training)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.c_fc = Conv1D(768, 3072)
        self.c_proj = Conv1D(3072, 768)

    def forward(self, x):
        x = F.gelu(self.c_fc(x), approximate="tanh")
        return F.dropout(self.c_proj(x), p=0.1, training=self.training)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(768)
        self.attn = Attention()
        self.ln_2 = nn.LayerNorm(768)
        self.mlp = MLP()

    def forward(self, x):
        y = self.ln_1(x)
        x = x + self.attn(y)
        y = self.ln_2(x)
        return x + self.mlp(y)


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(50257, 768)
        self.wpe = nn.Embedding(1024, 768)
        self.h = nn.Sequential(*[Layer() for _ in range(12)])
        self.ln_f = nn.LayerNorm(768)

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.wte(tokens)
        y = torch.arange(T, device=tokens.device)
        x = F.dropout(x + self.wpe(y), p=0.1, training=self.training)
        x = self.h(x)
        return self.ln_f(x)


class GPT2(nn.Module):
    """The last layer asks of every token how well its embedding fits, so it shares the embedding's
    matrix; a checkpoint may hold it a second time, as `lm_head.weight`. The matrix that ends a
    branch starts smaller the more layers there are: so the sum of all branches keeps its variance.
    """

    def __init__(self):
        super().__init__()
        self.transformer = Transformer()
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, Attention):
                nn.init.normal_(module.c_attn.weight, std=0.02)
                nn.init.normal_(module.c_proj.weight, std=0.004082482904638631)
            if isinstance(module, MLP):
                nn.init.normal_(module.c_fc.weight, std=0.02)
                nn.init.normal_(module.c_proj.weight, std=0.004082482904638631)

    def forward(self, tokens):
        T = tokens.shape[1]
        if T > 1024:
            raise ValueError(
                f"there are 1024 positions: 1024 >= T does not hold at T = {T}"
            )
        return F.linear(self.transformer(tokens), self.transformer.wte.weight)
