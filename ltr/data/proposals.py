"""Boxes near a target, and how good they are: what a box branch learns from.

They come with their overlap with the target (ATOM, DiMP), or with two densities of boxes, the one that they were drawn
from and the one that is to be learned (SuperDiMP, after Danelljan et al., PrDiMP, CVPR 2020, section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class IoUProposalSettings:
    """How boxes are drawn around the target (ATOM, section 3.2).

    Attributes:
        boxes_per_frame: number of boxes.
        min_iou: overlap that each has at the least.
        sigma_factors: standard deviations of their centres and sizes over the target's mean side; one is drawn a box.
    """

    boxes_per_frame: int = 8
    min_iou: float = 0.1
    sigma_factors: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.3)

    def __post_init__(self) -> None:
        if self.boxes_per_frame < 1 or not 0 <= self.min_iou < 1 or min(self.sigma_factors, default=0) <= 0:
            raise ValueError(f"{self}: at least one box, an overlap in [0, 1) and positive factors are needed")


@dataclass(frozen=True)
class DensityProposalSettings:
    """How boxes are drawn for a box branch that learns a density, all in :func:`relative_boxes`.

    Attributes:
        boxes_per_frame: number of boxes.
        sigmas: standard deviations of the Gaussians around the target that they are drawn from, each as often.
        true_sigma: of the Gaussian around the target that is to be learned.
    """

    boxes_per_frame: int = 128
    sigmas: tuple[float, ...] = (0.05, 0.5)
    true_sigma: float = 0.05

    def __post_init__(self) -> None:
        if self.boxes_per_frame < 1 or not self.sigmas or min(*self.sigmas, self.true_sigma) <= 0:
            raise ValueError(f"{self}: at least one box and positive standard deviations are needed")


@dataclass(frozen=True)
class DensityProposals:
    """Boxes (N, 4) x, y, w, h, and two densities (N,) of their relative coordinates.

    Attributes:
        boxes: what was drawn.
        drawn: the density that they were drawn from.
        true: the one that is to be learned.
    """

    boxes: np.ndarray
    drawn: np.ndarray
    true: np.ndarray


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the intersection over union (N,) of boxes (N, 4) with one box (4,), all x, y, w, h.

    >>> overlap(np.array([[0, 0, 2, 2], [1, 0, 2, 2], [5, 5, 1, 1]]), np.array([0, 0, 2, 2])).round(3)
    array([1.   , 0.333, 0.   ])
    """
    # In NumPy: for the few boxes of a frame torchvision's box_iou takes seven times as long.
    corner = np.maximum(boxes[:, :2], box[:2])
    opposite = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.clip(opposite - corner, 0, None).prod(axis=1)
    return shared / np.maximum(boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared, 1e-12)


def draw_proposals(
    box: np.ndarray, settings: IoUProposalSettings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns boxes (N, 4) around a box (4,), all x, y, w, h, and their overlaps (N,) with it.

    Centres and sizes are normally distributed. Boxes that overlap too little are drawn again, each time a tenth closer.
    """
    count = settings.boxes_per_frame
    sigma = np.sqrt(box[2:].prod()) * rng.choice(settings.sigma_factors, (count, 1))
    boxes, overlaps = np.empty((count, 4)), np.full(count, -1.0)
    wanted = np.arange(count)
    while wanted.size:
        size = box[2:] + sigma[wanted] * rng.normal(size=(wanted.size, 2))
        size = np.where(size > 1, size, rng.uniform(2, 10, size.shape))
        center = box[:2] + box[2:] / 2 + sigma[wanted] * rng.normal(size=(wanted.size, 2))
        boxes[wanted] = np.concatenate([center - size / 2, size], axis=1)
        overlaps[wanted] = overlap(boxes[wanted], box)
        sigma *= 0.9
        wanted = wanted[overlaps[wanted] <= settings.min_iou]
        if wanted.size and sigma[wanted].max() < 1e-3:  # a target so small that no box of over a pixel meets it
            boxes[wanted], overlaps[wanted] = box, 1.0
            break
    return boxes, overlaps


def relative_boxes(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns how far boxes (N, 4) are from a box (4,), all x, y, w, h.

    The first two numbers of each are the distance of the centres over the box's size; the last two, the logs of the
    sizes' ratios.
    """
    centers = boxes[:, :2] + boxes[:, 2:] / 2 - box[:2] - box[2:] / 2
    return np.concatenate([centers / box[2:], np.log(boxes[:, 2:] / box[2:])], axis=1)


def gaussian_mixture(points: np.ndarray, sigmas: Sequence[float]) -> np.ndarray:
    """Returns the density (N,) at points (N, D) of equally likely Gaussians around 0, each alike in all directions."""
    scales = np.asarray(sigmas, np.float64)[:, None, None]
    each = np.exp(-((points / scales) ** 2) / 2) / (np.sqrt(2 * np.pi) * scales)
    density: np.ndarray = each.prod(axis=2).mean(axis=0)
    return density


def draw_density_proposals(
    box: np.ndarray, settings: DensityProposalSettings, rng: np.random.Generator
) -> DensityProposals:
    """Returns boxes around a box (4,) x, y, w, h with their densities."""
    count = settings.boxes_per_frame
    relative = rng.choice(settings.sigmas, (count, 1)) * rng.normal(size=(count, 4))
    size = box[2:] * np.exp(relative[:, 2:])
    center = box[:2] + box[2:] / 2 + box[2:] * relative[:, :2]
    return DensityProposals(
        np.concatenate([center - size / 2, size], axis=1),
        gaussian_mixture(relative, settings.sigmas),
        gaussian_mixture(relative, [settings.true_sigma]),
    )
