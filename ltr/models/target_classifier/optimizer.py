"""The optimizer module: the filter that minimises a learned discriminative loss, by steepest descent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ltr.models.target_classifier.filter import apply_filter, apply_transpose, score_size
from ltr.models.target_classifier.residual import ScoreActivation, activate, center_distance_map, radial, slope

SMALLEST_REGULARIZATION = 1e-3
SATURATED_LOGIT = 30.0  # its sigmoid is 1 in single precision
FixedLoss = Literal["hinge", "l2"]


@dataclass(frozen=True)
class LossMaps:
    """What the residual is made of at every cell (DiMP, equation 2), each (I, S, H, W).

    Attributes:
        label: y_c, the score that is asked for.
        mask: m_c, from 0 (only positive scores are errors) to 1 (least squares).
        weight: v_c, how much the cell counts.
    """

    label: Tensor
    mask: Tensor
    weight: Tensor


@dataclass(frozen=True)
class FilterPath:
    """What a descent came by.

    Attributes:
        filters: the first filter and each iterate, (S, C, k, k) each.
        losses: (iterations + 1,) the mean over the sequences of the loss at each of them.
    """

    filters: list[Tensor]
    losses: Tensor


class SteepestDescent(nn.Module):
    """Algorithm 1 of DiMP, with the learned loss of its section 3.4.

    Args:
        iterations: descent steps, unless a call says otherwise.
        stride: image pixels for one feature cell.
        init_step: factor on the step length, at the start of training.
        init_reg: factor lambda on the filter in the loss, at the start of training.
        label_sigma: standard deviation in cells of the Gaussian that the label is at the start.
        bins: number of radial basis functions.
        bin_spacing: distance of their knots in cells.
        mask_factor: scale of the tanh that the mask is, before its sigmoid, at the start.
        activation: of the scores outside the target: ``relu`` or ``bentpar``, see
            :func:`ltr.models.target_classifier.residual.activate`.
        bend: b of the smooth hinge of ``bentpar``, in units of a score; ``relu`` has none.
    """

    def __init__(
        self,
        iterations: int,
        stride: int,
        init_step: float,
        init_reg: float,
        label_sigma: float,
        bins: int,
        bin_spacing: float,
        mask_factor: float,
        activation: ScoreActivation = "relu",
        bend: float = 1.0,
    ) -> None:
        super().__init__()
        self.iterations = iterations
        self.stride = stride
        self.bin_spacing = bin_spacing
        self.activation = activation
        self.bend = bend
        self.log_step_length = nn.Parameter(torch.full((1,), math.log(init_step)))
        self.filter_reg = nn.Parameter(torch.full((1,), init_reg))
        # Their weights are the coefficients of equation 6; the modules give them the published names.
        self.label_map_predictor = nn.Conv2d(bins, 1, 1, bias=False)
        self.target_mask_predictor = nn.Sequential(nn.Conv2d(bins, 1, 1, bias=False), nn.Sigmoid())
        self.spatial_weight_predictor = nn.Conv2d(bins, 1, 1, bias=False)
        distance = torch.arange(bins) * bin_spacing
        gaussian = torch.exp(-0.5 * (distance / label_sigma).square())
        with torch.no_grad():
            self.label_map_predictor.weight.copy_((gaussian - gaussian.min()).view(1, -1, 1, 1))
            mask = self.target_mask_predictor[0].get_parameter("weight")
            mask.copy_((mask_factor * torch.tanh(2 - distance)).view(1, -1, 1, 1))
            nn.init.ones_(self.spatial_weight_predictor.weight)

    def fix_loss(self, kind: FixedLoss, threshold: float = 0.05) -> None:
        """Stops learning the loss: its label stays the Gaussian, its weight one, and its mask is set by hand.

        Args:
            kind: ``hinge``, equation 8: least squares where the label is above a threshold, elsewhere the label is 0
                and only positive scores are errors; ``l2``: least squares everywhere.
            threshold: T of equation 8.
        """
        mask = self.target_mask_predictor[0].get_parameter("weight")
        label = self.label_map_predictor.weight
        target = (label > threshold) | (kind == "l2")
        with torch.no_grad():
            mask.copy_(torch.where(target, SATURATED_LOGIT, -SATURATED_LOGIT))
            label.mul_(target)  # equation 8 asks the background for no more than max(0, s), not for the Gaussian's tail
        for learned in (mask, label, self.spatial_weight_predictor.weight, self.filter_reg):
            learned.requires_grad_(False)

    def radial_functions(self, distance: Tensor) -> LossMaps:
        """Returns label, mask and weight at distances in cells from the target's centre, as in figure 3."""
        predictors = (self.label_map_predictor, self.target_mask_predictor[0], self.spatial_weight_predictor)
        coefficients = torch.stack([predictor.get_parameter("weight").flatten() for predictor in predictors])
        label, mask, weight = radial(coefficients, distance, self.bin_spacing)
        return LossMaps(label, torch.sigmoid(mask), weight)

    def loss_maps(self, boxes: Tensor, feature_size: tuple[int, int], filter_size: tuple[int, int]) -> LossMaps:
        """Returns the maps for boxes (I, S, 4) x, y, w, h in crop pixels."""
        # The score of an odd filter belongs to the middle of a cell, that of an even one to a corner of four.
        columns, rows = ((boxes[..., :2] + boxes[..., 2:] / 2) / self.stride).split(1, dim=-1)
        centers = torch.cat([rows - filter_size[0] % 2 / 2, columns - filter_size[1] % 2 / 2], dim=-1)
        distance = center_distance_map(centers, score_size(feature_size, filter_size))
        return self.radial_functions(distance.to(self.filter_reg.dtype))

    def forward(
        self,
        filters: Tensor,
        features: Tensor,
        boxes: Tensor,
        sample_weight: Tensor | None = None,
        iterations: int | None = None,
    ) -> FilterPath:
        """Returns the filters that descent goes through from ``filters``.

        Args:
            filters: (S, C, k, k).
            features: (I, S, C, H, W).
            boxes: (I, S, 4) x, y, w, h in crop pixels.
            sample_weight: (I, S), how much each image counts; by default all the same, 1 / I.
            iterations: number of steps.
        """
        feature_size = (int(features.shape[-2]), int(features.shape[-1]))
        kernel = (int(filters.shape[-2]), int(filters.shape[-1]))
        return self.descend(filters, features, self.loss_maps(boxes, feature_size, kernel), sample_weight, iterations)

    def descend(
        self,
        filters: Tensor,
        features: Tensor,
        maps: LossMaps,
        sample_weight: Tensor | None = None,
        iterations: int | None = None,
    ) -> FilterPath:
        """Returns what :meth:`forward` does, for maps that are known already.

        The scores are linear in the filter, so those of the next filter follow from the scores of the gradient, which
        the step length needs anyway: two passes over the features an iteration, not three.
        """
        kernel = (int(filters.shape[-2]), int(filters.shape[-1]))
        reg = self.filter_reg.square().clamp(min=SMALLEST_REGULARIZATION**2)
        if sample_weight is None:
            weight = maps.weight * math.sqrt(1 / features.shape[0])
        else:
            weight = maps.weight * sample_weight.sqrt()[..., None, None]
        steps = self.iterations if iterations is None else iterations
        path, losses = [filters], []
        # A ratio of sums of squares has no place for float16.
        with torch.autocast(features.device.type, enabled=False):
            scores = apply_filter(features, filters)
            while True:
                activated = activate(scores, maps.mask, self.activation, self.bend)
                residuals = weight * (activated - maps.label)
                losses.append((_energy(residuals, (0, 2, 3)) + reg * _energy(filters, (1, 2, 3))).mean())
                if len(path) > steps:
                    return FilterPath(path, torch.stack(losses))
                jacobian = weight * slope(scores, maps.mask, self.activation, self.bend)  # q_c, equation S4
                gradient = apply_transpose(features, jacobian * residuals, kernel) + reg * filters
                change, changed_scores = self.step(gradient, features, jacobian, reg)
                filters, scores = filters - change, scores - changed_scores
                path.append(filters)

    def step(self, gradient: Tensor, features: Tensor, jacobian: Tensor, reg: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what filters (S, C, k, k) are reduced by, and their scores (I, S, H, W): equation 5."""
        scores = apply_filter(features, gradient)
        size = _energy(gradient, (1, 2, 3))
        curvature = _energy(jacobian * scores, (0, 2, 3)) + reg * size
        alpha = torch.exp(self.log_step_length) * size / curvature.clamp(min=1e-8)
        return alpha[:, None, None, None] * gradient, alpha[:, None, None] * scores


class GradientDescent(SteepestDescent):
    """GD of table 1: each coefficient of the filter has a step length, which is learned, the same for all targets.

    Args:
        channels: of the filter.
        filter_size: its cells along each side.
        first_step: step lengths at the start of training; the paper does not say.
        arguments: those of :class:`SteepestDescent`.
    """

    def __init__(self, channels: int, filter_size: int, first_step: float, *arguments: Any) -> None:
        super().__init__(*arguments)
        del self.log_step_length
        self.log_step_lengths = nn.Parameter(torch.full((channels, filter_size, filter_size), math.log(first_step)))

    def step(self, gradient: Tensor, features: Tensor, jacobian: Tensor, reg: Tensor) -> tuple[Tensor, Tensor]:
        change = torch.exp(self.log_step_lengths) * gradient
        return change, apply_filter(features, change)


def _energy(values: Tensor, dims: tuple[int, ...]) -> Tensor:
    return values.square().sum(dim=dims)
