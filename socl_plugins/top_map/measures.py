"""How good TOP maps are, measured on frames whose box is known: recall, the map's mass on the target, its extent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pytracking.metrics.boxes import iou
from socl_plugins.top_map.map import coverage, render
from socl_plugins.top_map.proposals import Proposals

COUNTS = (1, 4, 16, 64)  # kept proposals at which recall is measured, as in the paper's figure 4
CELLS = 128  # of the map on which mass and spread are measured: its geometric mean side


@dataclass(frozen=True)
class LabelledFrame:
    """Proposals for a click on a frame, and what is true of it.

    Attributes:
        proposals: see :class:`Proposals`.
        point: the click, x, y.
        box: (4,) x, y, w, h of the target.
        image_size: the frame's height and width.
    """

    proposals: Proposals
    point: tuple[float, float]
    box: np.ndarray
    image_size: tuple[int, int]


@dataclass(frozen=True)
class TopMapMeasures:
    """Means over frames.

    Attributes:
        frames: how many.
        recall: for each of ``COUNTS``, the share of frames where one of so many proposals overlaps the box by 0.5.
        mass: of the map inside the box.
        gaussian_mass: of a Gaussian at the click, the same for all frames and as wide as the TOP maps are on average.
        gaussian_sigma: its standard deviation in pixels.
        spread_correlation: Pearson's, of the logarithms of the map's spread and the box's extent. A Gaussian of fixed
            width has none.
        center_error: pixels, of the mean proposal centre from the true one.
    """

    frames: int
    recall: tuple[float, ...]
    mass: float
    gaussian_mass: float
    gaussian_sigma: float
    spread_correlation: float
    center_error: float


def measure_top_maps(frames: Iterable[LabelledFrame], eta: float = 0.1, temperature: float = 0.25) -> TopMapMeasures:
    """Returns the measures of proposals and of the maps rendered from them.

    Args:
        frames: see :class:`LabelledFrame`.
        eta: share of the places, those with the highest scores, whose mean score is the map's upper limit.
        temperature: of the softmax over places; lower ones make the map steeper.

    Raises:
        ValueError: there is no frame.
    """
    listed = list(frames)
    if not listed:
        raise ValueError("there is no frame with a visible target to measure TOP maps on")
    overlaps, mass, spread, error, extent = [], [], [], [], []
    for frame in listed:
        boxes = frame.proposals.boxes.astype(np.float64)
        overlaps.append(iou(frame.box, boxes))
        top, cell = _map(frame, eta, temperature)
        mass.append(box_mass(top, cell, frame.box))
        spread.append(map_spread(top, cell))
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        error.append(float(np.linalg.norm(centers.mean(axis=0) - frame.box[:2] - frame.box[2:] / 2)))
        extent.append(float(np.sqrt(frame.box[2] * frame.box[3])))
    sigma = float(np.mean(spread))
    gaussian = [_gaussian_mass(frame, sigma) for frame in listed]
    logs = np.log([spread, extent])
    return TopMapMeasures(
        frames=len(listed),
        recall=tuple(float(np.mean([found[:count].max() >= 0.5 for found in overlaps])) for count in COUNTS),
        mass=float(np.mean(mass)),
        gaussian_mass=float(np.mean(gaussian)),
        gaussian_sigma=sigma,
        spread_correlation=float(np.corrcoef(logs)[0, 1]) if logs.std(axis=1).min() > 0 else 0.0,
        center_error=float(np.mean(error)),
    )


def recall_curve(frames: Sequence[LabelledFrame], counts: Sequence[int]) -> np.ndarray:
    """Returns the recall at IoU 0.5 for each number of kept proposals, as in the paper's figure 4."""
    overlaps = [iou(frame.box, frame.proposals.boxes.astype(np.float64)) for frame in frames]
    return np.array([np.mean([found[:count].max() >= 0.5 for found in overlaps]) for count in counts])


def box_mass(top: np.ndarray, cell: float, box: np.ndarray) -> float:
    """Returns the share of a map (h, w) inside a box (4,) in pixels; of a cell that it covers in part, that part."""
    x, y, width, height = box / cell
    rows, columns = coverage(y, height, top.shape[0]), coverage(x, width, top.shape[1])
    return float(rows @ top @ columns / top.sum())


def map_spread(top: np.ndarray, cell: float) -> float:
    """Returns the geometric mean, in pixels, of a map's standard deviations in x and y."""
    deviations = []
    for axis in (0, 1):
        weights = top.sum(axis=1 - axis) / top.sum()
        place = (np.arange(len(weights)) + 0.5) * cell
        deviations.append(np.sqrt(max(weights @ place**2 - (weights @ place) ** 2, 0)))
    return float(np.sqrt(deviations[0] * deviations[1]))


def _grid(frame: LabelledFrame) -> tuple[tuple[int, int], float]:
    height, width = frame.image_size
    cell = float(np.sqrt(height * width)) / CELLS
    return (max(int(np.ceil(height / cell)), 1), max(int(np.ceil(width / cell)), 1)), cell


def _map(frame: LabelledFrame, eta: float, temperature: float) -> tuple[np.ndarray, float]:
    shape, cell = _grid(frame)
    return render(frame.proposals, shape, cell, eta, temperature).astype(np.float64), cell


def _gaussian_mass(frame: LabelledFrame, sigma: float) -> float:
    shape, cell = _grid(frame)
    x, y = ((np.arange(cells) + 0.5) * cell for cells in (shape[1], shape[0]))
    across = np.exp(-((x - frame.point[0]) ** 2) / (2 * sigma**2))
    down = np.exp(-((y - frame.point[1]) ** 2) / (2 * sigma**2))
    return box_mass(np.outer(down, across), cell, frame.box)
