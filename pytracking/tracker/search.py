"""Where a tracker that has lost its target looks for it: a grid of windows that grows from frame to frame."""

from __future__ import annotations

import numpy as np

MOST_WINDOWS = 49  # in a frame: what a network looks at costs time


def search_centers(
    found: np.ndarray, step: float, lost_frames: int, frame: tuple[int, int], most: int = MOST_WINDOWS
) -> np.ndarray:
    """Returns the centres (N, 2) x, y of windows around the place where the target was last found, the nearest first.

    One ring of windows is added with each frame for which the target is lost, until they cover the frame; centres
    outside it are left out, but for the first one, which is ``found`` itself.

    >>> search_centers(np.array([50.0, 50.0]), 40, 1, (100, 60)).tolist()
    [[50.0, 50.0], [50.0, 10.0], [10.0, 50.0], [90.0, 50.0], [10.0, 10.0], [90.0, 10.0]]

    Args:
        found: x, y in pixels.
        step: from one window to the next in pixels.
        lost_frames: for how many frames the target has been lost, 1 or more.
        frame: width and height in pixels.
        most: windows that are returned at most.
    """
    rings = int(min(lost_frames, np.ceil(max(frame) / step), most))
    offsets = np.arange(-rings, rings + 1) * float(step)
    grid = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
    grid = grid[np.argsort(np.linalg.norm(grid, axis=1), kind="stable")]
    centers = np.asarray(found, np.float64) + grid
    inside = ((centers >= 0) & (centers <= frame)).all(axis=1)
    inside[0] = True
    return centers[inside][:most]
