"""Where a feature cell lies, as a vector to add to it: attention alone does not know."""

from __future__ import annotations

import math

import torch


def sine_positions(
    height: int, width: int, channels: int, device: torch.device | str | None = None, temperature: float = 10_000.0
) -> torch.Tensor:
    """Returns the sine encoding of the cells of a map, (1, channels, height, width) float32.

    The first half of the channels encodes the row, the second half the column, each as sines and cosines by turns of
    the place in (0, 2 pi], at wavelengths that grow geometrically (Carion et al., DETR, ECCV 2020, after Vaswani et
    al., NIPS 2017).

    >>> sine_positions(2, 3, 8)[0, :, 1, 2].tolist() == sine_positions(2, 3, 8)[0, :, 1, 2].roll(4).tolist()
    True

    Args:
        height: rows of the map.
        width: columns of the map.
        channels: divisible by four.
        device: of the result.
        temperature: ratio of the longest wavelength to the shortest.

    Raises:
        ValueError: the channels do not divide by four.
    """
    if channels % 4:
        raise ValueError(f"sine positions have a sine and a cosine of row and column: {channels} does not divide by 4")
    half = channels // 2
    wavelengths = temperature ** (2 * torch.arange(half // 2, dtype=torch.float32, device=device) / half)

    def encode(cells: int) -> torch.Tensor:
        places = torch.arange(1, cells + 1, dtype=torch.float32, device=device) * (2 * math.pi / cells)
        phases = places / wavelengths[:, None]
        return torch.stack([phases.sin(), phases.cos()], dim=1).reshape(half, cells)

    rows = encode(height)[:, :, None].expand(half, height, width)
    columns = encode(width)[:, None, :].expand(half, height, width)
    return torch.cat([rows, columns])[None]
