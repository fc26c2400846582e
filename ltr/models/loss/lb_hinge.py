"""DiMP's hinge on the background (Bhat et al., ICCV 2019, equation 8)."""

from __future__ import annotations

import torch
from torch import Tensor


def lb_hinge(prediction: Tensor, label: Tensor, threshold: float | None = None, largest: float | None = None) -> Tensor:
    """Returns the mean squared error, in which the background's scores count only if they are positive.

    Args:
        prediction: scores.
        label: the scores that are asked for, of the same shape.
        threshold: cells with a label below it are background; their label counts as zero. By default none is.
        largest: the result is cut off here; none: it is not.
    """
    if threshold is not None:
        background = label < threshold
        prediction = torch.where(background, torch.relu(prediction), prediction)
        label = label.masked_fill(background, 0)
    error = torch.nn.functional.mse_loss(prediction, label)
    return error if largest is None else error.clamp(max=largest)
