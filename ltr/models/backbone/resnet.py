"""ResNet feature extractors with torchvision's layers and state_dict keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltr.registry import BACKBONES

LAYERS = ("layer1", "layer2", "layer3", "layer4")


class ResNetBackbone(nn.Module):
    """A torchvision ResNet cut after one of its four layers.

    Args:
        resnet: the torchvision model; its layers are taken over, so state_dict keys stay torchvision's.
        output_layer: ``layer1`` to ``layer4``.
        stride: largest stride of the features; deeper layers keep it by a stride of one instead of two.
        dilation: of the 3x3 convolutions in the first block of each layer that has lost its stride.
    """

    mean: torch.Tensor
    std: torch.Tensor
    first_center = 0.5  # with its padding, every strided layer keeps the middle of the first pixel

    def __init__(self, resnet: nn.Module, output_layer: str, stride: int, dilation: int = 1) -> None:
        super().__init__()
        if output_layer not in LAYERS:
            raise ValueError(f"output_layer is {output_layer!r}; it must be one of {', '.join(LAYERS)}")
        if stride not in (4, 8, 16, 32):
            raise ValueError(f"stride is {stride}; it must be 4, 8, 16 or 32")
        self.conv1: nn.Module = resnet.get_submodule("conv1")
        self.bn1: nn.Module = resnet.get_submodule("bn1")
        self.relu: nn.Module = resnet.get_submodule("relu")
        self.maxpool: nn.Module = resnet.get_submodule("maxpool")
        self.stride = 4
        self.layers = LAYERS[: LAYERS.index(output_layer) + 1]
        for name in self.layers:
            layer = getattr(resnet, name)
            if name != "layer1":
                if self.stride < stride:
                    self.stride *= 2
                else:
                    _remove_stride(layer)
                    _dilate(layer[0], dilation)
            setattr(self, name, layer)
        convolutions = [module for module in layer.modules() if isinstance(module, nn.Conv2d)]
        # The last one is that of a shortcut or of a whole block; both have the layer's channels.
        self.channels = convolutions[-1].out_channels
        # ImageNet's statistics on the 0..255 scale. Not persistent: they belong to the code, not to a checkpoint.
        self.register_buffer("mean", 255 * torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Returns the features (N, C, H / stride, W / stride) of RGB images (N, 3, H, W) in 0..255."""
        return self.extract(images, [self.layers[-1]])[0]

    def extract(self, images: torch.Tensor, names: Sequence[str]) -> list[torch.Tensor]:
        """Returns the outputs of several layers for RGB images (N, 3, H, W) in 0..255, in the order of ``names``.

        Args:
            images: the images.
            names: ``conv1`` (the first block, after its pooling; stride 4) or names in ``layers``.

        Raises:
            ValueError: the backbone has no such layer.
        """
        known = ("conv1", *self.layers)
        for name in names:
            if name not in known:
                raise ValueError(f"this backbone has no layer {name!r}; it has {', '.join(known)}")
        x = (images - self.mean) / self.std
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        outputs = {"conv1": x}
        for name in known[1 : max(known.index(name) for name in names) + 1]:
            x = outputs[name] = getattr(self, name)(x)
        return [outputs[name] for name in names]


def _remove_stride(layer: nn.Module) -> None:
    for module in layer.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            module.stride = (1, 1)


def _dilate(block: nn.Module, dilation: int) -> None:
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            module.dilation = module.padding = (dilation, dilation)


@BACKBONES.register("resnet18")
def resnet18(output_layer: str = "layer2", stride: int = 8, pretrained: str | None = None) -> ResNetBackbone:
    """Returns a ResNet-18 cut after ``output_layer``.

    Args:
        output_layer: ``layer1`` to ``layer4``.
        stride: largest stride of the features.
        pretrained: None for random weights; ``imagenet`` for the file ``resnet18_imagenet.pth`` in the environment's
            ``network_dir``, or else torchvision's weights, downloaded once; or a file. A file holds a state_dict with
            torchvision's keys; layers beyond ``output_layer`` may be absent from it.

    Raises:
        ValueError: the file lacks a weight that the backbone needs.
        OSError: there is no file, and nothing can be downloaded.
    """
    from torchvision.models import ResNet18_Weights
    from torchvision.models import resnet18 as torchvision_resnet18

    backbone = ResNetBackbone(torchvision_resnet18(), output_layer, stride)
    _start_from(backbone, pretrained, "resnet18", ResNet18_Weights.IMAGENET1K_V1)
    return backbone


@BACKBONES.register("resnet50")
def resnet50(
    output_layer: str = "layer3", stride: int = 16, pretrained: str | None = None, dilation: int = 1
) -> ResNetBackbone:
    """Returns a ResNet-50 cut after ``output_layer``.

    Args:
        output_layer: ``layer1`` to ``layer4``.
        stride: largest stride of the features.
        pretrained: see :func:`resnet18`; the file is ``resnet50_imagenet.pth``.
        dilation: see :class:`ResNetBackbone`; TransT has stride 8 and a dilation of 2.

    Raises:
        ValueError: the file lacks a weight that the backbone needs.
        OSError: there is no file, and nothing can be downloaded.
    """
    from torchvision.models import ResNet50_Weights
    from torchvision.models import resnet50 as torchvision_resnet50

    backbone = ResNetBackbone(torchvision_resnet50(), output_layer, stride, dilation)
    _start_from(backbone, pretrained, "resnet50", ResNet50_Weights.IMAGENET1K_V1)
    return backbone


def _start_from(backbone: nn.Module, pretrained: str | None, name: str, imagenet: Any) -> None:
    if pretrained == "imagenet":
        _load_imagenet(backbone, name, imagenet)
    elif pretrained is not None:
        _load_weights(backbone, Path(pretrained).expanduser())


def _load_imagenet(backbone: nn.Module, name: str, weights: Any) -> None:
    """Loads the file ``<network_dir>/<name>_imagenet.pth`` if it is there, else torchvision's weights."""
    from ltr.admin.environment import load_environment

    file = load_environment().network_dir / f"{name}_imagenet.pth"
    if file.is_file():
        _load_weights(backbone, file)
        return
    try:
        backbone.load_state_dict(weights.get_state_dict(check_hash=True), strict=False)
    except OSError as error:
        raise OSError(f"cannot download the ImageNet weights of {name} ({error}); put them into {file}") from error


def _load_weights(backbone: nn.Module, path: Path) -> None:
    from ltr.admin.checkpoint import load_file, load_weights

    load_weights(backbone, load_file(path), path, more_allowed=True)
