"""The size of a target that a second click told: on a corner, after the one on the centre."""

from __future__ import annotations

import numpy as np


def box_around(click: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of a target by its centre and size, in pixels."""
    return np.array([click[0] - size[0] / 2, click[1] - size[1] / 2, *size])


def nearest_size(sizes: np.ndarray, frame: int) -> tuple[float, float] | None:
    """Returns the size w, h in the frame nearest to one where it is known, or None.

    A target's size changes slowly, and the box of a click alone is often twice too large or too small.

    Args:
        sizes: (T, 2) w, h in pixels, nan where nobody told it.
        frame: from 0.

    >>> nearest_size(np.array([[np.nan, np.nan], [20.0, 10.0], [np.nan, np.nan], [40.0, 20.0]]), 0)
    (20.0, 10.0)
    """
    known = np.flatnonzero(np.isfinite(sizes).all(axis=1))
    if not len(known):
        return None
    width, height = sizes[known[np.argmin(abs(known - frame))]].tolist()
    return width, height
