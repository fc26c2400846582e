"""TransT: template and search region fused by attention, a class and a box for every cell (Chen et al., CVPR 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import nn

from ltr.models.backbone import ResNetBackbone, resnet18, resnet50
from ltr.models.layers.feature_fusion import FeatureFusionNetwork
from ltr.models.layers.mlp import MLP
from ltr.models.layers.position_encoding import sine_positions
from ltr.registry import NETWORKS

TARGET, BACKGROUND = 0, 1  # classes


class CellPredictions(NamedTuple):
    """What is predicted for each cell of a search region, row by row.

    Attributes:
        logits: (N, cells, 2), of the classes ``TARGET`` and ``BACKGROUND``.
        boxes: (N, cells, 4), centre x, centre y, width and height as parts of the search region, in (0, 1).
    """

    logits: torch.Tensor
    boxes: torch.Tensor


class TransT(nn.Module):
    """Predicts, given a template, for each cell of a search region whether it shows the target, and where that is.

    Names of layers, and so the keys of ``state_dict``, are those of the published weights.

    Args:
        backbone: images (N, 3, H, W) in 0..255 to features; has a ``stride``.
        backbone_channels: channels of those.
        fusion: how template and search region are brought together.
        channels: of its tokens.
    """

    def __init__(
        self, backbone: ResNetBackbone, backbone_channels: int, fusion: FeatureFusionNetwork, channels: int
    ) -> None:
        super().__init__()
        self.channels = channels
        self.stride = backbone.stride
        self.featurefusion_network = fusion
        self.class_embed = MLP(channels, channels, 2, 3)
        self.bbox_embed = MLP(channels, channels, 4, 3)
        self.input_proj = nn.Conv2d(backbone_channels, channels, 1)
        self.backbone = nn.Sequential(nn.ModuleDict({"body": backbone}))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, C, H / stride, W / stride) of RGB images (N, 3, H, W) in 0..255."""
        body = cast(nn.ModuleDict, self.backbone[0])["body"]
        return self.input_proj(body(images))

    def predict(self, template: torch.Tensor, search: torch.Tensor) -> CellPredictions:
        """Returns the predictions for features (N, C, h, w) of search regions.

        Args:
            template: features (N, C, hz, wz), or of one template (1, C, hz, wz) for all.
            search: (N, C, h, w).
        """
        template = template.expand(search.shape[0], -1, -1, -1)  # not len(): a traced graph would keep the number
        fused = self.featurefusion_network(
            _tokens(template), _tokens(search), self._positions(template), self._positions(search)
        )
        return CellPredictions(self.class_embed(fused), self.bbox_embed(fused).sigmoid())

    def forward(self, template: torch.Tensor, search: torch.Tensor) -> CellPredictions:
        """Returns the predictions for search images (N, 3, H, W), given template images (N, 3, Hz, Wz), all 0..255."""
        return self.predict(self.features(template), self.features(search))

    def _positions(self, features: torch.Tensor) -> torch.Tensor:
        height, width = features.shape[-2:]
        return _tokens(sine_positions(height, width, self.channels, features.device).to(features.dtype))


def _tokens(features: torch.Tensor) -> torch.Tensor:
    """Returns a map (N, C, H, W) as (N, H * W, C)."""
    return features.flatten(2).transpose(1, 2)


@NETWORKS.register("transt50")
def transt50(
    channels: int = 256,
    heads: int = 8,
    hidden: int = 2048,
    fusion_layers: int = 4,
    dropout: float = 0.1,
    pretrained: str | None = None,
    weights: str | None = None,
) -> TransT:
    """Returns TransT on a ResNet-50 up to layer3, at stride 8 with a dilation of 2.

    Args:
        channels: of the tokens.
        heads: of each attention.
        hidden: width of the feed-forward networks.
        fusion_layers: number of fusion layers.
        dropout: in the fusion, while training.
        pretrained: where the backbone starts, see :func:`ltr.models.backbone.resnet18`.
        weights: a file with weights of the whole network: a state_dict, or a dict that holds one as ``net``, as the
            authors of TransT publish it.

    Raises:
        CheckpointError: the file cannot be read, or its weights do not fit.
        OSError: ImageNet's weights are asked for, and are neither there nor can be downloaded.
    """
    fusion = FeatureFusionNetwork(channels, heads, hidden, fusion_layers, dropout)
    network = TransT(resnet50("layer3", 8, pretrained, dilation=2), 1024, fusion, channels)
    if weights is not None:
        from ltr.admin.checkpoint import load_file, load_weights

        path = Path(weights).expanduser()
        content = load_file(path)
        load_weights(network, content.get("net", content) if isinstance(content, dict) else content, path)
    return network


@NETWORKS.register("transt18")
def transt18(
    channels: int = 256,
    heads: int = 8,
    hidden: int = 2048,
    fusion_layers: int = 4,
    dropout: float = 0.1,
    pretrained: str | None = None,
) -> TransT:
    """Returns TransT on a ResNet-18 up to layer3, at stride 16: for machines on which the ResNet-50 takes too long.

    This variant is ours, so there are no published weights.

    Args:
        channels: of the tokens.
        heads: of each attention.
        hidden: width of the feed-forward networks.
        fusion_layers: number of fusion layers.
        dropout: in the fusion, while training.
        pretrained: where the backbone starts, see :func:`ltr.models.backbone.resnet18`.
    """
    fusion = FeatureFusionNetwork(channels, heads, hidden, fusion_layers, dropout)
    return TransT(resnet18("layer3", 16, pretrained), 256, fusion, channels)
