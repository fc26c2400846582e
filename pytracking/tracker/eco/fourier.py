"""Spectra of square maps, as ECO stores them: Fourier coefficients of real functions, half of them kept.

A spectrum of odd size m is a complex tensor (..., m, m // 2 + 1): rows are the frequencies -(m // 2) to m // 2, columns
0 to m // 2. The other half follows, since the function is real: c(-ky, -kx) = conj(c(ky, kx)).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ltr.admin.devices import double_device


def odd_size(cells: int) -> int:
    """Returns the size of the spectrum of a map with ``cells`` cells a side: itself, or one more if that is even.

    >>> odd_size(15), odd_size(60)
    (15, 61)
    """
    return cells + (cells + 1) % 2


def frequencies(size: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Returns the frequencies of the rows (m, 1) and of the columns (m // 2 + 1,) of a spectrum, float64."""
    half = size // 2
    rows = torch.arange(-half, half + 1, dtype=torch.float64, device=device)
    return rows[:, None], rows[half:]


def to_spectrum(maps: Tensor) -> Tensor:
    """Returns the discrete Fourier transform (..., m, m // 2 + 1) of real maps (..., n, n), m = ``odd_size(n)``."""
    spectrum = torch.fft.fftshift(torch.fft.rfft2(maps), dim=-2)
    if maps.shape[-1] % 2 == 0:  # the highest frequency is its own negative: it stands at both ends, but in one corner
        spectrum = torch.cat([spectrum, spectrum[..., :1, :]], dim=-2)
        spectrum[..., 0, -1] = 0
    return spectrum


def to_map(spectrum: Tensor) -> Tensor:
    """Returns the function (..., m, m) with these Fourier coefficients at m x m points, starting at its origin."""
    size = spectrum.shape[-2]
    return torch.fft.irfft2(torch.fft.ifftshift(spectrum, dim=-2), s=(size, size), norm="forward")


def resized(spectrum: Tensor, size: int) -> Tensor:
    """Returns the spectrum with ``size`` rows: the high frequencies are cut off, or zeros are put in their place."""
    margin = (size - spectrum.shape[-2]) // 2
    if margin == 0:
        return spectrum
    if margin < 0:
        return spectrum[..., -margin:margin, :margin]
    return torch.nn.functional.pad(spectrum, (0, margin, margin, margin))


def total(spectra: Sequence[Tensor]) -> Tensor:
    """Returns the sum of spectra (..., m, h) of different sizes, in the size of the largest."""
    ordered = sorted(spectra, key=lambda spectrum: -spectrum.shape[-2])
    result = ordered[0].clone()
    size = result.shape[-2]
    for spectrum in ordered[1:]:
        margin = (size - spectrum.shape[-2]) // 2
        result[..., margin : size - margin, : spectrum.shape[-1]] += spectrum
    return result


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Returns the inner product of two spectra of one shape (..., m, h): the mean product of what they stand for."""
    a, b = torch.view_as_real(a), torch.view_as_real(b)
    return 2 * torch.sum(a * b) - torch.sum(a[..., 0, :] * b[..., 0, :])


def shifted(spectrum: Tensor, rows: float, columns: float) -> Tensor:
    """Returns the spectrum of the function moved by parts of its period: f(y + rows, x + columns)."""
    ky, kx = frequencies(spectrum.shape[-2], double_device(spectrum.device))
    phase = 2 * torch.pi * (ky * rows + kx * columns)
    return spectrum * torch.polar(torch.ones_like(phase), phase).to(spectrum.dtype).to(spectrum.device)
