"""Score maps that a classifier is to give: Gaussians around the target's centre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelSettings:
    """A Gaussian label.

    Attributes:
        cells: of the feature map along each side.
        sigma_factor: standard deviation over the feature map's side.
        filter_size: cells of the filter along each side; an even one shifts the label by half a cell.
        end_pad: with an even filter the label has one more cell along each side, as the padded scores have.
    """

    cells: int = 18
    sigma_factor: float = 0.05
    filter_size: int = 4
    end_pad: bool = True

    def __post_init__(self) -> None:
        if self.cells < 1 or self.filter_size < 1 or not self.sigma_factor > 0:
            raise ValueError(f"{self}: cells and filter_size must be at least 1, and sigma_factor above 0")


def gaussian_label(boxes: np.ndarray, settings: LabelSettings, crop_size: int) -> np.ndarray:
    """Returns the labels (N, H, W), each 1 at its box's centre, for boxes (N, 4) x, y, w, h in crop pixels."""
    boxes = np.asarray(boxes, np.float64)
    even = settings.filter_size % 2 == 0
    # Cells are counted from the middle of the map.
    centers = settings.cells * ((boxes[:, :2] + boxes[:, 2:] / 2) / crop_size - 0.5) + 0.5 * even
    cells = np.arange(settings.cells + (even and settings.end_pad)) - (settings.cells - 1) / 2
    sigma = settings.sigma_factor * settings.cells
    gaussians = np.exp(-0.5 * ((cells - centers[..., None]) / sigma) ** 2)
    along_x, along_y = gaussians[:, 0], gaussians[:, 1]
    return along_y[:, :, None] * along_x[:, None, :]
