"""The parts of DiMP's residual: functions of the distance from the target's centre, and the score activation."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ScoreActivation = Literal["relu", "bentpar"]


def center_distance_map(centers: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns how far the cells of a map lie from centres (..., 2) y, x in cells: (..., H, W)."""
    rows = torch.arange(size[0], dtype=centers.dtype, device=centers.device) - centers[..., :1]
    columns = torch.arange(size[1], dtype=centers.dtype, device=centers.device) - centers[..., 1:]
    return torch.sqrt(rows[..., :, None].square() + columns[..., None, :].square())


def radial(coefficients: Tensor, distance: Tensor, spacing: float) -> Tensor:
    """Returns the sum of triangular basis functions of the distance (DiMP, equations 6 and 7): (..., distance's shape).

    It is the piecewise linear function with the value ``coefficients[..., k]`` at ``k * spacing``, constant from the
    last knot on, so two knots say all of it.

    Args:
        coefficients: (..., N).
        distance: of any shape, not negative.
        spacing: between neighbouring knots.
    """
    last = coefficients.shape[-1] - 1
    place = (distance / spacing).clamp(max=last)
    below = place.detach().floor().long().clamp(max=last - 1)
    part = place - below
    return coefficients[..., below] * (1 - part) + coefficients[..., below + 1] * part


def activate(scores: Tensor, mask: Tensor, kind: ScoreActivation = "relu", bend: float = 1.0) -> Tensor:
    """Returns m s + (1 - m) max(0, s), the part of equation 2 that is made of scores.

    With ``bentpar`` the hinge is smooth: max(0, s) becomes (s + sqrt(s^2 + 4 b^2)) / 2 - b, with b the ``bend``.
    """
    magnitude = scores.abs() if kind == "relu" else (scores.square() + 4 * bend**2).sqrt() - 2 * bend
    return (1 - mask) / 2 * magnitude + (1 + mask) / 2 * scores


def slope(scores: Tensor, mask: Tensor, kind: ScoreActivation = "relu", bend: float = 1.0) -> Tensor:
    """Returns the derivative of :func:`activate` in the scores."""
    sign = scores.sign() if kind == "relu" else scores / (scores.square() + 4 * bend**2).sqrt()
    return (1 - mask) / 2 * sign + (1 + mask) / 2
