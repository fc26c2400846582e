"""Fully-convolutional Siamese networks (Bertinetto et al., SiamFC, ECCV workshops 2016)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ltr.models.backbone import alexnet, resnet18, resnet22
from ltr.models.mode import evaluating
from ltr.registry import BACKBONES, NETWORKS

PROJECTED = 64  # outputs of a projection head (SoCL, section J)
CALIBRATION_UNIT = 100.0
"""An optimizer such as Adam moves a number by about a learning rate a step, so the calibration is kept in hundreds."""


@dataclass(frozen=True)
class FeatureGrid:
    """Where a square crop's feature cells lie: cell i is the ``stride`` pixels from ``start + i * stride`` on.

    Attributes:
        cells: on each side.
        stride: side of a cell in pixels of the crop.
        start: edge of the first cell in pixels of the crop; negative where the network pads.
    """

    cells: int
    stride: int
    start: float


class SiamFCNet(nn.Module):
    """Features that template and search region are compared with, and the comparison itself.

    Training and tracking call the same two methods, so what is learned is what is compared.

    Args:
        backbone: images (N, 3, H, W) in 0..255 to features; what else it has, :mod:`ltr.models.backbone` says.
        border: feature cells dropped on each side. Zero padding writes the position into the outer cells of a padded
            backbone, which contrastive learning would pick up instead of the target (Zhang & Peng, SiamDW).
        normalise: L2-normalise each location, so that responses are mean cosine similarities in [-1, 1]; otherwise
            features are compared as the backbone leaves them, by mean dot products.
        response_scale: factor on the sum over the template, as SiamFC and SiamDW have it; none: the mean over cells.
        projection: have a projection head, for :meth:`embed`.
        calibrated: have a gain and a bias that make logits of responses, for :meth:`logits`.
        backbone_name: attribute that holds the backbone, and so what the state_dict's keys begin with.

    Raises:
        ValueError: the border is negative.
    """

    def __init__(
        self,
        backbone: nn.Module,
        border: int = 0,
        normalise: bool = True,
        response_scale: float | None = None,
        projection: bool = False,
        calibrated: bool = False,
        backbone_name: str = "backbone",
    ) -> None:
        super().__init__()
        if border < 0:
            raise ValueError(f"border is {border}; it counts feature cells, from 0")
        self.add_module(backbone_name, backbone)
        self.backbone_name = backbone_name
        self.border = border
        self.normalise = normalise
        self.response_scale = response_scale
        self.projection = projection_head(int(backbone.channels)) if projection else None  # type: ignore[arg-type]
        start = torch.tensor(first_calibration(normalise, response_scale)) / CALIBRATION_UNIT
        self.calibration = nn.Parameter(start) if calibrated else None

    @property
    def stride(self) -> int:
        """Image pixels for one feature cell."""
        return int(self.get_submodule(self.backbone_name).stride)  # type: ignore[arg-type]  # a plain number

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, C, h, w) of RGB images (N, 3, H, W) in 0..255.

        Raises:
            ValueError: the image is so small that dropping the border leaves nothing.
        """
        return self._unit(self._trimmed(images))

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Returns what contrastive learning compares: the projected features (N, 64, h, w), or else the features.

        The head serves the loss alone: tracking uses the features in front of it (SoCL, section J).
        """
        return self.features_and_embedding(images)[1]

    def features_and_embedding(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns what calling the network and :meth:`embed` return, for the price of one; without a head it is one."""
        trimmed = self._trimmed(images)
        features = self._unit(trimmed)
        return features, features if self.projection is None else self._unit(self.projection(trimmed))

    def correlate(self, template: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """Returns the response maps (N, 1, hx - hz + 1, wx - wz + 1): cross-correlation, summed over the template.

        The sum is multiplied by ``response_scale``, or else divided by the number of the template's cells.

        Args:
            template: (1, C, hz, wz), compared with every search region, or (N, C, hz, wz), compared pair by pair.
            search: (N, C, hx, wx).
        """
        scale = self.response_factor(template.shape[-2] * template.shape[-1])
        if template.shape[0] == 1:
            return F.conv2d(search, template) * scale
        pairs, channels = search.shape[:2]
        response = F.conv2d(search.reshape(1, pairs * channels, *search.shape[-2:]), template, groups=pairs)
        return response.transpose(0, 1) * scale

    def response_factor(self, cells: int) -> float:
        """Returns the factor on the sum over a template of so many cells."""
        return self.response_scale or 1 / cells

    def logits(self, response: torch.Tensor) -> torch.Tensor:
        """Returns response maps as logits for a classification loss: gain times response plus bias.

        SiamFC's own responses are logits already; cosine similarities lie in [-1, 1], where no loss could tell target
        from background, and so need a learned gain and bias, as do mean dot products. Tracking asks only where the
        response is highest.
        """
        if self.calibration is None:
            return response
        gain, bias = self.calibration * CALIBRATION_UNIT
        return gain * response + bias

    def grid(self, size: int) -> FeatureGrid:
        """Returns where the feature cells of a crop of ``size`` x ``size`` pixels lie.

        Raises:
            ValueError: the crop is too small for the network.
        """
        backbone = self.get_submodule(self.backbone_name)
        parameter = next(backbone.parameters())
        try:
            with evaluating(self):
                cells = self(torch.zeros(1, 3, size, size, device=parameter.device)).shape[-1]
        except RuntimeError as error:  # a kernel larger than what is left of the image
            raise ValueError(f"a crop of {size} pixels is too small for {type(backbone).__name__}: {error}") from error
        start = float(backbone.first_center) + (self.border - 0.5) * self.stride  # type: ignore[arg-type]
        return FeatureGrid(cells, self.stride, start)

    def _trimmed(self, images: torch.Tensor) -> torch.Tensor:
        features = self.get_submodule(self.backbone_name)(images)
        if self.border:
            if min(features.shape[-2:]) <= 2 * self.border:
                raise ValueError(
                    f"images of {images.shape[-2]} x {images.shape[-1]} pixels give features of {features.shape[-2]} x "
                    f"{features.shape[-1]} cells, too few to drop a border of {self.border}"
                )
            features = features[..., self.border : -self.border, self.border : -self.border]
        return features

    def _unit(self, features: torch.Tensor) -> torch.Tensor:
        # Coarse unit vectors would be as far apart as what tells two scales apart.
        return F.normalize(features.float(), dim=1) if self.normalise else features


def first_calibration(normalise: bool, response_scale: float | None) -> tuple[float, float]:
    """Returns gain and bias before training, with which logits tell little apart yet, and are not far from 0.

    Args:
        normalise: responses are cosine similarities, all of them near a half.
        response_scale: responses are scaled to be logits already; none: they are means over the template. Without
            normalisation these are dot products of ImageNet's features, whose mean length is about 2.6 (ResNet-18,
            layer2): the gain brings it to 1.
    """
    if response_scale is not None:
        return 1.0, 0.0
    return (10.0, -5.0) if normalise else (10.0 / 2.6**2, -5.0)


def projection_head(channels: int, outputs: int = PROJECTED) -> nn.Sequential:
    """Returns a perceptron of one hidden layer, as wide as its input, applied to each cell (SoCL, section J)."""
    return nn.Sequential(nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True), nn.Conv2d(channels, outputs, 1))


@NETWORKS.register("siamfc")
def siamfc(
    backbone: str, backbone_args: Mapping[str, Any] | None = None, border: int = 0, normalise: bool = True
) -> SiamFCNet:
    """Returns a SiamFC network on any registered backbone.

    Args:
        backbone: a name in BACKBONES.
        backbone_args: its arguments.
        border: feature cells dropped on each side.
        normalise: compare by cosine similarity.
    """
    return SiamFCNet(BACKBONES[backbone](**(backbone_args or {})), border, normalise)


@NETWORKS.register("siamfc_resnet18")
def siamfc_resnet18(
    output_layer: str = "layer2",
    stride: int = 8,
    border: int = 3,
    normalise: bool = True,
    projection: bool = False,
    calibrated: bool = False,
    pretrained: str | None = None,
) -> SiamFCNet:
    """Returns a SiamFC network on ResNet-18, as SoCL-Siam and Box-Siam use it.

    Args:
        output_layer: the ResNet layer whose output is compared.
        stride: image pixels for one feature cell.
        border: feature cells dropped on each side. Three also keep the template close to the target:
            normalised features of background weigh as much as those of the target.
        normalise: compare by cosine similarity, or else by dot products of the features as they are.
        projection: learn through a projection head, which tracking leaves out.
        calibrated: learn a gain and a bias that make logits of the response.
        pretrained: see :func:`ltr.models.backbone.resnet18`.
    """
    backbone = resnet18(output_layer, stride, pretrained)
    return SiamFCNet(backbone, border, normalise, projection=projection, calibrated=calibrated)


@NETWORKS.register("siamfc_alexnet")
def siamfc_alexnet(
    normalise: bool = False,
    projection: bool = False,
    calibrated: bool = False,
    weights: str | Path | None = None,
) -> SiamFCNet:
    """Returns SiamFC as its authors have it: AlexNet, and 0.001 times the cross-correlation, which is a logit.

    Args:
        normalise: compare by cosine similarity, averaged over the template, instead.
        projection: learn through a projection head, which tracking leaves out.
        calibrated: learn a gain and a bias that make logits of the response.
        weights: a file with siamfc-pytorch's state_dict; none: random weights.

    Raises:
        CheckpointError: the file does not hold such weights.
    """
    net = SiamFCNet(
        alexnet(),
        normalise=normalise,
        response_scale=None if normalise else 1e-3,
        projection=projection,
        calibrated=calibrated,
    )
    return _with_weights(net, weights)


@NETWORKS.register("siamfc_resnet22")
def siamfc_resnet22(normalise: bool = False, calibrated: bool = False, weights: str | Path | None = None) -> SiamFCNet:
    """Returns SiamFC on SiamDW's ResNet-22, with 0.1 times the cross-correlation as response.

    Args:
        normalise: compare by cosine similarity, averaged over the template, instead.
        calibrated: see :class:`SiamFCNet`.
        weights: a file with the state_dict of SiamDW's CIResNet22, which sees BGR images: the inputs of its first
            convolution change places; none: random weights.

    Raises:
        CheckpointError: the file does not hold such weights.
    """
    scale = None if normalise else 0.1
    net = SiamFCNet(
        resnet22(), normalise=normalise, response_scale=scale, calibrated=calibrated, backbone_name="features"
    )
    return _with_weights(net, weights, weights_for_rgb)


def weights_for_rgb(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Returns the weights of SiamDW's ResNet-22, which sees BGR images, for RGB ones."""
    first = "features.conv1.weight"
    return {name: value.flip(1) if name == first and value.ndim == 4 else value for name, value in weights.items()}


def _with_weights(
    net: SiamFCNet,
    weights: str | Path | None,
    change: Callable[[Mapping[str, torch.Tensor]], Mapping[str, torch.Tensor]] = dict,
) -> SiamFCNet:
    if weights is not None:
        from ltr.admin.checkpoint import load_file, load_weights

        path = Path(weights).expanduser()
        content = load_file(path)
        load_weights(net, change(content) if isinstance(content, Mapping) else content, path)
    return net
