"""Square crops of a frame, and the way back from crop to frame coordinates.

Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``, so a box ``x, y, w, h`` has its centre at ``x + w / 2``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Region:
    """The square part of a frame that a crop shows: left and top corner, side (frame pixels), and the crop's size."""

    left: float
    top: float
    side: float
    output_size: int

    @property
    def scale(self) -> float:
        """Crop pixels for one frame pixel."""
        return self.output_size / self.side

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Returns frame points (..., 2) in crop coordinates."""
        return (np.asarray(points, np.float64) - (self.left, self.top)) * self.scale

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Returns crop points (..., 2) in frame coordinates."""
        return np.asarray(points, np.float64) / self.scale + (self.left, self.top)

    def boxes_to_crop(self, boxes: np.ndarray) -> np.ndarray:
        """Returns frame boxes (..., 4) x, y, w, h in crop coordinates."""
        boxes = np.asarray(boxes, np.float64)
        return np.concatenate([self.to_crop(boxes[..., :2]), boxes[..., 2:] * self.scale], axis=-1)


def template_side(size: np.ndarray, context: float) -> float:
    """Returns the side of the square around a target that SiamFC's template shows, ``sqrt((w + c) (h + c))``.

    Args:
        size: w, h of the target.
        context: c as a part of w + h; with 0.5 the square around a square target is twice as long as the target.
    """
    return float(np.sqrt((size + context * size.sum()).prod()))


def context_side(size: np.ndarray, factor: float) -> int:
    """Returns the side in whole pixels of the square around a target that TransT's crops show.

    It is ``factor`` times as long as a square target, and longer than ``factor`` times the square root of the area of
    any other: ``ceil(sqrt((w + c) (h + c)))`` with ``c = (factor - 1) (w + h) / 2`` (Chen et al., Transformer Tracking,
    CVPR 2021, in its authors' implementation).

    >>> context_side(np.array([30.0, 90.0]), 2.0), context_side(np.array([40.0, 40.0]), 2.0)
    (117, 80)
    """
    return math.ceil(template_side(np.asarray(size, np.float64), (factor - 1) / 2))


def crop_square(
    image: np.ndarray,
    center: tuple[float, float],
    side: float,
    output_size: int,
    fill: np.ndarray | tuple[float, float, float] | None = None,
) -> tuple[np.ndarray, Region]:
    """Returns the square of ``side`` frame pixels around ``center`` as (output_size, output_size, 3), and its region.

    The corners are rounded to whole pixels, so the returned region, not the asked one, is what the crop shows.
    What lies outside the frame gets the colour ``fill``; without it the frame's border pixels are repeated.

    Args:
        image: (H, W, 3) uint8.
        center: x, y in frame coordinates.
        side: side of the square in frame pixels; at least one pixel is taken.
        output_size: side of the crop in pixels.
        fill: colour outside the frame, such as the frame's mean colour (SiamFC).

    Raises:
        ValueError: the center or the side is not finite.
    """
    if not np.isfinite([*center, side]).all():
        raise ValueError(f"cannot crop around {center} with side {side}: not a finite number")
    size = max(round(side), 1)
    left, top = round(center[0] - size / 2), round(center[1] - size / 2)
    height, width = image.shape[:2]
    # A square wholly outside would leave nothing to pad from: keep one pixel of the frame in it.
    left = min(max(left, 1 - size), width - 1)
    top = min(max(top, 1 - size), height - 1)
    right, bottom = left + size, top + size
    inside = image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    margins = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(margins):
        if fill is None:
            inside = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_REPLICATE)
        else:
            colour = tuple(float(value) for value in fill)
            inside = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT, value=colour)
    if size != output_size:
        inside = cv2.resize(inside, (output_size, output_size), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(inside), Region(float(left), float(top), float(size), output_size)
