"""One-pass evaluation: success, precision and normalised precision of one run over a sequence.

Y. Wu, J. Lim, M.-H. Yang, Object Tracking Benchmark, PAMI 2015; normalised precision: M. Mueller et al.,
TrackingNet, ECCV 2018. Toolkits differ in the frames that they count, so a number is one toolkit's, its protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ltr.registry import near_names
from pytracking.analysis.metrics.boxes import center_distance, centers, iou

SUCCESS_THRESHOLDS = np.arange(21) / 20  # overlap, exceeded strictly
PRECISION_THRESHOLDS = np.arange(51.0)  # pixels, reached
NORM_PRECISION_THRESHOLDS = np.arange(51) / 100  # parts of the target's size, reached


class MetricError(ValueError):
    """Boxes that no number can be computed from, or an unknown protocol."""


@dataclass(frozen=True)
class OPEProtocol:
    """What a toolkit does where toolkits differ.

    Attributes:
        size_only: a frame's overlap counts if its true w and h are above 0; otherwise x and y must be as well.
        missing_distance: distance of a frame whose true centre is not positive (-1: a hit; infinity: a miss).
        norm_epsilon: added to the true size that normalises a distance.
    """

    size_only: bool
    missing_distance: float
    norm_epsilon: float


PROTOCOLS: dict[str, OPEProtocol] = {
    "pysot": OPEProtocol(size_only=False, missing_distance=-1.0, norm_epsilon=1e-16),
}


@dataclass(frozen=True)
class OPE:
    """The curves of a run, or the mean curves of many.

    Attributes:
        success: (21,) part of the frames whose overlap exceeds 0, 0.05, ..., 1.
        precision: (51,) part of the frames whose centre error is at most 0, 1, ..., 50 pixels.
        norm_precision: (51,) the same for errors divided by the target's size, 0, 0.01, ..., 0.5.
        protocol: the name of the protocol.
    """

    success: np.ndarray
    precision: np.ndarray
    norm_precision: np.ndarray
    protocol: str

    @property
    def auc(self) -> float:
        """Area under the success curve: its mean, as the field has it. A perfect run has 20/21."""
        return float(self.success.mean())

    @property
    def dp20(self) -> float:
        """Distance precision: the part of the frames with a centre error of at most 20 pixels."""
        return float(self.precision[20])

    @property
    def norm_precision20(self) -> float:
        """Normalised precision at 0.20."""
        return float(self.norm_precision[20])


def ope(
    pred: np.ndarray, gt: np.ndarray, protocol: str = "pysot", visible: np.ndarray | None = None, name: str = ""
) -> OPE:
    """Returns the OPE curves of the boxes ``pred`` (T, 4) against ``gt`` (T, 4), both x, y, w, h in pixels.

    Protocol ``pysot`` (pysot-toolkit): a frame whose true box has an entry that is not above 0 (or is NaN) fails every
    overlap threshold; one whose true centre is not positive passes every distance threshold.

    >>> gt = np.array([[10.0, 10, 20, 20], [12, 10, 20, 20]])
    >>> perfect = ope(gt, gt)
    >>> round(perfect.auc * 21, 6), perfect.dp20
    (20.0, 1.0)

    Args:
        pred: the tracker's boxes, the first one included.
        gt: the true boxes; NaN or zeros where there is none.
        protocol: a name in ``PROTOCOLS``.
        visible: (T,) bool; frames without the target are left out of the counts, but not of the length that these
            are divided by, which is the protocol's way.
        name: of the sequence, for error messages.

    Raises:
        MetricError: another protocol, lengths that differ, no frames, or a prediction that is not finite.
    """
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise MetricError(f"unknown protocol {protocol!r}.{near_names(protocol, PROTOCOLS)} Known: {known}.")
    rules = PROTOCOLS[protocol]
    pred, gt = _checked(pred, gt, f" of sequence {name!r}" if name else "")
    total = len(gt)
    if visible is not None:
        shown = np.asarray(visible, bool)
        if shown.shape != (total,):
            raise MetricError(f"visible has the shape {shown.shape}, but there are {total} frames")
        pred, gt = pred[shown], gt[shown]

    # NaN compares false, so a frame without a true box is invalid in both counts.
    asked = gt[:, 2:] if rules.size_only else gt
    overlap = np.where((asked > 0).all(axis=1), iou(pred, gt), -1.0)
    distance = np.where((centers(gt) > 0).all(axis=1), center_distance(pred, gt), rules.missing_distance)
    size = gt[:, 2:] + rules.norm_epsilon
    relative = np.linalg.norm((centers(pred) - centers(gt)) / size, axis=1)
    relative = np.where((centers(gt) / size > 0).all(axis=1), relative, rules.missing_distance)
    return OPE(
        success=(overlap[None] > SUCCESS_THRESHOLDS[:, None]).sum(axis=1) / total,
        precision=(distance[None] <= PRECISION_THRESHOLDS[:, None]).sum(axis=1) / total,
        norm_precision=(relative[None] <= NORM_PRECISION_THRESHOLDS[:, None]).sum(axis=1) / total,
        protocol=protocol,
    )


def mean_ope(results: Iterable[OPE]) -> OPE:
    """Returns the mean curves over sequences, each sequence counting once.

    Raises MetricError if there is none, or if their protocols differ.
    """
    runs = list(results)
    protocols = {run.protocol for run in runs}
    if len(protocols) != 1:
        raise MetricError(f"cannot average {len(runs)} results of the protocols {sorted(protocols)}: one is needed")
    return OPE(
        success=np.mean([run.success for run in runs], axis=0),
        precision=np.mean([run.precision for run in runs], axis=0),
        norm_precision=np.mean([run.norm_precision for run in runs], axis=0),
        protocol=protocols.pop(),
    )


def _checked(pred: np.ndarray, gt: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    pred, gt = np.asarray(pred, np.float64), np.asarray(gt, np.float64)
    for kind, boxes in (("results", pred), ("ground truth", gt)):
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise MetricError(f"the {kind}{where} must have the shape (frames, 4), not {boxes.shape}")
    if len(pred) != len(gt) or not len(gt):
        raise MetricError(f"the results{where} have {len(pred)} boxes, the ground truth has {len(gt)}: run it again")
    broken = np.flatnonzero(~np.isfinite(pred).all(axis=1))
    if broken.size:
        raise MetricError(f"the results{where} are not finite in {broken.size} frames, first in number {broken[0] + 1}")
    return pred, gt
