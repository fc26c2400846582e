"""The size of a target that a second click told: on a corner, after the one on the centre."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Size = tuple[float, float]


def box_around(click: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of a target by its centre and size, in pixels."""
    return np.array([click[0] - size[0] / 2, click[1] - size[1] / 2, *size])


def size_at(sizes: Mapping[int, Size], frame: int) -> Size | None:
    """Returns a target's size in a frame of a video in some of whose frames it was told, or None if in none.

    Between two of these the logarithms of width and height change evenly; before the first and after the last, the size
    is theirs. A target's size changes slowly, and the box of a click alone is often twice too large or too small.

    >>> told = {1: (10.0, 20.0), 3: (40.0, 20.0)}
    >>> size_at(told, 0), size_at(told, 2), size_at({}, 0)
    ((10.0, 20.0), (20.0, 20.0), None)

    Args:
        sizes: w, h in pixels, by frame.
        frame: from 0.
    """
    before = max((told for told in sizes if told <= frame), default=None)
    after = min((told for told in sizes if told >= frame), default=None)
    if before is None or after is None or before == after:
        known = after if before is None else before
        return None if known is None else sizes[known]
    part = (frame - before) / (after - before)
    width, height = (first * (last / first) ** part for first, last in zip(sizes[before], sizes[after]))
    return width, height


def told_sizes(sizes: np.ndarray) -> dict[int, Size]:
    """Returns the sizes by frame, of (T, 2) w, h; where one is not positive, or nan, nobody told it."""
    known = np.flatnonzero((np.isfinite(sizes) & (sizes > 0)).all(axis=1)).tolist()
    return {frame: (float(sizes[frame, 0]), float(sizes[frame, 1])) for frame in known}
