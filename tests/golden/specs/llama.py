# Llama, compiled by specc 0.1.0 from std/llama.net
import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(4096, 4096, bias=False)
        self.k_proj = nn.Linear(4096, 4096, bias=False)
        self.v_proj = nn.Linear(4096, 4096, bias=False)
        self.o_proj = nn.Linear(4096, 4096, bias=False)

    def forward(self, x, cos, sin):
        q = self.q_proj(x).unflatten(2, (32, -1)).permute(0, 2, 1, 3)
        k = self.k_proj(x).unflatten(2, (32, -1)).permute(0, 2, 1, 3)
        v = self.v_proj(x).unflatten(2, (32, -1)).permute(0, 2, 1, 3)
        q = torch.cat(
            [
                q[..., :64] * cos - q[..., 64:] * sin,
                q[..., 64:] * cos + q[..., :64] * sin,
            ],
            dim=-1,
        )
        k = torch.cat(
            [
                k[..., :64] * cos - k[..., 64:] * sin,
                k[..., 64:] * cos + k[..., :64] * sin,
            ],
            dim=-1,
        )
        q = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = q.permute(0, 2, 1, 3).flatten(2, 3)
        return self.o_proj(y)


class SwiGLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = nn.Linear(4096, 11008, bias=False)
        self.up_proj = nn.Linear(4096, 11008, bias=False)
        self.down_proj = nn.Linear(11008, 4096, bias=False)

    def forward(self, x):
        gate = F.silu(self.gate_proj(x))
        return self.down_proj(gate * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(4096, eps=1e-5)
        self.self_attn = Attention()
        self.post_attention_layernorm = nn.RMSNorm(4096, eps=1e-5)
        self.mlp = SwiGLU()

    def forward(self, x, cos, sin):
        y = self.input_layernorm(x)
        x = x + self.self_attn(y, cos, sin)
        z = self.post_attention_layernorm(x)
        return x + self.mlp(z)


class Model(nn.Module):
    """Pair `i` of a head's features turns by position / theta^(2i / D): the first pairs tell
    neighbours apart, the last ones far places.
    """

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(32000, 4096)
        self.layers = nn.ModuleList([Layer() for _ in range(32)])
        self.norm = nn.RMSNorm(4096, eps=1e-5)

    def forward(self, tokens):
        T = tokens.shape[1]
        angles = torch.arange(T, device=tokens.device).unsqueeze(1)
        y = torch.arange(64, device=tokens.device).to(self.embed_tokens.weight.dtype)
        y = y * -0.015625
        y = 10000.0**y
        angles = angles.to(self.embed_tokens.weight.dtype)
        angles = angles * y
        cosines = torch.cos(angles)
        sines = torch.sin(angles)
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x, cosines, sines)
        return self.norm(x)


class Llama(nn.Module):
    """Smaller models are often `tied`: the last layer shares the matrix of the embedding."""

    def __init__(self):
        super().__init__()
        self.model = Model()
        self.lm_head = nn.Linear(4096, 32000, bias=False)
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, (nn.Embedding, nn.Linear)):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, tokens):
        x = self.model(tokens)
        return self.lm_head(x)
