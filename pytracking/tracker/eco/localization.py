"""Where the scores of several scales are highest, on the continuous domain.

C-COT (ECCV 2016), section 3.5: the best point of a grid, then Newton's method on the Fourier series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pytracking.tracker.eco.fourier import frequencies, to_map


@dataclass(frozen=True)
class Peak:
    """The highest score: its value, the scale's index, and rows and columns from the origin as parts of the period."""

    score: float
    scale: int
    rows: float
    columns: float


def find_peak(spectra: Tensor, newton_steps: int) -> Peak:
    """Returns the peak of the score functions with the spectra (scales, m, m // 2 + 1).

    Newton's method may leave for a saddle or a trough; then the grid point is kept.

    Args:
        spectra: one score function for each scale.
        newton_steps: steps of Newton's method from the best grid point; none keeps to the grid.
    """
    size = spectra.shape[-2]
    half = size // 2
    grid = to_map(spectra).flatten(1)
    best = grid.argmax(dim=1).cpu().numpy()
    cells = np.stack([best // size, best % size], axis=1)
    start = 2 * np.pi * np.where(cells > half, cells - size, cells) / size
    # Both halves of a spectrum count, the middle column once.
    coefficients = spectra.cpu().to(torch.complex128).numpy() * np.where(np.arange(half + 1) > 0, 2, 1)
    rows, columns = (k.numpy().ravel() for k in frequencies(size))
    row_factors, column_factors = ((1j * k) ** np.arange(3)[:, None] for k in (rows, columns))  # of a derivative

    def derivatives(point: np.ndarray) -> np.ndarray:
        """Returns the derivatives (scales, 3, 3) of each score at its point (scales, 2): order by rows, by columns."""
        along_rows = row_factors * np.exp(1j * rows * point[:, :1])[:, None]
        along_columns = column_factors * np.exp(1j * columns * point[:, 1:])[:, None]
        by_column = coefficients @ along_columns.transpose(0, 2, 1)
        result: np.ndarray = (along_rows @ by_column).real
        return result

    point = start
    for _ in range(newton_steps):
        found = derivatives(point)
        dy, dx, dyy, dyx, dxx = (found[:, y, x] for y, x in ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2)))
        determinant = dyy * dxx - dyx**2
        safe = np.where(determinant == 0, np.inf, determinant)
        point = point - np.stack([dxx * dy - dyx * dx, dyy * dx - dyx * dy], axis=1) / safe[:, None]
    value, value_at_start = derivatives(point)[:, 0, 0], derivatives(start)[:, 0, 0]
    better = value >= value_at_start
    point = np.where(better[:, None], point, start)
    value = np.where(better, value, value_at_start)
    scale = int(value.argmax())
    y, x = (point[scale] / (2 * np.pi)).tolist()
    return Peak(float(value[scale]), scale, y, x)
