"""The loss of a box branch that learns where boxes are (Danelljan et al., PrDiMP, CVPR 2020, equation 7)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def density_loss(scores: Tensor, drawn: Tensor, true: Tensor) -> Tensor:
    """Returns the Kullback-Leibler divergence, up to a constant, of the density that scores are from the true one.

    Both integrals are estimated by the N boxes: log(mean(exp(s) / q)) - mean(s p / q), averaged over all but these.

    Args:
        scores: s (..., N), logs of the predicted density up to a constant.
        drawn: q (..., N), the density that the boxes were drawn from.
        true: p (..., N), the true one.
    """
    partition = torch.logsumexp(scores - drawn.log(), dim=-1) - math.log(scores.shape[-1])
    return (partition - (scores * true / drawn).mean(dim=-1)).mean()
