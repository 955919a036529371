# ResNet, compiled by specc 0.1.0 from std/resnet.net
import torch
import torch.nn.functional as F
from torch import nn


class Bottleneck(nn.Module):
    """The block of ResNet-50 and deeper (figure 5, right): a convolution of 1 x 1 narrows the input to
    `channels`, one of 3 x 3 works there, where it is cheap, and one of 1 x 1 widens the result to
    `expansion` times as many. It is the 3 x 3 convolution that strides, as in torchvision ("ResNet
    v1.5"), and not the first one, as in the paper.
    """

    def __init__(self, in_channels, channels, stride, out_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(
            channels, channels, 3, stride=stride, padding=1, bias=False
        )
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        x = self.downsample(x)
        return F.relu(x + y, inplace=True)


class Bottleneck2(nn.Module):
    """The block of ResNet-50 and deeper (figure 5, right): a convolution of 1 x 1 narrows the input to
    `channels`, one of 3 x 3 works there, where it is cheap, and one of 1 x 1 widens the result to
    `expansion` times as many. It is the 3 x 3 convolution that strides, as in torchvision ("ResNet
    v1.5"), and not the first one, as in the paper.
    """

    def __init__(self, in_channels, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, in_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(in_channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return F.relu(x + y, inplace=True)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(
            Bottleneck(in_channels=64, channels=64, stride=1, out_channels=256),
            Bottleneck2(256, 64),
            Bottleneck2(256, 64),
        )
        self.layer2 = nn.Sequential(
            Bottleneck(in_channels=256, channels=128, stride=2, out_channels=512),
            *[Bottleneck2(512, 128) for _ in range(3)],
        )
        self.layer3 = nn.Sequential(
            Bottleneck(in_channels=512, channels=256, stride=2, out_channels=1024),
            *[Bottleneck2(1024, 256) for _ in range(5)],
        )
        self.layer4 = nn.Sequential(
            Bottleneck(in_channels=1024, channels=512, stride=2, out_channels=2048),
            Bottleneck2(2048, 512),
            Bottleneck2(2048, 512),
        )
        self.fc = nn.Linear(2048, 1000)
        self.reset_parameters()

    def reset_parameters(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)
        return self.fc(x)
