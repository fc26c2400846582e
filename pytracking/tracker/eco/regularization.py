"""The spatial regularization of the filter: small where the target is, large in the background.

M. Danelljan et al., Learning Spatially Regularized Correlation Filters for Visual Tracking (SRDCF), ICCV 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class RegularizationSettings:
    """The regularization window: ``minimum`` + (``edge`` - ``minimum``) * (|2x / w|^power + |2y / h|^power).

    Attributes:
        minimum: its value in the centre.
        edge: its value at the middle of the target's sides.
        power: how fast it grows.
        sparsity: Fourier coefficients under this part of the largest are dropped.
    """

    minimum: float = 1e-4
    edge: float = 1e-2
    power: float = 2.0
    sparsity: float = 0.05


def regularization_filter(sample_side: float, target: tuple[float, float], settings: RegularizationSettings) -> Tensor:
    """Returns the window's Fourier coefficients that are not dropped, (k, k) float64, k odd, the mean in the middle.

    Args:
        sample_side: side of the square sample in pixels.
        target: height and width of the target in pixels of the sample.
        settings: see :class:`RegularizationSettings`.
    """
    count = round(sample_side)
    position = np.arange(count) - (count - 1) / 2
    rows, columns = (np.abs(2 * position / side) ** settings.power for side in target)
    window = settings.minimum + (settings.edge - settings.minimum) * (rows[:, None] + columns)
    spectrum = np.fft.fft2(window) / window.size
    spectrum[np.abs(spectrum) < settings.sparsity * np.abs(spectrum).max()] = 0
    # Without the dropped waves the window dips under its minimum; its mean is raised until it no longer does.
    sparse = np.fft.ifft2(spectrum).real * window.size
    spectrum[0, 0] += settings.minimum - sparse.min()
    radius = max(int(np.abs(np.fft.fftfreq(count, 1 / count)[np.nonzero(spectrum)[axis]]).max()) for axis in (0, 1))
    kept = np.arange(-radius, radius + 1)
    return torch.from_numpy(spectrum[np.ix_(kept, kept)].real.copy())


class Regularization:
    """Adds the regularization's part to the normal equations of a filter.

    Args:
        coefficients: of the window, see :func:`regularization_filter`.
    """

    def __init__(self, coefficients: Tensor) -> None:
        # Twice the window, in space, is once its autocorrelation in frequencies.
        radius = coefficients.shape[0] // 2
        padded = F.pad(coefficients[None, None], (2 * radius,) * 4)
        self.kernel = F.conv2d(padded, coefficients.flip(0, 1)[None, None])
        self.energy = float(coefficients.square().sum())

    def __call__(self, spectrum: Tensor) -> Tensor:
        """Returns the spectrum (C, m, h) of the filter times the squared window."""
        radius = self.kernel.shape[-1] // 2
        left = spectrum[..., 1 : radius + 1].flip(-1, -2).conj()  # the columns of negative frequencies
        wide = torch.view_as_real(torch.cat([left, spectrum], dim=-1).resolve_conj())
        planes = wide.permute(0, 3, 1, 2).flatten(0, 1)[:, None]
        planes = F.conv2d(F.pad(planes, (radius - left.shape[-1], radius, radius, radius)), self.kernel.to(planes))
        return torch.view_as_complex(planes[:, 0].unflatten(0, (-1, 2)).permute(0, 2, 3, 1).contiguous())
