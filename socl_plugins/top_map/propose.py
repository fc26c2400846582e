"""From a frame and a click to the proposals that a TOP map is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from socl_plugins.top_map.cues import window_cues
from socl_plugins.top_map.objectness import DEFAULT_TABLE, load_likelihoods
from socl_plugins.top_map.proposals import Proposals, non_maximum_suppression, random_proposals

SMALLEST_SIDE = 4.0  # pixels; smaller windows hold no cue


@dataclass(frozen=True)
class ProposalSettings:
    """How proposals are made and kept (SoCL, section 3.1).

    Attributes:
        random_count: random proposals around the click.
        side_range: their sides, relative to the frame's geometric mean side.
        max_aspect: their largest ratio of sides.
        nms_threshold: overlap above which the less object-like of two is dropped.
        keep: proposals kept for each frame.
        likelihoods: a table of :mod:`socl_plugins.top_map.objectness`; none: the one that comes with the package.
    """

    random_count: int = 5000
    side_range: tuple[float, float] = (0.04, 0.8)
    max_aspect: float = 3.0
    nms_threshold: float = 0.7
    keep: int = 64
    likelihoods: Path | None = None

    def __post_init__(self) -> None:
        if self.random_count < 1 or self.keep < 1:
            raise ValueError(f"random_count is {self.random_count} and keep {self.keep}; each must be at least 1")
        if not 0 < self.side_range[0] <= self.side_range[1]:
            raise ValueError(f"side_range is {self.side_range}; it must rise, and start above 0")
        if not self.max_aspect >= 1:
            raise ValueError(f"max_aspect is {self.max_aspect}; it must be at least 1")
        if not 0 <= self.nms_threshold <= 1:
            raise ValueError(f"nms_threshold is {self.nms_threshold}; an overlap lies in [0, 1]")


def propose_target(
    image: np.ndarray,
    point: tuple[float, float],
    settings: ProposalSettings = ProposalSettings(),
    seed: int | tuple[int, ...] = 0,
) -> Proposals:
    """Returns the kept proposals for the target that was clicked, the most object-like first.

    Args:
        image: (H, W, 3) uint8, RGB.
        point: the click, x, y in pixels.
        settings: see :class:`ProposalSettings`.
        seed: of the random proposals; the same seed gives the same proposals.

    Raises:
        ValueError: the image has another shape or type, or the point lies outside it.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"the image must be (H, W, 3) uint8 RGB, not {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if not (0 <= point[0] <= width and 0 <= point[1] <= height):
        raise ValueError(f"the point {tuple(map(float, point))} lies outside the image of {width} x {height} pixels")
    boxes = random_proposals(
        point,
        (height, width),
        settings.random_count,
        np.random.default_rng(seed),
        settings.side_range,
        settings.max_aspect,
    )
    large_enough = boxes[:, 2:].min(axis=1) >= SMALLEST_SIDE
    if large_enough.any():  # a click in the very corner leaves only slivers: then slivers it is
        boxes = boxes[large_enough]
    scores = load_likelihoods(settings.likelihoods or DEFAULT_TABLE).objectness(window_cues(image, boxes))
    kept = non_maximum_suppression(boxes, scores, settings.nms_threshold, settings.keep)
    return Proposals(boxes[kept].astype(np.float32), scores[kept].astype(np.float32))
