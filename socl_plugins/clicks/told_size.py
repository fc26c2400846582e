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

    It is that of :func:`sizes_between`, and just what was told where that is all. A target's size changes slowly, and
    the box of a click alone is often twice too large or too small.

    >>> told = {1: (10.0, 20.0), 3: (40.0, 20.0)}
    >>> size_at(told, 0), size_at(told, 3), size_at({}, 0)
    ((10.0, 20.0), (40.0, 20.0), None)
    >>> np.round(size_at(told, 2), 6).tolist()
    [20.0, 20.0]

    Args:
        sizes: w, h in pixels, by frame.
        frame: from 0.
    """
    if not sizes:
        return None
    frame = min(max(frame, min(sizes)), max(sizes))
    if frame in sizes:
        return sizes[frame]
    told = sorted(sizes)
    width, height = sizes_between(np.array(told), np.array([sizes[one] for one in told]), np.array([frame]))[0].tolist()
    return width, height


def sizes_between(told: np.ndarray, sizes: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Returns sizes (n, 2) w, h: geometric in time between two that are known, constant beyond the outer ones.

    Args:
        told: (K,) frames whose sizes are known, ascending; at least one.
        sizes: (K, 2) w, h of these, positive.
        frames: (n,) those that are asked for.
    """
    logarithms = np.log(sizes)
    return np.exp(np.stack([np.interp(frames, told, logarithms[:, axis]) for axis in (0, 1)], axis=1))


def told_sizes(sizes: np.ndarray) -> dict[int, Size]:
    """Returns the sizes by frame, of (T, 2) w, h; where one is not positive, or nan, nobody told it."""
    known = np.flatnonzero((np.isfinite(sizes) & (sizes > 0)).all(axis=1)).tolist()
    return {frame: (float(sizes[frame, 0]), float(sizes[frame, 1])) for frame in known}
