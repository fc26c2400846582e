"""The IoU network of ATOM (Danelljan et al., CVPR 2019), which DiMP estimates boxes with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ltr.models.layers.prroi_pool import pool_boxes

Features = tuple[Tensor, Tensor]
"""Maps at stride 8 and at stride 16."""

STRIDES = (8, 16)


@dataclass(frozen=True)
class Modulation:
    """What is known of the target, (S, C) at each stride: factors on the channels of the IoU features."""

    stride8: Tensor
    stride16: Tensor


class AtomIoUNet(nn.Module):
    """Predicts how much boxes overlap with the target, from one image in which the target is known.

    Weights start as those of its authors: He's for convolutions and linear layers, uniform in (0, 1) for batch norms.

    Args:
        input_channels: of the backbone's features at stride 8 and at stride 16.
        channels: of the IoU features at stride 8 and at stride 16.
        hidden: of the last layer's outputs for stride 8 and for stride 16, of which the overlap is predicted.
    """

    def __init__(
        self,
        input_channels: tuple[int, int],
        channels: tuple[int, int] = (256, 256),
        hidden: tuple[int, int] = (256, 256),
    ) -> None:
        super().__init__()
        self.conv3_1r = conv_block(input_channels[0], 128)
        self.conv3_1t = conv_block(input_channels[0], 256)
        self.conv3_2t = conv_block(256, channels[0])
        self.fc3_1r = conv_block(128, 256, padding=0)
        self.conv4_1r = conv_block(input_channels[1], 256)
        self.conv4_1t = conv_block(input_channels[1], 256)
        self.conv4_2t = conv_block(256, channels[1])
        self.fc34_3r = conv_block(256 + 256, channels[0], kernel=1)
        self.fc34_4r = conv_block(256 + 256, channels[1], kernel=1)
        self.fc3_rt = LinearBlock(channels[0], hidden[0], cells=5)
        self.fc4_rt = LinearBlock(channels[1], hidden[1], cells=3)
        self.iou_predictor = nn.Linear(sum(hidden), 1)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight)

    def modulation(self, features: Features, boxes: Tensor) -> Modulation:
        """Returns what is known of the target in backbone features (S, C, H, W) of its box (S, 4) x, y, w, h."""
        corners = _corners(boxes)[:, None]
        near = pool_boxes(self.conv3_1r(features[0]), corners, 3, 1 / STRIDES[0])[:, 0]
        far = pool_boxes(self.conv4_1r(features[1]), corners, 1, 1 / STRIDES[1])[:, 0]
        target = torch.cat([self.fc3_1r(near), far], dim=1)
        return Modulation(self.fc34_3r(target)[..., 0, 0], self.fc34_4r(target)[..., 0, 0])

    def iou_features(self, features: Features) -> Features:
        """Returns what boxes are judged by, (N, C, H, W) at both strides, for backbone features of N images."""
        return self.conv3_2t(self.conv3_1t(features[0])), self.conv4_2t(self.conv4_1t(features[1]))

    def predict_iou(self, modulation: Modulation, iou_features: Features, boxes: Tensor) -> Tensor:
        """Returns the predicted overlaps (N, P), differentiable in the boxes.

        Args:
            modulation: of each of the N images' targets.
            iou_features: of the N images.
            boxes: (N, P, 4) x, y, w, h in crop pixels.
        """
        corners = _corners(boxes)
        # The factors on the channels come after pooling, which is linear: far fewer numbers than the maps hold.
        near = pool_boxes(iou_features[0], corners, self.fc3_rt.cells, 1 / STRIDES[0])
        far = pool_boxes(iou_features[1], corners, self.fc4_rt.cells, 1 / STRIDES[1])
        near = near * modulation.stride8[:, None, :, None, None]
        far = far * modulation.stride16[:, None, :, None, None]
        judged = torch.cat([self.fc3_rt(near.flatten(0, 1)), self.fc4_rt(far.flatten(0, 1))], dim=1)
        return self.iou_predictor(judged).view(boxes.shape[:2])

    def forward(
        self, train_features: Features, test_features: Features, train_boxes: Tensor, proposals: Tensor
    ) -> Tensor:
        """Returns the predicted overlaps (J, S, P) of boxes in J test images with the target of the first train image.

        Args:
            train_features: backbone features (I, S, C, H, W) at both strides.
            test_features: backbone features (J, S, C, H, W) at both strides.
            train_boxes: (I, S, 4) x, y, w, h in crop pixels.
            proposals: (J, S, P, 4) x, y, w, h in pixels of the test images' crops.
        """
        images, sequences, count = proposals.shape[:3]
        first = self.modulation((train_features[0][0], train_features[1][0]), train_boxes[0])
        each = Modulation(*(part.repeat(images, 1) for part in (first.stride8, first.stride16)))
        features = self.iou_features((test_features[0].flatten(0, 1), test_features[1].flatten(0, 1)))
        return self.predict_iou(each, features, proposals.flatten(0, 1)).view(images, sequences, count)


class LinearBlock(nn.Module):
    """A linear layer on pooled features (N, C, cells, cells), then batch norm and ReLU: (N, outputs)."""

    def __init__(self, channels: int, outputs: int, cells: int) -> None:
        super().__init__()
        self.cells = cells
        self.outputs = outputs
        self.linear = nn.Linear(channels * cells * cells, outputs)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, pooled: Tensor) -> Tensor:
        """Returns (N, outputs)."""
        return torch.relu(self.bn(self.linear(pooled.flatten(1))[..., None, None]))[..., 0, 0]


def conv_block(channels: int, outputs: int, kernel: int = 3, padding: int | None = None) -> nn.Sequential:
    """Returns a convolution, batch norm and ReLU; the map keeps its size, unless ``padding`` is given."""
    padding = kernel // 2 if padding is None else padding
    return nn.Sequential(nn.Conv2d(channels, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU())


def _corners(boxes: Tensor) -> Tensor:
    return torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], dim=-1)
