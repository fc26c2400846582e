"""GOT-10k's average overlap and success rates: L. Huang, X. Zhao, K. Huang, GOT-10k, PAMI 2021, section 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pytracking.metrics.boxes import iou
from pytracking.metrics.errors import MetricError

CURVE_THRESHOLDS = np.arange(101) / 100  # overlap, exceeded strictly


class GOT10kScores(NamedTuple):
    """GOT-10k's scores.

    Attributes:
        ao: average overlap of all frames.
        sr50: part of the frames whose overlap exceeds 0.5.
        sr75: part of the frames whose overlap exceeds 0.75.
    """

    ao: float
    sr50: float
    sr75: float


def got10k(
    preds: Sequence[np.ndarray],
    gts: Sequence[np.ndarray],
    covers: Sequence[np.ndarray | None] | None = None,
    resolutions: Sequence[tuple[float, float] | None] | None = None,
) -> GOT10kScores:
    """Returns the GOT10kScores ao, sr50 and sr75 of boxes on sequences, all frames of all sequences pooled.

    >>> truth = np.array([[10.0, 10, 20, 20]] * 3)
    >>> got10k([truth + [0, 0, 0, 20]], [truth], [np.array([8, 8, 0])], [(64, 48)])
    GOT10kScores(ao=0.5263157894736842, sr50=1.0, sr75=0.0)

    Args:
        preds: for each sequence the boxes (T, 4), x, y, w, h, the first one included.
        gts: for each sequence the true boxes (T, 4). A frame with a NaN makes ``ao`` NaN, and fails the others.
        covers: for each sequence (T,), how much of the target shows, 0 to 8; frames with 0 are left out. None: all
            count.
        resolutions: for each sequence the frame's width and height, which both boxes are bounded by; see
            :func:`bounded`. None: they are not.

    Raises:
        MetricError: as :func:`got10k_overlaps`.
    """
    return scores_of_overlaps(np.concatenate(got10k_overlaps(preds, gts, covers, resolutions)))


def scores_of_overlaps(overlaps: np.ndarray) -> GOT10kScores:
    """Returns the GOT10kScores of the pooled overlaps (N,). Raises MetricError if there are none."""
    if not len(overlaps):
        raise MetricError("no sequence has a frame to score after its first")
    return GOT10kScores(float(overlaps.mean()), float((overlaps > 0.5).mean()), float((overlaps > 0.75).mean()))


def got10k_overlaps(
    preds: Sequence[np.ndarray],
    gts: Sequence[np.ndarray],
    covers: Sequence[np.ndarray | None] | None = None,
    resolutions: Sequence[tuple[float, float] | None] | None = None,
) -> list[np.ndarray]:
    """Returns for each sequence the overlaps of the frames that count: all but the first, and but those without target.

    Arguments as :func:`got10k`.

    Raises:
        MetricError: the lists, or the boxes and covers of a sequence, differ in length, or a prediction is not finite.
    """
    covers = [None] * len(gts) if covers is None else covers
    resolutions = [None] * len(gts) if resolutions is None else resolutions
    counts = {len(values) for values in (preds, gts, covers, resolutions)}
    if len(counts) != 1 or not len(gts):
        raise MetricError(f"predictions, true boxes, covers and resolutions are of {sorted(counts)} sequences")
    overlaps = []
    for number, (pred, gt, cover, size) in enumerate(zip(preds, gts, covers, resolutions), start=1):
        pred, gt = np.asarray(pred, np.float64), np.asarray(gt, np.float64)
        counted = np.ones(len(gt), bool) if cover is None else np.asarray(cover) > 0
        if pred.shape != gt.shape or gt.ndim != 2 or gt.shape[1] != 4 or counted.shape != (len(gt),):
            raise MetricError(
                f"sequence {number}: the results have the shape {pred.shape}, the ground truth {gt.shape}, the cover "
                f"{counted.shape}; (T, 4), (T, 4) and (T,) are needed"
            )
        if not np.isfinite(pred).all():
            raise MetricError(f"sequence {number}: the results are not finite")
        if size is not None:
            pred, gt = bounded(pred, size), bounded(gt, size)
        counted[:1] = False
        overlaps.append(iou(pred[counted], gt[counted]))
    return overlaps


def bounded(boxes: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Returns the boxes (..., 4) as the toolkit fits them into a frame of this width and height.

    x and y are clipped to the frame, then width and height to what is left to the right and below. So a box that begins
    left of or above the frame is moved, and not cut.

    >>> bounded(np.array([[-10.0, 20, 60, 40], [50, 20, 60, 40]]), (64, 48)).tolist()
    [[0.0, 20.0, 60.0, 28.0], [50.0, 20.0, 14.0, 28.0]]
    """
    boxes = np.asarray(boxes, np.float64)
    corner = np.clip(boxes[..., :2], 0, size)
    return np.concatenate([corner, np.clip(boxes[..., 2:], 0, size - corner)], axis=-1)


def got10k_curve(overlaps: np.ndarray) -> np.ndarray:
    """Returns the success curve (101,): the part of the pooled overlaps (N,) that exceeds 0, 0.01, ..., 1.

    >>> got10k_curve(np.array([0.25, 0.75]))[[0, 25, 74, 75]].tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    return (np.asarray(overlaps) > CURVE_THRESHOLDS[:, None]).mean(axis=1)
