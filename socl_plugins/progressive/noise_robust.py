"""The noise-robust loss: a label that may be off by a random shift (PUL, section 3.4.2; supplement, section B).

With labels m of a shift e and logits z, of which f is the sigmoid, a response's log likelihood given the shift is

    g(e) = sum_x sum_b m_b(x) h_b(x),    h_1 = log f,  h_0 = log(1 - f)                            (2)

and that of the response is log E[exp g(e)]. The paper expands exp about zero, to the second order:

    log E[exp g] = log(1 + E[g] + E[g^2] / 2)                                                      (1)

The expansion has a trap. Its value falls with g only while g > -1. Below, a *worse* response is a *likelier* one, so
that the loss rewards error; and a sum over the hundreds of locations of a map lies far below. So there are

- ``exact``, the default: log E[exp g] over the shifts, which costs no more than the two moments do;
- ``centred``, which expands about the mean instead: E[g] + log(1 + Var[g] / 2), of the same moments. Without noise it
  is g itself, so the loss is the cross-entropy exactly; and sharper errors cost more wherever the standard deviation of
  g is below 1.4 times its mean;
- ``taylor``, equation 1 as printed, trap included. It needs a small g, such as ``scale`` 1, its default, gives at the
  start; a scale with which training would start in the trap is refused.

How large g is decides what is learned. Here it is a mean over locations, half its weight on target and half on
background, as in SiamFC's loss, times ``scale``. As a plain mean (1) it hardly differs from one shift to the next, so
log E[exp g] is E[g]: the cross-entropy with the mean label, on which training with labels that are off comes out
anyhow. As the sum over locations of equation 2 has it, the shifts that the response agrees with count most: a label is
moved to where the network sees the target, as far as the noise allows. 100, about as many as a response has locations,
is for a network that sees something to begin with, such as ImageNet's; one that begins with nothing hardly hears the
labels then. 30, the default but of ``taylor``, serves both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F

from ltr.models.loss.balanced_bce import center_labels

Expansion = Literal["centred", "taylor", "exact"]
USUAL_SCALE = 30.0
TAYLOR_SCALE = 1.0
START = math.log(2)
"""The balanced cross-entropy of a network that tells nothing apart yet."""
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True)
class LabelNoise:
    """What is believed of the error of a label, and how the loss takes it into account.

    The label of a pair says where the template's target is in the search crop, so its error is the difference of two:
    clicks that are ``r`` pixels off in any direction make labels that are off with a standard deviation of ``r``.

    Attributes:
        frame_px: standard deviation of the shift along x and along y, in pixels of the frame: a person's error.
        crop_px: another, in pixels of the crop, where targets have one size: a machine's error, which grows with it.
        shifts: how many shifts stand for all; DiMP's loss takes all whole cells instead.
        expansion: see the module's docstring.
        scale: factor on g, taken back after the expectation; none: see :meth:`factor`. At 0 the loss would be the
            cross-entropy with the mean label; the larger, the more the likeliest shift counts alone.
    """

    frame_px: float = 0.0
    crop_px: float = 0.0
    shifts: int = 64
    expansion: Expansion = "exact"
    scale: float | None = None

    def __post_init__(self) -> None:
        for name in ("frame_px", "crop_px"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(
                    f"{name} of the label noise is {getattr(self, name)}; it must be 0 or more, and finite"
                )
        if self.shifts < 1:
            raise ValueError(f"shifts of the label noise is {self.shifts}; it must be at least 1")
        if self.scale is not None and not 0 < self.scale < float("inf"):
            raise ValueError(f"scale of the label noise is {self.scale}; it must be positive")
        check_expansion(self.expansion)

    def factor(self, usual: float = USUAL_SCALE) -> float:
        """Returns the scale: if none is given, ``usual``, but 1 for ``taylor``, which a large one would turn round."""
        if self.scale is not None:
            return self.scale
        return TAYLOR_SCALE if self.expansion == "taylor" else usual

    def check_start(self, loss: float, usual: float = USUAL_SCALE) -> None:
        """Raises ValueError if training would start where ``taylor`` takes a worse response for a likelier one.

        Args:
            loss: before training, that is, -g without the scale.
            usual: see :meth:`factor`.
        """
        scale = self.factor(usual)
        if self.expansion == "taylor" and scale * loss >= 1:
            raise ValueError(
                f"the noise-robust loss cannot be expanded (taylor) with a scale of {scale:g}: training would start at "
                f"g = {-scale * loss:.3g}, and below -1, its minimum, a worse response counts as a likelier one. "
                f"Choose a scale below {1 / loss:.3g}, such as {TAYLOR_SCALE:g}, or another expansion."
            )

    def cells(self, scale: torch.Tensor, stride: int) -> torch.Tensor:
        """Returns the standard deviation (...) of the shift in cells of ``stride`` crop pixels.

        Args:
            scale: (...), how many pixels of the crop one of the frame is.
            stride: side of a cell.
        """
        scale = scale.float()
        return torch.hypot(self.frame_px * scale, torch.full_like(scale, self.crop_px)) / stride


def check_expansion(expansion: str) -> None:
    """Returns nothing, and raises ValueError where there is no such expansion."""
    if expansion not in get_args(Expansion):
        raise ValueError(f"expansion is {expansion!r}; choose one of {', '.join(get_args(Expansion))}")


def gaussian_shifts(count: int) -> torch.Tensor:
    """Returns shifts (K, 2) that stand for an isotropic Gaussian of unit variance, each for the K-th part of it.

    They lie on a sunflower's spiral: as even as can be and never in the rows of a grid, whose cells a label could gain
    and lose all at once.
    """
    number = torch.arange(count, dtype=torch.float64)
    # The part exp(-r^2 / 2) of the Gaussian lies farther off than r.
    radius = torch.sqrt(-2 * torch.log1p(-(number + 0.5) / count))
    angle = number * GOLDEN_ANGLE
    return (radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)).float()


def shifted_labels(
    centers: torch.Tensor, shape: tuple[int, int], radius: float, shifts: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the labels (K, N, 1, h, w) of each shift, and how likely each shift is (K, N).

    A shift that takes the target out of the response is impossible, since there is no place that could answer it; if
    all are, they are equally likely.

    Args:
        centers: (N, 2), x, y of each target in cells.
        shape: height and width h, w of the response.
        radius: see :func:`ltr.models.loss.balanced_bce.center_labels`.
        shifts: (K, N, 2) in cells.
    """
    moved = centers + shifts
    labels = center_labels(moved.flatten(0, 1), shape, radius).unflatten(0, shifts.shape[:2])
    limit = torch.tensor([shape[1], shape[0]], device=centers.device) - 0.5
    inside = ((moved >= -0.5) & (moved <= limit)).all(dim=-1).float()
    inside = torch.where(inside.any(dim=0), inside, torch.ones_like(inside))
    return labels, inside / inside.sum(dim=0)


def class_weights(mean_labels: torch.Tensor) -> torch.Tensor:
    """Returns the weights (2,) of a background and a target location that make g a balanced mean over locations.

    With labels 0 and 1 they are those of :func:`ltr.models.loss.balanced_bce.balanced_bce`, for each sample of N.

    Args:
        mean_labels: (N, 1, h, w), the expected label of each location.
    """
    expected = torch.stack([(1 - mean_labels).sum(), mean_labels.sum()])
    kinds = (expected > 0).sum()
    return torch.where(expected > 0, len(mean_labels) / (expected * kinds), 0.0)


def log_likelihoods(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Returns g (K, N): the weighted log likelihood of each response under each shift (equation 2).

    Args:
        logits: (N, 1, h, w).
        labels: (K, N, 1, h, w), 0 or 1.
        weights: (2,), of background and target.
    """
    background = weights[0] * F.logsigmoid(-logits)
    target = weights[1] * F.logsigmoid(logits)
    return torch.einsum("knchw,nchw->kn", labels.to(logits.dtype), target - background) + background.sum(dim=(1, 2, 3))


def moments(log_likelihood: torch.Tensor, probability: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns E[g] and E[g^2], (N,) each, of g (K, N) under shifts of a probability (K, N) (equations 3 and 4)."""
    return (probability * log_likelihood).sum(dim=0), (probability * log_likelihood.square()).sum(dim=0)


def taylor_log_likelihood(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns log(1 + E[g] + E[g^2] / 2) (equation 1). It falls with g only above -1: see the module's docstring."""
    return torch.log1p(first + second / 2)


def centred_log_likelihood(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Returns E[g] + log(1 + Var[g] / 2): log E[exp g] to the second order about E[g], not about zero."""
    variance = (second - first.square()).clamp(min=0)  # rounding can take it below
    return first + torch.log1p(variance / 2)


def exact_log_likelihood(log_likelihood: torch.Tensor, probability: torch.Tensor) -> torch.Tensor:
    """Returns log E[exp g] (N,) over the shifts; arguments as for :func:`moments`."""
    return torch.logsumexp(log_likelihood + probability.log(), dim=0)


def mean_log_likelihood(log_likelihood: torch.Tensor, probability: torch.Tensor, expansion: Expansion) -> torch.Tensor:
    """Returns log E[exp g] (N,), or the expansion of it that is asked for; arguments as for :func:`moments`."""
    if expansion == "exact":
        return exact_log_likelihood(log_likelihood, probability)
    expanded = centred_log_likelihood if expansion == "centred" else taylor_log_likelihood
    return expanded(*moments(log_likelihood, probability))


def noise_robust_loss(
    logits: torch.Tensor,
    centers: torch.Tensor,
    std: torch.Tensor,
    radius: float = 2.0,
    shifts: int = 64,
    expansion: Expansion = "exact",
    scale: float = USUAL_SCALE,
) -> torch.Tensor:
    """Returns minus the mean log likelihood of responses whose labels may be off (PUL, section 3.4.2).

    Where ``std`` is zero it is the balanced cross-entropy: exactly, but for ``taylor``, which
    differs by g^3 / 6 for small g.

    Args:
        logits: (N, 1, h, w).
        centers: (N, 2), x, y of each target in cells, as the label says.
        std: (N,), standard deviation of the shift along x and along y, in cells.
        radius: see :func:`ltr.models.loss.balanced_bce.center_labels`.
        shifts: how many shifts the expectation is computed over.
        expansion: of the log of the expected likelihood, see :class:`LabelNoise`.
        scale: of the loss in the likelihood's exponent, see :class:`LabelNoise`.

    Raises:
        ValueError: there is no such expansion.
    """
    check_expansion(expansion)
    unit = gaussian_shifts(shifts).to(logits.device)
    labels, probability = shifted_labels(
        centers, (logits.shape[-2], logits.shape[-1]), radius, unit[:, None] * std[None, :, None]
    )
    weights = class_weights(torch.einsum("kn,knchw->nchw", probability, labels)).to(logits.dtype)
    g = scale * log_likelihoods(logits, labels, weights)
    return -mean_log_likelihood(g, probability.to(g.dtype), expansion).mean() / scale
