"""The block that turns backbone features into those that the target classifier works on (DiMP, figure 2)."""

from __future__ import annotations

import math

import torch
from torch import nn

from ltr.models.layers.instance_norm import InstanceL2Norm


def classification_features(channels: int, blocks: int | None, out_channels: int, filter_size: int) -> nn.Sequential:
    """Returns residual blocks, a 3x3 convolution and an L2 normalisation.

    The normalisation makes a filter's scores independent of its size and of the number of channels. Convolutions start
    as those of DiMP's authors (:func:`start_by_outputs`).

    Args:
        channels: of the backbone's features.
        blocks: number of residual blocks; None: neither these nor the convolution, but the normalisation alone.
        out_channels: of the classification features; without a convolution, those of the backbone's.
        filter_size: cells of the filter along each side.
    """
    from torchvision.models.resnet import BasicBlock  # seconds to import, which other networks' commands are spared

    norm = InstanceL2Norm(math.sqrt(1 / (out_channels * filter_size**2)))
    if blocks is None:
        return nn.Sequential(norm)
    layers: list[nn.Module] = [BasicBlock(channels, channels) for _ in range(blocks)]
    layers.append(nn.Conv2d(channels, out_channels, 3, padding=1, bias=False))
    features = nn.Sequential(*layers, norm)
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            start_by_outputs(module.weight)
    return features


def start_by_outputs(weight: torch.Tensor) -> None:
    """Fills a convolution's weight (out, in, k, k) from a normal distribution of variance 2 / (k k out)."""
    nn.init.normal_(weight, std=math.sqrt(2 / (weight.shape[0] * weight.shape[2] * weight.shape[3])))
