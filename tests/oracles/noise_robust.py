"""The moments of the noise-robust loss in closed form, by the matrix V (PUL, supplement, equations 3 to 5).

For small maps and for tests: V has as many entries as there are pairs of locations, so a map of 17 x 17 cells has
334,084 a sample. :mod:`socl_plugins.progressive.noise_robust` computes the same from shifted labels.

The labels are 1 within an L1 distance of the target. Turned by 45 degrees, that is a square, and an isotropic Gaussian
stays what it is: along each of its two sides the shift has the variance 2 std^2, whatever it is along the other. So
every expectation is a product of two Gaussian probabilities of an interval.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def mean_labels(centers: torch.Tensor, shape: tuple[int, int], radius: float, std: torch.Tensor) -> torch.Tensor:
    """Returns E[m_1] (N, h w), the expected label of each location, row by row.

    Args:
        centers: (N, 2), x, y of each target in cells.
        shape: height and width of the response.
        radius: L1 distance in cells within which a location counts as the target's.
        std: (N,), standard deviation of the shift along x and along y, in cells; positive.
    """
    sides = _turned_offsets(centers, shape)
    return (_within(sides - radius, sides + radius, std[:, None, None])).prod(dim=1)


def second_moment_matrix(
    centers: torch.Tensor, shape: tuple[int, int], radius: float, std: torch.Tensor
) -> torch.Tensor:
    """Returns V (N, 2, h w, 2, h w), where V[n, b, x, b', x'] = E[m_b(x) m_b'(x')] (equation 5).

    Arguments as for :func:`mean_labels`.
    """
    mean = mean_labels(centers, shape, radius, std)
    sides = _turned_offsets(centers, shape)
    one, other = sides[..., :, None], sides[..., None, :]
    lower, upper = torch.maximum(one, other) - radius, torch.minimum(one, other) + radius
    both = _within(lower, torch.maximum(upper, lower), std[:, None, None, None]).prod(dim=1)
    only_one, only_other = mean[:, :, None] - both, mean[:, None, :] - both
    neither = 1 - both - only_one - only_other
    # The first index of V is b, 0 for background: (b, b') -> x, x'.
    return torch.stack([torch.stack([neither, only_other], dim=2), torch.stack([only_one, both], dim=2)], dim=1)


def reference_moments(
    logits: torch.Tensor,
    centers: torch.Tensor,
    std: torch.Tensor,
    weights: torch.Tensor,
    radius: float = 2.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns E[g] (equation 3) and E[g^2] (equation 4), (N,) each.

    Args:
        logits: (N, 1, h, w).
        centers: see :func:`mean_labels`.
        std: see :func:`mean_labels`.
        weights: (2,), factors on background and target locations.
        radius: see :func:`mean_labels`.
    """
    shape = (logits.shape[-2], logits.shape[-1])
    flat = logits.flatten(1)
    h = torch.stack([weights[0] * F.logsigmoid(-flat), weights[1] * F.logsigmoid(flat)], dim=1)
    mean = mean_labels(centers, shape, radius, std)
    first = (torch.stack([1 - mean, mean], dim=1) * h).sum(dim=(1, 2))
    second = torch.einsum("nbx,nbxcy,ncy->n", h, second_moment_matrix(centers, shape, radius, std), h)
    return first, second


def _turned_offsets(centers: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Returns dx + dy and dx - dy (N, 2, h w) from each target to each location."""
    rows, columns = torch.meshgrid(*(torch.arange(cells).to(centers) for cells in shape), indexing="ij")
    dx, dy = columns.flatten() - centers[:, :1], rows.flatten() - centers[:, 1:]
    return torch.stack([dx + dy, dx - dy], dim=1)


def _within(lower: torch.Tensor, upper: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    """Returns how likely one side of the turned shift, of variance 2 std^2, lies between two bounds."""
    return (torch.erf(upper / (2 * std)) - torch.erf(lower / (2 * std))) / 2
