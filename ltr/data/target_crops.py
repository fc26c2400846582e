"""Square crops around a target, as DiMP learns from them, and the way of boxes into them.

They differ from :func:`ltr.data.crops.crop_square` in what they do at the frame's border, where they can move or shrink
to show less of the outside.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

from ltr.data.crops import Region

BorderMode = Literal["fixed", "replicate", "inside", "inside_major"]
"""What a crop does that would leave the frame. ``fixed``: stay. ``replicate``: move inside, as far as it fits.
``inside``: first shrink until it fits; ``inside_major``: until one side fits. What is still outside repeats the border.
"""


def limit_size(
    size: tuple[float, float], frame: tuple[int, int], mode: BorderMode, max_scale_change: float | None
) -> tuple[float, float]:
    """Returns the size of a crop, made smaller where ``mode`` asks for it, by ``max_scale_change`` at the most."""
    if mode in ("fixed", "replicate"):
        return size
    factors = [wanted / there for wanted, there in zip(size, frame)]
    factor = max(factors) if mode == "inside" else min(factors)
    factor = min(max(factor, 1.0), math.inf if max_scale_change is None else max_scale_change)
    return size[0] / factor, size[1] / factor


def shift_inside(start: float, end: float, length: int) -> tuple[float, float]:
    """Returns an interval moved inside [0, length], or, if it is longer, with as much of it outside on either side."""
    shift = max(-start, 0) - max(end - length, 0)
    start, end = start + shift, end + shift
    outside = (max(-start, 0) + max(end - length, 0)) // 2
    if outside > 0:
        start, end = -outside, end - start - outside
    return start, end


def adaptive_crop(
    image: np.ndarray,
    center: tuple[float, float],
    side: float,
    output_size: int,
    mode: BorderMode = "replicate",
    max_scale_change: float | None = None,
) -> tuple[np.ndarray, Region]:
    """Returns a square around ``center`` as (output_size, output_size, 3), and the region that it shows.

    A crop that reaches the frame's right or bottom border repeats the last column or row but one, as pytracking's do:
    its published networks learned from such crops.

    Args:
        image: (H, W, 3) uint8.
        center: x, y in frame coordinates.
        side: of the square in frame pixels; rounded up.
        output_size: side of the crop in pixels.
        mode: what happens at the frame's border.
        max_scale_change: how much smaller than asked the crop may become; none: as small as it must.

    Raises:
        ValueError: the square has no pixel, or lies wholly outside the frame.
    """
    height, width = image.shape[:2]
    size = math.floor(limit_size((math.ceil(side), math.ceil(side)), (height, width), mode, max_scale_change)[0])
    if size < 1:
        raise ValueError(f"cannot crop a square of {side} pixels around {center}: less than one pixel")
    starts = [round(middle - size * 0.5) for middle in center]
    spans = [(start, start + size) for start in starts]
    if mode != "fixed":
        spans = [shift_inside(*span, length) for span, length in zip(spans, (width, height))]  # type: ignore[misc]
    (left, right), (top, bottom) = ((int(start), int(end)) for start, end in spans)
    before = (max(-left, 0), max(-top, 0))
    after = (max(right - width + 1, 0), max(bottom - height + 1, 0))
    inside = image[top + before[1] : bottom - after[1], left + before[0] : right - after[0]]
    if not inside.size:
        raise ValueError(f"the square of {size} pixels around {center} lies outside the {width} x {height} frame")
    crop = cv2.copyMakeBorder(inside, before[1], after[1], before[0], after[0], cv2.BORDER_REPLICATE)
    crop = cv2.resize(crop, (output_size, output_size))
    return crop, Region(float(left), float(top), float(size), output_size)
