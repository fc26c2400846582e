"""How well a confidence keeps its word, and how well a low one finds the frames in which the target is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytracking.metrics.errors import MetricError

BINS = 10
"""Of equal width from 0 to 1."""


@dataclass(frozen=True)
class Reliability:
    """Frames by their confidence, in bins of equal width from 0 to 1.

    Attributes:
        counts: (bins,) frames in each.
        confidence: (bins,) their mean confidence; NaN in an empty bin.
        found: (bins,) which part of them the target was found in; NaN in an empty bin.
    """

    counts: np.ndarray
    confidence: np.ndarray
    found: np.ndarray

    @property
    def error(self) -> float:
        """The expected calibration error: the bins' mean distance of confidence and truth, weighted by their frames.

        M. P. Naeini, G. F. Cooper, M. Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI
        2015, with bins of equal width.
        """
        weights = self.counts / self.counts.sum()
        return float(np.nansum(weights * np.abs(self.confidence - self.found)))


@dataclass(frozen=True)
class LostCurve:
    """What calling frames lost whose confidence is below a threshold finds, for each threshold that differs.

    Attributes:
        thresholds: (n,) growing; a frame whose confidence is below it is called lost.
        precision: (n,) which part of the frames that are called lost are.
        recall: (n,) which part of the lost frames are called so.
        average_precision: area under precision by recall.
    """

    thresholds: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    average_precision: float

    @property
    def f1(self) -> np.ndarray:
        """The harmonic mean (n,) of precision and recall."""
        both = self.precision + self.recall
        return np.divide(2 * self.precision * self.recall, both, out=np.zeros_like(both), where=both > 0)

    def at(self, threshold: float) -> tuple[float, float]:
        """Returns precision and recall at a threshold; precision is NaN where no frame is called lost."""
        index = int(np.searchsorted(self.thresholds, threshold, side="right")) - 1
        return (np.nan, 0.0) if index < 0 else (float(self.precision[index]), float(self.recall[index]))


def reliability(confidence: np.ndarray, found: np.ndarray, bins: int = BINS) -> Reliability:
    """Returns the reliability of confidences (N,) in 0 to 1, where the target was found or not (N,).

    >>> made = reliability(np.array([0.1, 0.1, 0.95, 0.95]), np.array([False, False, True, False]))
    >>> round(made.error, 3)  # half the frames are off by 0.1, half by 0.45
    0.275

    Raises:
        MetricError: there is no frame, the lengths differ, or a confidence is not in 0 to 1.
    """
    confidence, found = _checked(confidence, found)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        return Reliability(
            counts,
            np.bincount(index, confidence, bins) / counts,
            np.bincount(index, found.astype(float), bins) / counts,
        )


def lost_curve(confidence: np.ndarray, lost: np.ndarray) -> LostCurve:
    """Returns how well low confidences (N,) find the frames in which the target is lost (N,).

    Precision is 1 where nothing is called lost; recall is NaN where no frame is lost.

    >>> curve = lost_curve(np.array([0.1, 0.2, 0.3, 0.9]), np.array([True, False, True, False]))
    >>> curve.recall.tolist(), curve.precision.round(2).tolist()
    ([0.5, 0.5, 1.0, 1.0], [1.0, 0.5, 0.67, 0.5])

    Raises:
        MetricError: as :func:`reliability`.
    """
    confidence, lost = _checked(confidence, lost)
    order = np.argsort(confidence, kind="stable")
    values, hits = confidence[order], np.cumsum(lost[order])
    last = np.r_[values[1:] != values[:-1], True]  # frames of one confidence are called alike
    called = np.arange(1, len(values) + 1)[last]
    hits = hits[last]
    precision = hits / called
    recall = hits / hits[-1] if hits[-1] else np.full(len(hits), np.nan)
    average = float(np.sum(np.diff(np.r_[0.0, recall]) * precision))
    return LostCurve(np.nextafter(values[last], 2.0), precision, recall, average)


def _checked(confidence: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    confidence, truth = np.asarray(confidence, np.float64), np.asarray(truth, bool)
    if confidence.ndim != 1 or confidence.shape != truth.shape or not len(confidence):
        raise MetricError(f"confidences of the shape {confidence.shape} do not fit frames of the shape {truth.shape}")
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise MetricError("confidences must lie between 0 and 1")
    return confidence, truth
