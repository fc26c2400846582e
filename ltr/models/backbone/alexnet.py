"""The AlexNet-like backbone of SiamFC, with siamfc-pytorch's state_dict keys."""

from __future__ import annotations

import torch
from torch import nn

from ltr.registry import BACKBONES


class AlexNetBackbone(nn.Module):
    """Five convolutions without padding, so that no feature knows where in the image it is.

    Bertinetto et al., SiamFC, ECCV workshops 2016, table 1, with two groups in three of the convolutions.
    """

    channels = 256
    stride = 8
    first_center = 43.5  # the first cell sees the pixels 0 to 86

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _block(3, 96, 11, stride=2, pool=True)
        self.conv2 = _block(96, 256, 5, groups=2, pool=True)
        self.conv3 = _block(256, 384, 3)
        self.conv4 = _block(384, 384, 3, groups=2)
        self.conv5 = nn.Sequential(nn.Conv2d(384, 256, 3, groups=2))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, 256, h, w) of RGB images (N, 3, H, W) in 0..255: 6 cells of 127 pixels."""
        return self.conv5(self.conv4(self.conv3(self.conv2(self.conv1(images)))))


def _block(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, pool: bool = False
) -> nn.Sequential:
    block = nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, groups=groups),
        nn.BatchNorm2d(outputs, eps=1e-6, momentum=0.05),
        nn.ReLU(inplace=True),
    )
    if pool:
        block.append(nn.MaxPool2d(3, 2))
    return block


@BACKBONES.register("alexnet")
def alexnet() -> AlexNetBackbone:
    """Returns SiamFC's AlexNet with random weights."""
    return AlexNetBackbone()
