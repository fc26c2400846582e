"""From feature maps to functions on a continuous domain, and the label such a function should have.

M. Danelljan et al., Beyond Correlation Filters: Learning Continuous Convolution Operators for Visual Tracking (C-COT),
ECCV 2016, sections 3.1 and 4.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pytracking.tracker.eco.fourier import frequencies


def cubic_spectrum(frequency: Tensor, a: float) -> Tensor:
    """Returns the Fourier transform of the cubic convolution kernel at ``frequency`` (cycles for a sample), float64.

    The kernel (Keys, 1981) is piecewise cubic with bends at 0, 1 and 2; only its second and third derivatives jump
    there, so its transform is the sum of the jumps, each over a power of the angular frequency.

    Args:
        frequency: any shape.
        a: slope of the kernel at 1, such as -0.75.
    """
    w = 2 * torch.pi * frequency
    safe = torch.where(w == 0, torch.ones_like(w), w)
    third = 12 * ((a + 2) - 2 * torch.cos(safe) - a * torch.cos(2 * safe)) / safe**4
    second = ((16 * a + 12) * torch.sin(safe) + 4 * a * torch.sin(2 * safe)) / safe**3
    return torch.where(w == 0, torch.ones_like(w), third - second)


def interpolation(size: int, a: float) -> tuple[Tensor, Tensor]:
    """Returns what turns the transform of a feature map into Fourier coefficients of its interpolation (C-COT, eq. 6).

    The cells' centres, not their corners, carry the values, so the result is moved by half a cell.

    Args:
        size: rows of the spectrum.
        a: see :func:`cubic_spectrum`.

    Returns:
        Factors of the rows (m, 1) and of the columns (m // 2 + 1,), complex128.
    """

    def factor(frequency: Tensor) -> Tensor:
        shift = torch.exp(-1j * torch.pi * frequency / size)
        return cubic_spectrum(frequency / size, a) / size * shift

    rows, columns = frequencies(size)
    return factor(rows), factor(columns)


def gaussian_label_spectrum(size: int, sigma: float) -> Tensor:
    """Returns the Fourier coefficients (m, m // 2 + 1) of a Gaussian at the origin of a periodic domain, float64.

    Args:
        size: rows of the spectrum.
        sigma: standard deviation as a part of the period.
    """
    rows, columns = (
        (2 * torch.pi) ** 0.5 * sigma * torch.exp(-2 * (torch.pi * sigma * k) ** 2) for k in frequencies(size)
    )
    return rows * columns
