"""Boxes moved and scaled at random, as a tracker would be a little off."""

from __future__ import annotations

import numpy as np


def jittered_box(
    box: np.ndarray, center_jitter: float, scale_jitter: float, rng: np.random.Generator
) -> tuple[tuple[float, float], float]:
    """Returns a random centre x, y and mean side near those of a box.

    Width and height are each multiplied by exp(N(0, scale_jitter)). The centre moves, along x and y, by up to half of
    ``center_jitter`` times the new mean side (the square root of the new area).

    Args:
        box: (4,) x, y, w, h, with a positive size.
        center_jitter: 0 keeps the centre.
        scale_jitter: 0 keeps the size.
        rng: where chance comes from.
    """
    size = np.asarray(box[2:], np.float64) * np.exp(rng.normal(0, scale_jitter, 2))
    side = float(np.sqrt(size.prod()))
    x, y = (np.asarray(box[:2]) + np.asarray(box[2:]) / 2 + side * center_jitter * rng.uniform(-0.5, 0.5, 2)).tolist()
    return (x, y), side
