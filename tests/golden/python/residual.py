# TinyResNet, compiled by specc 0.1.0 from resnet.net
import torch
import torch.nn.functional as F
from torch import nn


class Residual(nn.Module):
    """Two convolutions and a shortcut (He et al., 2015)."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(x + y, inplace=True)


class Bottom(nn.Module):
    """Two convolutions and a shortcut (He et al., 2015)."""

    def __init__(self, channels, in_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, channels, 3, stride=2, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Sequential(
            nn.Conv2d(in_channels, channels, 1, stride=2, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        x = self.downsample(x)
        return F.relu(x + y, inplace=True)


class TinyResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.ModuleList([Residual(8), Residual(8)])
        self.layer2 = nn.ModuleList([Bottom(16, 8)])
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        for layer in self.layer1:
            x = layer(x)
        x = torch.mean(self.layer2[0](x), dim=(2, 3))
        return self.fc(x)
