"""DiMP written down plainly: what the tracker must compute, without any of its shortcuts. For tests and benchmarks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ltr.data.target_crops import BorderMode
from ltr.models.bbreg import AtomIoUNet, Modulation
from ltr.models.bbreg.atom_iou_net import Features
from ltr.models.layers.prroi_pool import prroi_pool2d
from ltr.models.target_classifier import SteepestDescent
from ltr.models.target_classifier.residual import activate, slope
from ltr.models.tracking import DiMPNet
from pytracking.tracker.dimp.memory import Samples
from pytracking.tracker.dimp.sampling import Patch, sample_patch
from pytracking.tracker.dimp.tracker import DiMPTracker

P = ParamSpec("P")
R = TypeVar("R")


class PlainDiMPTracker(DiMPTracker):
    """Turns whole frames to floating point, moves box by box on whole maps, and convolves where it says convolution."""

    def _recorded(self, function: Callable[P, R]) -> Callable[P, R]:
        return function

    def _patch(self, image: np.ndarray, size: int, mode: BorderMode, resized: bool = True) -> Patch:
        params = self.params
        side = self.side * params.search_area_scale * size / params.image_sample_size
        return sample_patch(image.astype(np.float32), self.center - 0.5, side, size, mode, params.border_limit)

    def _prepare(self, network: DiMPNet) -> DiMPNet:
        return copy.deepcopy(network).eval()

    def _set_target_modulation(self, modulation: Modulation) -> None:
        self.modulation = modulation

    def _refined_boxes(self, backbone: Mapping[str, Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
        branch = self.network.bb_regressor
        features = branch.iou_features((backbone["layer2"], backbone["layer3"]))
        overlaps = torch.zeros(len(boxes), device=boxes.device)
        boxes = boxes.clone()
        first = boxes[0, 2:].clone()
        for number in range(len(boxes)):
            for step in range(self.params.box_refinement_iter):
                with torch.enable_grad():
                    box = boxes[number].clone().requires_grad_()
                    overlap = plain_iou(branch, self.modulation, features, box)
                    gradient = torch.autograd.grad(overlap, box)[0]
                length = self.params.box_refinement_step_length * self.params.box_refinement_step_decay**step
                if self.params.box_refinement_space == "default":
                    boxes[number] += length * gradient * boxes[number, 2:].repeat(2)
                else:
                    boxes[number] = relative_step(boxes[number], gradient, length, first)
                overlaps[number] = overlap.detach()
        return boxes, overlaps

    def _descend(self, samples: Samples, iterations: int) -> Tensor:
        filters = self.filter
        for _ in range(iterations):
            filters = plain_step(self.network.classifier.filter_optimizer, filters, samples)
        return filters


def relative_step(box: Tensor, gradient: Tensor, length: float, unit: Tensor) -> Tensor:
    """Returns a box (4,) x, y, w, h after a step in its centre over ``unit``, and in the log of its size.

    Args:
        box: before it.
        gradient: (4,), in x, y, w, h.
        length: of the step.
        unit: (2,) width and height.
    """
    relative = torch.cat([(box[:2] + box[2:] / 2) / unit, (box[2:] / unit).log()])

    def rectangle(value: Tensor) -> Tensor:
        size = value[2:].exp() * unit
        return torch.cat([value[:2] * unit - size / 2, size])

    _, change = torch.autograd.functional.vjp(rectangle, relative, gradient)
    return rectangle(relative + length * change)


def plain_iou(branch: AtomIoUNet, modulation: Modulation, features: Features, box: Tensor) -> Tensor:
    """Returns the predicted overlap of one box (4,) x, y, w, h with the target."""
    roi = torch.cat([box.new_zeros(1), box[:2], box[:2] + box[2:]])[None]
    near = prroi_pool2d(features[0] * modulation.stride8[..., None, None], roi, 5, 1 / 8)
    far = prroi_pool2d(features[1] * modulation.stride16[..., None, None], roi, 3, 1 / 16)
    return branch.iou_predictor(torch.cat([branch.fc3_rt(near), branch.fc4_rt(far)], dim=1))[0, 0]


def plain_step(optimizer: SteepestDescent, filters: Tensor, samples: Samples) -> Tensor:
    """Returns the next filter (1, C, k, k): steepest descent on equation 1, its gradient by differentiation."""
    reg = optimizer.filter_reg.detach().square().clamp(min=1e-6)

    maps, kind, bend = samples.maps, optimizer.activation, optimizer.bend
    weight = samples.weights.sqrt()[..., None, None] * maps.weight

    def scores(value: Tensor) -> Tensor:
        return F.conv2d(samples.features[:, 0], value, padding=value.shape[-1] // 2)

    with torch.enable_grad():
        value = filters.detach().requires_grad_()
        residuals = weight * (activate(scores(value), maps.mask, kind, bend) - maps.label)
        loss = residuals.square().sum() / 2 + reg * value.square().sum() / 2
        gradient = torch.autograd.grad(loss, value)[0]
    change = weight * slope(scores(filters), maps.mask, kind, bend) * scores(gradient)
    curvature = change.square().sum() + reg * gradient.square().sum()
    step = optimizer.log_step_length.detach().exp() * gradient.square().sum() / curvature.clamp(min=1e-8)
    return filters - step * gradient
