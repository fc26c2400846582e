"""Boxes moved uphill on the overlap that the IoU network predicts for them (ATOM, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ltr.models.bbreg.atom_iou_net import STRIDES, Features
from pytracking.tracker.dimp.overlap import IoUPredictor

REACH = 2  # cells that two convolutions of 3 x 3 look beyond a cell
FAR = 1e6  # pixels, beyond any crop
SLACK = 1  # cells at stride 16 by which boxes may grow before the window is too small


Space = Literal["default", "relative"]
"""What a step is a step in. ``default``: left, top, width and height, in units of the box's own size. ``relative``: the
centre in units of the first box's size, and the log of width and height: what a branch knows that learned a density.
"""


@dataclass(frozen=True)
class Ascent:
    """How boxes are moved.

    Attributes:
        steps: their number; at least 1.
        length: of a step for a unit of gradient.
        decay: factor on the length after each step.
        space: what a step is a step in.
    """

    steps: int
    length: float = 1.0
    decay: float = 1.0
    space: Space = "default"

    def moved(self, boxes: Tensor, gradient: Tensor, step: int, first_size: Tensor) -> Tensor:
        """Returns boxes (N, 4) x, y, w, h after step number ``step``, from 0.

        Args:
            boxes: before it.
            gradient: (N, 4), in x, y, w, h.
            step: its number.
            first_size: width and height (2,) of the first box before step 0.
        """
        length, size = self.length * self.decay**step, boxes[:, 2:]
        if self.space == "default":
            return boxes + length * gradient * size.repeat(1, 2)
        # A centre that moves takes the left top corner with it; a size that grows about its centre moves it by half.
        by_center = gradient[:, :2] * first_size
        by_log_size = (gradient[:, 2:] - gradient[:, :2] / 2) * size
        center = boxes[:, :2] + size / 2 + length * by_center * first_size
        size = size * torch.exp(length * by_log_size)
        return torch.cat([center - size / 2, size], dim=1)


@dataclass(frozen=True)
class Window:
    """IoU features of a part of a crop.

    Attributes:
        features: at both strides.
        origin: x, y of its first cell in crop pixels.
        bounds: left, top, right, bottom in crop pixels, between which boxes see nothing but the window's cells.
    """

    features: Features
    origin: Tensor
    bounds: Tensor

    def holds(self, boxes: Tensor) -> bool:
        """Returns whether boxes (N, 4) x, y, w, h lie inside."""
        corners = torch.cat([boxes[:, :2].amin(0), (boxes[:, :2] + boxes[:, 2:]).amax(0)])
        return bool((corners[:2] >= self.bounds[:2]).all() and (corners[2:] <= self.bounds[2:]).all())


def whole(judge: IoUPredictor, features: Features) -> Window:
    """Returns the IoU features of the whole crop, for backbone features (1, C, H, W) at both strides."""
    device = features[0].device
    bounds = torch.tensor([-torch.inf, -torch.inf, torch.inf, torch.inf], device=device)
    return Window(judge.iou_features(features), torch.zeros(2, device=device), bounds)


def around(judge: IoUPredictor, features: Features, boxes: Tensor) -> Window:
    """Returns the IoU features of the part of the crop that boxes (N, 4) x, y, w, h can see, and a little more.

    Two convolutions look two cells far. With so many more cells around the part, its features are those of the whole.
    """
    size = features[1].shape[-1], features[1].shape[-2]
    outermost = torch.cat([boxes[:, :2].amin(0), (boxes[:, :2] + boxes[:, 2:]).amax(0)])
    corners = outermost.nan_to_num().clamp(-FAR, FAR).tolist()  # an untrained network can send boxes anywhere
    spans, bounds = [], torch.empty(4)
    for axis in range(2):
        start = max(int(corners[axis] // STRIDES[1]) - SLACK, 0)
        end = min(int(-(-corners[2 + axis] // STRIDES[1])) + 1 + SLACK, size[axis])
        start, end = min(start, size[axis] - 1), max(end, 1)
        spans.append((start, max(end, start + 1)))
        # The last cell at stride 8 lies half a stride of 16 after the last one at stride 16, which is the limit.
        bounds[axis] = -torch.inf if start == 0 else start * STRIDES[1]
        bounds[2 + axis] = torch.inf if spans[-1][1] == size[axis] else (spans[-1][1] - 1) * STRIDES[1]
    cut = []
    for level, stride in zip(features, STRIDES):
        factor = STRIDES[1] // stride
        (left, right), (top, bottom) = ((begin * factor, end * factor) for begin, end in spans)
        outer = (max(left - REACH, 0), max(top - REACH, 0))
        cut.append((level[..., outer[1] : bottom + REACH, outer[0] : right + REACH], (left, right, top, bottom), outer))
    found = judge.iou_features((cut[0][0], cut[1][0]))
    inner = tuple(
        level[..., top - y : bottom - y, left - x : right - x].contiguous(memory_format=torch.channels_last)
        for level, (_, (left, right, top, bottom), (x, y)) in zip(found, cut)
    )
    origin = torch.tensor([spans[0][0] * STRIDES[1], spans[1][0] * STRIDES[1]], dtype=boxes.dtype)
    return Window((inner[0], inner[1]), origin.to(boxes.device), bounds.to(boxes.device))


def refine_boxes(
    judge: IoUPredictor,
    features: Features,
    boxes: Tensor,
    ascent: Ascent,
    window: Window | None = None,
) -> tuple[Tensor, Tensor]:
    """Returns boxes (N, 4) x, y, w, h moved uphill all at once, and the overlaps (N,) predicted before the last step.

    Args:
        judge: the IoU network, and what it knows of the target.
        features: backbone features (1, C, H, W) at both strides.
        boxes: where to begin.
        ascent: how they move.
        window: IoU features to begin with; by default those around the boxes. When a box leaves them, others
            are computed.
    """
    window = window or around(judge, features, boxes)
    first_size = boxes[0, 2:]
    for step in range(ascent.steps):
        if not window.holds(boxes):
            window = around(judge, features, boxes)
        moved = torch.cat([boxes[:, :2] - window.origin, boxes[:, 2:]], dim=1)
        overlaps, gradient = judge(window.features, moved)
        boxes = ascent.moved(boxes, gradient, step, first_size)
    return boxes, overlaps


def refine_on_whole_crop(
    judge: IoUPredictor, features: Features, boxes: Tensor, ascent: Ascent
) -> tuple[Tensor, Tensor]:
    """Returns what :func:`refine_boxes` does, by operations that do not depend on where the boxes are.

    So they can be recorded (:func:`ltr.models.graphed.graphed`). A GPU computes a whole crop's IoU features faster than
    it tells which part of them is needed.
    """
    near, far = judge.iou_features(features)
    near, far = (level.contiguous(memory_format=torch.channels_last) for level in (near, far))
    first_size = boxes[0, 2:]
    for step in range(ascent.steps):
        overlaps, gradient = judge((near, far), boxes)
        boxes = ascent.moved(boxes, gradient, step, first_size)
    return boxes, overlaps


def starting_boxes(
    box: np.ndarray, count: int, jitter_position: float, jitter_size: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns a box (4,) x, y, w, h and ``count`` random ones near it, (count + 1, 4)."""
    reach = np.sqrt(box[2:].prod()) * np.array([jitter_position, jitter_position, jitter_size, jitter_size])
    noise = rng.uniform(-0.5, 0.5, (count, 4)) * reach
    size = np.maximum(box[2:] + noise[:, 2:], box[2:].min() / 3)
    center = box[:2] + box[2:] / 2 + noise[:, :2]
    return np.concatenate([box[None], np.concatenate([center - size / 2, size], axis=1)])


def best_box(boxes: np.ndarray, overlaps: np.ndarray, count: int, maximal_aspect_ratio: float) -> np.ndarray | None:
    """Returns the mean (4,) of the ``count`` boxes with the largest predicted overlaps, or None if all are too thin."""
    boxes = np.concatenate([boxes[:, :2], np.maximum(boxes[:, 2:], 1)], axis=1)
    ratio = boxes[:, 2] / boxes[:, 3]
    kept = (ratio < maximal_aspect_ratio) & (ratio > 1 / maximal_aspect_ratio) & np.isfinite(boxes).all(axis=1)
    if not kept.any():
        return None
    best = np.argsort(-overlaps[kept], kind="stable")[:count]
    return boxes[kept][best].mean(axis=0)
