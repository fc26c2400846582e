"""DiMP's classification loss where labels may be off by a random shift, after PUL's noise-robust loss.

Each shift of a label puts the target's peak on another cell d of the map. With scores s, a label m_d that was moved
there, and a_d = 1 on its target cells (m_d >= T), 0 on its background, the loss of DiMP's equation 8 is

    L(d) = mean_x [ a_d (s - m_d)^2 + (1 - a_d) max(s, 0)^2 ]
         = mean_x [ max(s, 0)^2 + a_d min(s, 0)^2 - 2 (a_d m_d) s + a_d m_d^2 ]

which for all d together are correlations of maps of scores with the label. The expected loss E[L] needs no more of the
label than E[a], its mean E[a m] and its second moment E[a m^2]. But that moment has no gradient: E[L] asks for the mean
label, which is blurred, and the labels that it is averaged over are blurred by their noise already. PUL averages not
losses but likelihoods, and so does this, with g(d) = -scale L(d):

    loss = -log E[exp g] / scale,    its gradient = sum_d w(d) L'(d),    w(d) = p(d) exp g(d) / E[exp g]

so a label is moved to where the scores agree with it, as far as the noise allows. Without noise it is L itself.

PUL's supplement has labels of 0 and 1 under the cross-entropy. For DiMP's loss all of this is our choice:

- exp(-scale L) as the likelihood: for a map of 19 x 19 scores with errors of variance 361 / (2 scale) each;
- ``scale`` 1000, errors of 0.4. With 100, DiMP's weight of a filter's loss, w hardly depends on the scores: to labels
  1.2 cells off, the best response has a peak of 0.24. With DiMP's own loss it has 0.36, with 1000 it has 0.83;
- ``taylor`` starts at g = -scale E[a m^2], with scores of 0: about -.007 ``scale`` for DiMP's label, so the scale must
  be below 140, and is 1 if none is given;
- E[exp g] is computed, not expanded as in PUL: it costs no more, and where w matters g is far from its mean. Of PUL's
  moments about E[g] (``centred``) the best response is a blurred one whatever the scale;
- the whole label moves, its TOP map too, by whole cells: each stands for the shifts that end in it. That takes the
  place of a shift of any size by one of half a cell at the most;
- a shift that takes the peak out of the map is impossible. What moves in from outside the map is background;
- each frame has a shift of its own. The labels by which a filter is found in the train frames stay as they are.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from socl_plugins.progressive.noise_robust import Expansion, check_expansion, mean_log_likelihood

USUAL_SCALE = 1000.0


def peaks(label: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the rows (N,) and columns (N,) of the largest values of labels (N, H, W)."""
    number = label.flatten(1).argmax(dim=1)
    return number // label.shape[2], number % label.shape[2]


def cell_probabilities(label: Tensor, std: Tensor) -> Tensor:
    """Returns how likely the peak of each label (N, H, W) belongs to each cell (N, H, W).

    Args:
        label: its peak is where it would be without noise.
        std: (N,), standard deviation of the shift along x and along y, in cells.
    """

    def along(peak: Tensor, cells: int) -> Tensor:
        offset = torch.arange(cells, device=peak.device, dtype=std.dtype) - peak[:, None]
        bounds = torch.stack([offset - 0.5, offset + 0.5]) / (math.sqrt(2) * std[:, None])  # never 0 / 0
        lower, upper = torch.erf(bounds) / 2
        return upper - lower

    rows, columns = (along(peak, cells) for peak, cells in zip(peaks(label), label.shape[1:]))
    probability = rows[:, :, None] * columns[:, None, :]
    return probability / probability.sum(dim=(1, 2), keepdim=True)


def moved_losses(scores: Tensor, label: Tensor, threshold: float) -> Tensor:
    """Returns L (S, N, H, W): what :func:`lb_hinge` of each map is, were its label's peak at each cell.

    Args:
        scores: (S, N, H, W), those of S filters.
        label: (N, H, W).
        threshold: cells with a label below it are background.
    """
    height, width = label.shape[1:]
    canvas = (2 * height - 1, 2 * width - 1)
    # The label with its peak in the canvas's middle; correlated with scores, it is moved to every cell.
    padded = F.pad(label, (width - 1, width - 1, height - 1, height - 1))
    row, column = (
        peak[:, None] + torch.arange(cells, device=label.device) for peak, cells in zip(peaks(label), canvas)
    )
    number = torch.arange(len(label), device=label.device)
    centred = padded[number[:, None, None], row[:, :, None], column[:, None, :]]
    target = (centred >= threshold).to(label.dtype)
    of_label = torch.stack([target, target * centred, target * centred.square()], dim=1)
    of_scores = torch.stack([scores.clamp(max=0).square(), -2 * scores, torch.ones_like(scores)], dim=2)
    product = (torch.fft.rfft2(of_label) * torch.fft.rfft2(of_scores, s=canvas).conj()).sum(dim=2)
    correlated = torch.fft.irfft2(product, s=canvas)[..., :height, :width].flip(-2, -1)
    return scores.clamp(min=0).square().mean(dim=(-2, -1), keepdim=True) + correlated / (height * width)


def first_loss(label: Tensor, threshold: float) -> float:
    """Returns the loss before training, with scores of 0, for labels (N, H, W)."""
    return float(label.masked_fill(label < threshold, 0).square().mean())


def noise_robust_hinge(
    scores: Tensor,
    label: Tensor,
    std: Tensor,
    threshold: float,
    expansion: Expansion = "exact",
    scale: float = USUAL_SCALE,
) -> Tensor:
    """Returns the loss (S,) of each of S filters, the mean over N maps whose labels may be off.

    Where ``std`` is zero it is :func:`ltr.models.loss.lb_hinge.lb_hinge`: exactly, but for ``taylor``.

    Args:
        scores: (S, N, H, W).
        label: (N, H, W).
        std: (N,), standard deviation of the shift along x and along y, in cells.
        threshold: cells with a label below it are background.
        expansion: of log E[exp g], see :mod:`socl_plugins.progressive.noise_robust`.
        scale: see the module's docstring.

    Raises:
        ValueError: there is no such expansion.
    """
    check_expansion(expansion)
    g = -scale * moved_losses(scores, label, threshold).flatten(-2).movedim(-1, 0)
    probability = cell_probabilities(label, std.to(label.dtype)).flatten(1).T[:, None]
    return -mean_log_likelihood(g, probability, expansion).mean(dim=-1) / scale
