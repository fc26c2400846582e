"""Fully-convolutional Siamese networks (Bertinetto et al., SiamFC, ECCV workshops 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ltr.models.backbone import resnet18
from ltr.registry import BACKBONES, NETWORKS


class SiamFCNet(nn.Module):
    """Features that template and search region are compared with, and the comparison itself.

    Training and tracking call the same two methods, so what is learned is what is compared.

    Args:
        backbone: images (N, 3, H, W) in 0..255 to features; has a ``stride``.
        border: feature cells dropped on each side. Zero padding writes the position into the outer cells of a padded
            backbone, which contrastive learning would pick up instead of the target (Zhang & Peng, SiamDW).
        normalise: L2-normalise each location, so that responses are mean cosine similarities in [-1, 1].
    """

    def __init__(self, backbone: nn.Module, border: int = 0, normalise: bool = True) -> None:
        super().__init__()
        self.backbone = backbone
        self.border = border
        self.normalise = normalise

    @property
    def stride(self) -> int:
        """Image pixels for one feature cell."""
        return int(self.backbone.stride)  # type: ignore[arg-type]  # a plain number, not a parameter

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, C, h, w) of RGB images (N, 3, H, W) in 0..255.

        Raises:
            ValueError: the image is so small that dropping the border leaves nothing.
        """
        features = self.backbone(images)
        if self.border:
            if min(features.shape[-2:]) <= 2 * self.border:
                raise ValueError(
                    f"images of {images.shape[-2]} x {images.shape[-1]} pixels give features of {features.shape[-2]} x "
                    f"{features.shape[-1]} cells, too few to drop a border of {self.border}"
                )
            features = features[..., self.border : -self.border, self.border : -self.border]
        return F.normalize(features, dim=1) if self.normalise else features

    def correlate(self, template: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """Returns the response maps (N, 1, hx - hz + 1, wx - wz + 1): cross-correlation, averaged over template cells.

        Args:
            template: (1, C, hz, wz), compared with every search region, or (N, C, hz, wz), compared pair by pair.
            search: (N, C, hx, wx).
        """
        cells = template.shape[-2] * template.shape[-1]
        if template.shape[0] == 1:
            return F.conv2d(search, template) / cells
        pairs, channels = search.shape[:2]
        response = F.conv2d(search.reshape(1, pairs * channels, *search.shape[-2:]), template, groups=pairs)
        return response.transpose(0, 1) / cells


@NETWORKS.register("siamfc")
def siamfc(
    backbone: str, backbone_args: Mapping[str, Any] | None = None, border: int = 0, normalise: bool = True
) -> SiamFCNet:
    """Returns a SiamFC network on any registered backbone.

    Args:
        backbone: a name in BACKBONES.
        backbone_args: its arguments.
        border: see :class:`SiamFCNet`.
        normalise: likewise.
    """
    return SiamFCNet(BACKBONES[backbone](**(backbone_args or {})), border, normalise)


@NETWORKS.register("siamfc_resnet18")
def siamfc_resnet18(
    output_layer: str = "layer2",
    stride: int = 8,
    border: int = 3,
    normalise: bool = True,
    pretrained: str | None = None,
) -> SiamFCNet:
    """Returns a SiamFC network on ResNet-18, as SoCL-Siam and Box-Siam use it.

    Args:
        output_layer: the ResNet layer whose output is compared.
        stride: image pixels for one feature cell.
        border: feature cells dropped on each side. Three also keep the template close to the target:
            normalised features of background weigh as much as those of the target.
        normalise: compare by cosine similarity.
        pretrained: see :func:`ltr.models.backbone.resnet18`.
    """
    return SiamFCNet(resnet18(output_layer, stride, pretrained), border, normalise)
