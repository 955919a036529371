# ViT, compiled by specc 0.1.0 from std/vit.net
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(2304, 768))
        self.in_proj_bias = nn.Parameter(torch.zeros(2304))
        self.out_proj = nn.Linear(768, 768)

    def forward(self, x):
        x = x @ self.in_proj_weight.transpose(0, 1) + self.in_proj_bias
        x = x.unflatten(2, (3, 12, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = x
        y = F.scaled_dot_product_attention(q, k, v).permute(0, 2, 1, 3).flatten(2, 3)
        return self.out_proj(y)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(768, eps=1e-6)
        self.self_attention = SelfAttention()
        self.ln_2 = nn.LayerNorm(768, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(768, 3072),
            nn.GELU(),
            nn.Dropout(0.0),
            nn.Linear(3072, 768),
            nn.Dropout(0.0),
        )

    def forward(self, x):
        y = self.ln_1(x)
        x = x + F.dropout(self.self_attention(y), p=0.0, training=self.training)
        y = self.ln_2(x)
        return x + self.mlp(y)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, 197, 768))
        self.layers = nn.Sequential(
            OrderedDict(
                [
                    ("encoder_layer_0", Layer()),
                    ("encoder_layer_1", Layer()),
                    ("encoder_layer_2", Layer()),
                    ("encoder_layer_3", Layer()),
                    ("encoder_layer_4", Layer()),
                    ("encoder_layer_5", Layer()),
                    ("encoder_layer_6", Layer()),
                    ("encoder_layer_7", Layer()),
                    ("encoder_layer_8", Layer()),
                    ("encoder_layer_9", Layer()),
                    ("encoder_layer_10", Layer()),
                    ("encoder_layer_11", Layer()),
                ]
            )
        )
        self.ln = nn.LayerNorm(768, eps=1e-6)

    def forward(self, x):
        x = F.dropout(x + self.pos_embedding, p=0.0, training=self.training)
        x = self.layers(x)
        return self.ln(x)


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.class_token = nn.Parameter(torch.zeros(1, 1, 768))
        self.conv_proj = nn.Conv2d(3, 768, 16, stride=16)
        self.encoder = Encoder()
        self.heads = nn.Sequential(OrderedDict([("head", nn.Linear(768, 1000))]))
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, SelfAttention):
                nn.init.xavier_uniform_(module.in_proj_weight)
                nn.init.zeros_(module.out_proj.bias)
            if isinstance(module, Layer):
                nn.init.xavier_uniform_(module.mlp[0].weight)
                nn.init.normal_(module.mlp[0].bias, std=1e-6)
                nn.init.xavier_uniform_(module.mlp[3].weight)
                nn.init.normal_(module.mlp[3].bias, std=1e-6)
        nn.init.trunc_normal_(self.conv_proj.weight, std=0.036084391824351615)
        for parameter in (
            self.conv_proj.bias,
            self.heads.head.weight,
            self.heads.head.bias,
        ):
            nn.init.zeros_(parameter)
        nn.init.normal_(self.encoder.pos_embedding, std=0.02)

    def forward(self, x):
        N = x.shape[0]
        words = self.conv_proj(x).permute(0, 2, 3, 1).flatten(1, 2)
        x = torch.cat([self.class_token.expand(N, -1, -1), words], dim=1)
        x = self.encoder(x)
        return self.heads(x[:, 0])
