"""What moves as the clicked point does, over the frames near a click: it tells a target from what is behind it.

Dense flow (Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016) less that of the background; each
place moves with the target or with the background, and proposals whose inside does the former, and whose surroundings
the latter, are likely boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from socl_plugins.top_map.cues import WindowSums
from socl_plugins.top_map.propose import reduce_frame

WEIGHT = 8.0  # of the contrast in motion, beside log objectness
MARGIN = 0.15  # of a box's sides: as far on each side its surroundings reach
GRID = 8  # pixels from one place to the next that the background's motion is fitted to
REACH = 5  # pixels around the click whose median motion is the target's
FLOW_ERROR = 0.5  # pixels
OWN_ERROR = 0.3  # parts of the target's motion: it turns, and its limbs move
MOST = 1.0  # that one frame says for or against a place, as a logarithm: flow is often wrong altogether


def moving_with(
    image: np.ndarray, nearby: Sequence[np.ndarray], click: tuple[float, float], boxes: np.ndarray
) -> np.ndarray:
    """Returns what motion says for boxes (N,), to be added to their log objectness.

    Args:
        image: (H, W, 3) uint8 RGB, a reduced frame.
        nearby: other frames of the same video, near in time, as they are; those of another size are left out.
        click: x, y in pixels of the reduced frame.
        boxes: (N, 4) x, y, w, h in the same.
    """
    side = float(np.sqrt(image.shape[0] * image.shape[1]))
    small = [frame if frame.shape == image.shape else reduce_frame(frame, round(side))[0] for frame in nearby]
    return WEIGHT * contrast(motion_map(image, small, click), boxes)


def motion_map(image: np.ndarray, nearby: Sequence[np.ndarray], click: tuple[float, float]) -> np.ndarray:
    """Returns (H, W), in (0, 1): how likely each place of a frame moves with the clicked one, not with the background.

    The background's motion is an affine one, fitted to the whole frame without what does not agree. What is not
    followed back to where it came from says nothing, and all says the less the more the background moves by itself. A
    target that does not move against the background gives a map of 1/2 everywhere.

    Args:
        image: (H, W, 3) uint8 RGB.
        nearby: other frames of the same video, near in time; those of another size are left out.
        click: x, y in pixels.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    rows, columns = np.indices(grey.shape, np.float32)
    places = np.stack([columns, rows], axis=-1)
    some = slice(GRID // 2, None, GRID), slice(GRID // 2, None, GRID)
    column, row = int(click[0]), int(click[1])
    around = slice(max(row - REACH, 0), row + REACH + 1), slice(max(column - REACH, 0), column + REACH + 1)
    evidence = np.zeros(grey.shape, np.float32)
    for frame in nearby:
        if frame.shape != image.shape or min(grey.shape) < 2 * GRID:
            continue
        flow, missed = _flow(grey, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), places)
        start = places[some].reshape(-1, 2)
        affine = _affine(start, start + flow[some].reshape(-1, 2))
        if affine is None:
            continue
        flow = flow - (places @ affine[:, :2].T + affine[:, 2] - places)
        target = np.median(flow[around].reshape(-1, 2), axis=0)
        from_background = _length(flow)
        error = FLOW_ERROR + OWN_ERROR * float(np.hypot(*target)) + float(np.median(from_background))
        said = np.clip((from_background - _length(flow - target)) / error, -MOST, MOST)
        evidence += said * np.exp(-(missed**2))
    likely: np.ndarray = 1 / (1 + np.exp(-evidence))
    return likely


def _affine(places: np.ndarray, moved: np.ndarray) -> np.ndarray | None:
    """Returns the motion (2, 3) that most places (N, 2) agree on to a pixel, or None where there is none."""
    found: np.ndarray | None = cv2.estimateAffine2D(places, moved, ransacReprojThreshold=1.0)[0]
    return None if found is None else found.astype(np.float32)


def _flow(one: np.ndarray, other: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the flow (H, W, 2) between grey frames, and by how many pixels (H, W) its way back misses the start."""
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there: np.ndarray = flow_of.calc(one, other, None)  # type: ignore[call-overload]
    back: np.ndarray = flow_of.calc(other, one, None)  # type: ignore[call-overload]
    reached = places + there
    returned = cv2.remap(back, reached[..., 0], reached[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return there, _length(there + returned)


def _length(vectors: np.ndarray) -> np.ndarray:
    length: np.ndarray = np.hypot(vectors[..., 0], vectors[..., 1])
    return length


def contrast(values: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns the mean (N,) of a map (H, W) inside of boxes (N, 4) x, y, w, h less that around them.

    >>> square = np.zeros((40, 40))
    >>> square[10:30, 10:30] = 1
    >>> contrast(square, np.array([[10.0, 10, 20, 20], [0, 0, 8, 8]])).round(2).tolist()
    [1.0, 0.0]
    """
    images = values.astype(np.float64), np.ones(values.shape)
    margin = MARGIN * boxes[:, 2:]
    outer = np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + 2 * margin], axis=1)
    inside, pixels = WindowSums(boxes, values.shape)(*images)
    all_of_it, more = WindowSums(outer, values.shape)(*images)
    return inside / np.maximum(pixels, 1e-9) - (all_of_it - inside) / np.maximum(more - pixels, 1e-9)
