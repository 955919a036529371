# AlexNet2012, compiled by specc 0.1.0 from std/alexnet2012.net
import torch
import torch.nn.functional as F
from torch import nn


class Early(nn.Module):
    """The convolutions before the first crossing. The paper's images are 224 by 224, and its
    maps of 55 by 55 follow with two rows of zeros around them.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 48, 11, stride=4, padding=2)
        self.conv2 = nn.Conv2d(48, 128, 5, padding=2)

    def forward(self, x):
        x = F.local_response_norm(F.relu(self.conv1(x)), 5, alpha=0.0005, k=2.0)
        x = F.max_pool2d(x, 3, stride=2)
        x = F.local_response_norm(F.relu(self.conv2(x)), 5, alpha=0.0005, k=2.0)
        return F.max_pool2d(x, 3, stride=2)


class Late(nn.Module):
    """The convolutions behind it: the first sees both halves, 256 channels, the others their
    own 192.
    """

    def __init__(self):
        super().__init__()
        self.conv3 = nn.Conv2d(256, 192, 3, padding=1)
        self.conv4 = nn.Conv2d(192, 192, 3, padding=1)
        self.conv5 = nn.Conv2d(192, 128, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.conv3(x))
        x = F.relu(self.conv4(x))
        x = F.max_pool2d(F.relu(self.conv5(x)), 3, stride=2)
        return torch.flatten(x, 1)


class Dense(nn.Module):
    """Half of a dense layer. Dropout hides each feature from the next layer in half of the
    updates, so that none can rely on another's being there; without it the network overfits.
    """

    def __init__(self, in_features):
        super().__init__()
        self.linear1 = nn.Linear(in_features, 2048)

    def forward(self, x):
        return F.dropout(F.relu(self.linear1(x)), training=self.training)


class AlexNet2012(nn.Module):
    def __init__(self, top="cpu", bottom="cpu"):
        super().__init__()
        with torch.device(top):
            self.top_early = Early()
        with torch.device(bottom):
            self.bottom_early = Early()
        with torch.device(top):
            self.top_late = Late()
        with torch.device(bottom):
            self.bottom_late = Late()
        with torch.device(top):
            self.top_dense1 = Dense(9216)
        with torch.device(bottom):
            self.bottom_dense1 = Dense(9216)
        with torch.device(top):
            self.top_dense2 = Dense(4096)
        with torch.device(bottom):
            self.bottom_dense2 = Dense(4096)
        with torch.device(top):
            self.classes = nn.Linear(4096, 1000)
        self.register_buffer("top", torch.empty(0, device=top), persistent=False)
        self.register_buffer("bottom", torch.empty(0, device=bottom), persistent=False)
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(module.weight, std=0.01)
            if isinstance(module, Dense):
                nn.init.ones_(module.linear1.bias)
        for parameter in (
            self.top_early.conv1.bias,
            self.bottom_early.conv1.bias,
            self.top_late.conv3.bias,
            self.bottom_late.conv3.bias,
            self.classes.bias,
        ):
            nn.init.zeros_(parameter)
        for parameter in (
            self.top_early.conv2.bias,
            self.bottom_early.conv2.bias,
            self.top_late.conv4.bias,
            self.top_late.conv5.bias,
            self.bottom_late.conv4.bias,
            self.bottom_late.conv5.bias,
        ):
            nn.init.ones_(parameter)

    def forward(self, x):
        a = x.to(self.top.device)
        a = self.top_early(a)
        x = x.to(self.bottom.device)
        b = self.bottom_early(x)
        c = torch.cat([a, b.to(self.top.device)], dim=1)
        c = self.top_late(c)
        a = torch.cat([a.to(self.bottom.device), b], dim=1)
        d = self.bottom_late(a)
        e = torch.cat([c, d.to(self.top.device)], dim=1)
        e = self.top_dense1(e)
        c = torch.cat([c.to(self.bottom.device), d], dim=1)
        f = self.bottom_dense1(c)
        g = torch.cat([e, f.to(self.top.device)], dim=1)
        g = self.top_dense2(g)
        e = torch.cat([e.to(self.bottom.device), f], dim=1)
        h = self.bottom_dense2(e)
        g = torch.cat([g, h.to(self.top.device)], dim=1)
        return self.classes(g)
