"""Boxes moved and scaled at random, as a tracker would be a little off."""

from __future__ import annotations

import numpy as np


def jittered_size(size: np.ndarray, scale_jitter: float, rng: np.random.Generator) -> np.ndarray:
    """Returns a width and height (2,), each multiplied by exp(N(0, scale_jitter)).

    Args:
        size: (2,) width and height, positive.
        scale_jitter: 0 keeps the size.
        rng: where chance comes from.
    """
    return np.asarray(size, np.float64) * np.exp(rng.normal(0, scale_jitter, 2))


def jittered_center(box: np.ndarray, reach: float, rng: np.random.Generator) -> tuple[float, float]:
    """Returns a point x, y off the middle of a box (4,) x, y, w, h by up to half of ``reach`` along each axis."""
    middle = np.asarray(box[:2], np.float64) + np.asarray(box[2:], np.float64) / 2
    x, y = (middle + reach * rng.uniform(-0.5, 0.5, 2)).tolist()
    return x, y
