"""From a frame and a click to the proposals that a TOP map is made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from socl_plugins.top_map.cues import window_cues
from socl_plugins.top_map.edge_boxes import edge_boxes
from socl_plugins.top_map.edges import Edges, find_edges, forest_edges
from socl_plugins.top_map.objectness import DEFAULT_TABLE, load_likelihoods
from socl_plugins.top_map.proposals import Proposals, non_maximum_suppression, random_proposals

METHOD = 7  # counts up when the same settings come to give other proposals, so that stored ones are not mixed with them


@dataclass(frozen=True)
class ProposalSettings:
    """How proposals are made and kept (SoCL, section 3.1).

    Attributes:
        random_count: random proposals around the click.
        side_range: their sides, relative to the frame's geometric mean side.
        max_aspect: their largest ratio of sides.
        edge_count: EdgeBoxes proposals near the click, at the most; 0: none.
        edge_radius: how far from the click, in pixels of the frame, their centres may be.
        edge_overlap: overlap above which the lower scored of two EdgeBoxes is dropped.
        edge_model: OpenCV's structured forest, a file, for the edges; none: edges that need no file.
        saliency, contrast, edges: whether a cue takes part in objectness.
        nms_threshold: overlap above which the less object-like of two is dropped.
        keep: proposals kept for each frame.
        frame_side: a frame of more than so many pixels squared is reduced to that before all this.
        likelihoods: a table of :mod:`socl_plugins.top_map.objectness`; none: the one that comes with the package.
        seed: of the random proposals, with the frame's name.
    """

    random_count: int = 5000
    side_range: tuple[float, float] = (0.04, 0.7)
    max_aspect: float = 3.0
    edge_count: int = 1000
    edge_radius: float = 30.0
    edge_overlap: float = 0.45
    edge_model: Path | None = None
    saliency: bool = True
    contrast: bool = True
    edges: bool = True
    nms_threshold: float = 0.7
    keep: int = 64
    frame_side: int = 512
    likelihoods: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.random_count < 0 or self.edge_count < 0 or self.random_count + self.edge_count < 1:
            raise ValueError(
                f"random_count is {self.random_count} and edge_count {self.edge_count}; neither may be negative, and "
                "proposals must come from somewhere"
            )
        if self.keep < 1 or self.frame_side < 32:
            raise ValueError(f"keep is {self.keep}, at least 1, and frame_side {self.frame_side}, at least 32")
        if not 0 < self.side_range[0] <= self.side_range[1] < float("inf"):
            raise ValueError(f"side_range is {self.side_range}; it must rise, start above 0, and end")
        if not 1 <= self.max_aspect < float("inf"):
            raise ValueError(f"max_aspect is {self.max_aspect}; it must be at least 1, and finite")
        if not 0 <= self.edge_radius < float("inf"):
            raise ValueError(f"edge_radius is {self.edge_radius}; a distance is not negative, and finite")
        for name in ("nms_threshold", "edge_overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; an overlap lies in [0, 1]")
        if not (self.saliency or self.contrast or self.edges):
            raise ValueError("saliency, contrast and edges are all off; objectness needs a cue")

    def digest(self) -> str:
        """Returns 16 hexadecimal digits that are the same where the same frame and click give the same proposals.

        Raises:
            ValueError: a file that the settings name cannot be read, or is no table of likelihoods.
        """
        content = asdict(self)
        for name in ("max_aspect", "edge_radius", "edge_overlap", "nms_threshold"):  # 30 and 30.0 are the same
            content[name] = float(content[name])
        content["side_range"] = [float(side) for side in self.side_range]
        for name, path in (("likelihoods", self.likelihoods or DEFAULT_TABLE), ("edge_model", self.edge_model)):
            try:
                content[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path is not None else None
            except OSError as error:
                raise ValueError(f"{name} is {path}, which cannot be read: {error.strerror}") from error
        load_likelihoods(self.likelihoods or DEFAULT_TABLE)  # one that is damaged is told before a frame is read
        return hashlib.sha256(json.dumps([METHOD, content], sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class ScoredWindows:
    """All windows that were looked at for a click, before any is left out.

    Attributes:
        boxes: (N, 4) x, y, w, h in pixels of the reduced frame.
        scores: (N,) objectness.
        scale: size of the reduced frame over that of the frame (2,), in x and in y.
    """

    boxes: np.ndarray
    scores: np.ndarray
    scale: np.ndarray

    def best(self, settings: ProposalSettings) -> Proposals:
        """Returns those that the settings keep, the most object-like first, in pixels of the frame."""
        kept = non_maximum_suppression(self.boxes, self.scores, settings.nms_threshold, settings.keep)
        return Proposals(self.boxes[kept] / np.tile(self.scale, 2), self.scores[kept]).rounded()


def propose_target(
    image: np.ndarray,
    point: tuple[float, float],
    settings: ProposalSettings = ProposalSettings(),
    seed: int | tuple[int, ...] = 0,
) -> Proposals:
    """Returns the kept proposals for the target that was clicked, the most object-like first.

    They are rounded to what the store holds, so stored ones and fresh ones are the same. Arguments and errors are those
    of :func:`score_windows`.
    """
    return score_windows(image, point, settings, seed).best(settings)


def score_windows(
    image: np.ndarray,
    point: tuple[float, float],
    settings: ProposalSettings = ProposalSettings(),
    seed: int | tuple[int, ...] = 0,
) -> ScoredWindows:
    """Returns all windows around a click and how object-like each is.

    Args:
        image: (H, W, 3) uint8, RGB.
        point: the click, x, y in pixels.
        settings: see :class:`ProposalSettings`.
        seed: of the random proposals; the same seed gives the same proposals.

    Raises:
        ValueError: the image has another shape or type, the point lies outside it, or a file of the settings is not
            what it should be.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"the image must be (H, W, 3) uint8 RGB, not {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    if not (0 <= point[0] <= width and 0 <= point[1] <= height):
        raise ValueError(f"the point {tuple(map(float, point))} lies outside the image of {width} x {height} pixels")
    image, scale = reduce_frame(image, settings.frame_side)
    point = (point[0] * scale[0], point[1] * scale[1])
    edges = find_edges(image)
    boxes = gather_proposals(image, edges, point, settings, seed, settings.edge_radius * float(np.sqrt(scale.prod())))
    likelihoods = load_likelihoods(settings.likelihoods or DEFAULT_TABLE)
    cues = window_cues(image, edges, boxes)
    scores = likelihoods.objectness(cues, settings.saliency, settings.contrast, settings.edges)
    return ScoredWindows(boxes, scores, scale)


def reduce_frame(image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns a frame of at most ``side`` squared pixels, and its size over the old one (2,), in x and in y.

    What makes an object stand out does not need more pixels, and the time for a large frame stays what it is for one
    of the paper's 512 x 512.
    """
    height, width = image.shape[:2]
    factor = side / float(np.sqrt(height * width))
    if factor >= 1:
        return image, np.ones(2)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.array([size[0] / width, size[1] / height])


def gather_proposals(
    image: np.ndarray,
    edges: Edges,
    point: tuple[float, float],
    settings: ProposalSettings,
    seed: int | tuple[int, ...],
    edge_radius: float,
) -> np.ndarray:
    """Returns all proposals (N, 4) x, y, w, h for a click, random ones first, in pixels of the (reduced) frame."""
    size = image.shape[:2]
    parts = []
    if settings.random_count:
        rng = np.random.default_rng(seed)
        parts.append(
            random_proposals(point, size, settings.random_count, rng, settings.side_range, settings.max_aspect)
        )
    if settings.edge_count:
        contours = edges if settings.edge_model is None else forest_edges(image, settings.edge_model)
        centered = settings.random_count == 0  # else the random proposals cover those
        parts.append(edge_boxes(contours, point, settings.edge_count, edge_radius, settings.edge_overlap, centered))
    boxes = np.concatenate(parts)
    if len(boxes) == 0:  # EdgeBoxes alone, and no edge near the click: then the click alone says where
        boxes = random_proposals(point, size, 64, np.random.default_rng(seed))
    return boxes
