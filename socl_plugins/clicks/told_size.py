"""The size of a target that a second click told: on a corner, after the one on the centre."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Size = tuple[float, float]


def box_around(click: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of a target by its centre and size, in pixels."""
    return np.array([click[0] - size[0] / 2, click[1] - size[1] / 2, *size])


def nearest_size(sizes: Mapping[int, Size], frame: int) -> Size | None:
    """Returns the size that was told for the frame nearest to this one, or None.

    A target's size changes slowly, and the box of a click alone is often twice too large or too small.

    >>> nearest_size({1: (20.0, 10.0), 3: (40.0, 20.0)}, 0)
    (20.0, 10.0)

    Args:
        sizes: w, h in pixels, by frame.
        frame: from 0.
    """
    return sizes[min(sizes, key=lambda other: abs(other - frame))] if sizes else None


def told_sizes(sizes: np.ndarray) -> dict[int, Size]:
    """Returns the sizes by frame, of (T, 2) w, h, nan where nobody told it."""
    known = np.flatnonzero(np.isfinite(sizes).all(axis=1)).tolist()
    return {frame: (float(sizes[frame, 0]), float(sizes[frame, 1])) for frame in known}


def sizes_between(sizes: np.ndarray) -> np.ndarray | None:
    """Returns a size (T, 2) for each frame of a video on some of whose frames it was told, or None if it was on none.

    Between two frames the logarithm of width and of height changes evenly; before the first and after the last, the
    size is theirs.

    >>> sizes_between(np.array([[np.nan, np.nan], [10, 20], [np.nan, np.nan], [40, 20]])).round(6).tolist()
    [[10.0, 20.0], [10.0, 20.0], [20.0, 20.0], [40.0, 20.0]]

    Args:
        sizes: (T, 2) w, h in pixels, nan where nobody told it.
    """
    known = np.flatnonzero(np.isfinite(sizes).all(axis=1))
    if not len(known):
        return None
    logarithms = np.log(sizes[known])
    frames = np.arange(len(sizes))
    return np.exp(np.stack([np.interp(frames, known, side) for side in logarithms.T], axis=1))
