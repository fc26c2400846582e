"""The ResNet-22 of cropping residual units (Zhang and Peng, Deeper and Wider Siamese Networks, CVPR 2019: SiamDW)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ltr.registry import BACKBONES


class CroppingBottleneck(nn.Module):
    """A bottleneck unit that drops the outermost cells of its sum, the only ones that its zero padding reaches.

    Args:
        inputs: channels that come in.
        width: channels inside; four times as many come out.
        last_relu: end with a ReLU.
    """

    expansion = 4

    def __init__(self, inputs: int, width: int, last_relu: bool = True) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        self.last_relu = last_relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns (N, 4 width, H - 2, W - 2) of (N, inputs, H, W)."""
        straight = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x)) + straight
        return (F.relu(x) if self.last_relu else x)[..., 1:-1, 1:-1]


class ResNet22Backbone(nn.Module):
    """SiamDW's CIResNet22: a stem and seven cropping bottlenecks, whose features have seen no padding.

    The stride comes from pooling. The last unit has no ReLU. The published tables do not say so; it is what we take
    the released network to do.
    """

    channels = 512
    stride = 8
    first_center = 47.5  # the first cell sees the pixels 1 to 93

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        unit = CroppingBottleneck
        self.layer1 = nn.Sequential(unit(64, 64), unit(256, 64), unit(256, 64))
        # The pooling has a place of its own in the layer, so the keys go from layer2.0 to layer2.2.
        self.layer2 = nn.Sequential(
            unit(256, 128), nn.MaxPool2d(2, 2), unit(512, 128), unit(512, 128), unit(512, 128, last_relu=False)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, 512, h, w) of RGB images (N, 3, H, W) in 0..255: 5 cells of 127 pixels."""
        x = F.relu(self.bn1(self.conv1(images)))[..., 2:-2, 2:-2]
        return self.layer2(self.layer1(F.max_pool2d(x, 2)))


@BACKBONES.register("resnet22")
def resnet22() -> ResNet22Backbone:
    """Returns SiamDW's ResNet-22 with random weights."""
    return ResNet22Backbone()
