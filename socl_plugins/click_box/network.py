"""What is learned: a perceptron that tells a target's extent from features of a square around a click.

The frozen backbone comes along in the file, so that a fitted network is one file and cannot meet another backbone.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from ltr.admin.checkpoint import load_weights
from ltr.admin.environment import load_environment
from ltr.admin.weight_files import CheckpointError, load_file, read_about, write_weights
from ltr.data.crops import crop_square
from ltr.models.backbone.resnet import resnet18

FILE_NAME = "click_box.safetensors"
FORMAT = "click_box 1"
SIDES = (48, 96, 192, 384, 768)  # of the squares around a click, in pixels of the reduced frame
CROP = 128  # pixels that a square is brought to
LAYERS = ("layer2", "layer3")
POOLED = 5  # vectors a layer
VALUES = 4  # log width, log height, and the centre's place, each with an error
ERROR_RANGE = (-4.0, 3.0)  # of the logarithm


class ClickBoxNet(nn.Module):
    """Features of squares around a click, and from each square's the target's extent in sides of that square.

    Args:
        pretrained: of the backbone, a ResNet-18 up to layer 3; see :func:`ltr.models.backbone.resnet.resnet18`.
        hidden: width of the perceptron's first hidden layer.
        dropout: of its inputs, and of that layer.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, pretrained: str | None = None, hidden: int = 256, dropout: float = 0.15) -> None:
        super().__init__()
        self.backbone = resnet18("layer3", 16, pretrained).requires_grad_(False)
        size = POOLED * (128 + 256)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))
        self.perceptron = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(size, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, 64),
            nn.ReLU(),
            nn.Linear(64, 2 * VALUES),
        )

    @torch.no_grad()
    def features(self, image: np.ndarray, click: tuple[float, float]) -> torch.Tensor:
        """Returns the pooled features (S, C) of the squares around a click on a frame (H, W, 3) RGB uint8."""
        crops = []
        for side in SIDES:
            crop, _ = crop_square(image, click, side, side)
            how = cv2.INTER_AREA if side > CROP else cv2.INTER_LINEAR
            crops.append(cv2.resize(crop, (CROP, CROP), interpolation=how))
        self.backbone.eval()  # its batch norms keep ImageNet's statistics also while the perceptron learns
        device = self.mean.device
        maps = self.backbone.extract(torch.from_numpy(np.stack(crops)).to(device).permute(0, 3, 1, 2).float(), LAYERS)
        size = maps[-1].shape[-1]
        same = [nn.functional.adaptive_avg_pool2d(layer, size) for layer in maps]
        return pool(torch.cat(same, dim=1))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns values and logarithms of their errors, each (..., S, 4), of features (..., S, C).

        The values are log(w / side), log(h / side), and the centre minus the click over the side, in x and in y.
        """
        out = self.perceptron((features - self.mean) / self.deviation)
        return out[..., :VALUES], out[..., VALUES:].clamp(*ERROR_RANGE)


def pool(maps: torch.Tensor) -> torch.Tensor:
    """Returns five vectors (N, 5 C) of feature maps (N, C, n, n), n even: the middle, around it, all, left against
    right, top against bottom."""
    half, eighth = maps.shape[-1] // 2, max(maps.shape[-1] // 8, 1)

    def mean(part: torch.Tensor) -> torch.Tensor:
        return part.mean(dim=(-1, -2))

    def middle(reach: int) -> torch.Tensor:
        return mean(maps[..., half - reach : half + reach, half - reach : half + reach])

    sideways = mean(maps[..., half:]) - mean(maps[..., :half])
    upwards = mean(maps[..., half:, :]) - mean(maps[..., :half, :])
    return torch.cat([middle(eighth), middle(2 * eighth), mean(maps), sideways, upwards], dim=-1)


def save(network: ClickBoxNet, path: Path, source: str) -> None:
    """Writes a fitted network, with its backbone, as safetensors; ``source`` says what it was fitted on.

    Raises:
        WriteError: the file cannot be written.
    """
    hidden = network.perceptron[1].out_features
    write_weights(path, network.state_dict(), {"format": FORMAT, "hidden": hidden, "source": source})


def load(path: Path) -> ClickBoxNet:
    """Returns a fitted network, ready to tell boxes.

    Raises:
        CheckpointError: the file is missing, damaged, or holds something else.
    """
    weights = load_file(path)
    about = read_about(path) or {}
    if about.get("format") != FORMAT or not isinstance(about.get("hidden"), int):
        raise CheckpointError(f"{path} is no learned box of a click: fit one with python -m socl_plugins.click_box fit")
    network = ClickBoxNet(hidden=about["hidden"])
    load_weights(network, weights, path)
    return network.eval()


def fitted_file() -> Path:
    """Returns where the fitted network lies: ``click_box.safetensors`` in the environment's ``network_dir``."""
    return load_environment().network_dir / FILE_NAME


def fitted() -> ClickBoxNet:
    """Returns the network of :func:`fitted_file`, read again when the file has changed.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    path = fitted_file()
    if not path.is_file():
        raise CheckpointError(
            f"there is no {path}: the box of a click was not learned yet. Fit it on data with boxes: "
            "python -m socl_plugins.click_box fit DATA..., or use the method top_map"
        )
    return _load_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _load_once(path: Path, changed: int) -> ClickBoxNet:
    return load(path)
