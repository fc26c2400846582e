"""One-pass evaluation: success, precision and normalised precision of one run over a sequence.

Y. Wu, J. Lim, M.-H. Yang, Object Tracking Benchmark, PAMI 2015; normalised precision: M. Mueller et al.,
TrackingNet, ECCV 2018. Toolkits differ in the frames that they count, so a number is one toolkit's, its protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from pytracking.metrics.boxes import center_distance, centers, iou
from pytracking.metrics.errors import MetricError, check_known

SUCCESS_THRESHOLDS = np.arange(21) / 20  # overlap, exceeded strictly
PRECISION_THRESHOLDS = np.arange(51.0)  # pixels, reached
NORM_PRECISION_THRESHOLDS = np.arange(51) / 100  # parts of the target's size, reached
HIT, MISS = -1.0, np.inf  # distances that pass every threshold, and none
TINY = 1e-16  # added to the true size that normalises a distance


@dataclass(frozen=True)
class OPEProtocol:
    """What a toolkit does where toolkits differ.

    Attributes:
        toolkit: its name.
        positive: what must be above 0 in a true box for its frame to be valid: ``box`` all four numbers, ``size`` the
            last two, ``nothing``. The overlap of a frame that is not valid fails every threshold.
        distance_by_center: distances are missing where the true centre is not above 0, whatever else is valid.
        missing_distance: the distance in pixels where it is missing.
        missing_norm_distance: the distance in target sizes where it is missing.
        first_is_true: the first prediction counts as the true box.
        empty_repeats: a prediction without size counts as the one before it: ``zero`` if its width or height is 0,
            ``not_positive`` also if it is below 0, ``never``.
        refuses_nan: a true box with a NaN is an error.
        counts_absent: frames that are flagged to be without the target count like any other. Otherwise they fail every
            threshold, which is what leaving them out and dividing by the number of all frames comes to.
        norm_by_area: trackers are ranked by the mean of the curve of normalised precision, not by the value at 0.20.
    """

    toolkit: str
    positive: str
    distance_by_center: bool = False
    missing_distance: float = MISS
    missing_norm_distance: float = MISS
    first_is_true: bool = False
    empty_repeats: str = "never"
    refuses_nan: bool = False
    counts_absent: bool = False
    norm_by_area: bool = False


_missing_hit = partial(OPEProtocol, missing_distance=HIT, missing_norm_distance=HIT)
PROTOCOLS: dict[str, OPEProtocol] = {
    "pysot": _missing_hit("pysot-toolkit", "box", distance_by_center=True),
    "stvir_pysot": _missing_hit("pysot's own toolkit", "size", distance_by_center=True),
    "pytracking": OPEProtocol(
        "pytracking", "box", missing_norm_distance=HIT, first_is_true=True, empty_repeats="zero", refuses_nan=True
    ),
    "pytracking_uav": _missing_hit("pytracking, its rules for UAV123", "box", first_is_true=True, empty_repeats="zero"),
    "lasot": _missing_hit("LaSOT's toolkit", "box", first_is_true=True, empty_repeats="not_positive"),
    "got10k": OPEProtocol("GOT-10k's toolkit", "nothing", first_is_true=True, counts_absent=True, norm_by_area=True),
}


@dataclass(frozen=True)
class FrameErrors:
    """How far each frame's prediction is off, as a protocol counts it.

    Attributes:
        overlap: (T,) intersection over union; -1 in frames that are not valid.
        distance: (T,) pixels between the centres; -1 is a hit at any threshold, infinity a miss.
        norm_distance: (T,) the same, divided by the target's width and height.
        valid: (T,) bool; frames with a true box that is visible.
    """

    overlap: np.ndarray
    distance: np.ndarray
    norm_distance: np.ndarray
    valid: np.ndarray


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

    @property
    def norm_precision_area(self) -> float:
        """Area under the curve of normalised precision, over 0 to 0.5: its mean."""
        return float(self.norm_precision.mean())


def ope(
    pred: np.ndarray,
    gt: np.ndarray,
    protocol: str = "pysot",
    visible: np.ndarray | None = None,
    name: str = "",
) -> OPE:
    """Returns the OPE curves of the boxes ``pred`` (T, 4) against ``gt`` (T, 4), both x, y, w, h in pixels.

    The protocols:

    * ``pysot`` (pysot-toolkit): a frame whose true box has an entry that is not above 0 (or is NaN) fails every
      overlap threshold; one whose true centre is not positive passes every distance threshold.
    * ``stvir_pysot`` (pysot's own toolkit): as ``pysot``, but only the true width and height must be above 0.
    * ``pytracking``: a frame whose true box has an entry that is not above 0 fails every threshold in pixels. The
      first box is the true one, a box without size is the one before. NaN in the true boxes is refused.
    * ``pytracking_uav`` (what pytracking does on UAV123): such frames, NaN too, pass every distance threshold.
    * ``lasot`` (LaSOT's toolkit): as ``pytracking_uav``, and a box of negative size, too, is the one before.
    * ``got10k`` (the GOT-10k toolkit's OTB and LaSOT experiments): all frames count, also those without the target, the
      first box is the true one, and trackers are ranked by the mean of the curve of normalised precision.

    Frames that ``visible`` says to be without the target fail every threshold, but of ``got10k``: the toolkits leave
    them out and divide by the number of all frames, or call them misses, which is the same.

    >>> gt = np.array([[10.0, 10, 20, 20], [12, 10, 20, 20]])
    >>> perfect = ope(gt, gt)
    >>> round(perfect.auc * 21, 6), perfect.dp20
    (20.0, 1.0)

    Args:
        pred: the tracker's boxes, the first one included.
        gt: the true boxes; NaN or zeros where there is none.
        protocol: a name in ``PROTOCOLS``.
        visible: (T,) bool; where it is false, the target is flagged to be absent. None: no flags are known.
        name: of the sequence, for error messages.

    Raises:
        MetricError: another protocol, lengths that differ, no frames, a prediction that is not finite, or NaN in true
            boxes where the protocol refuses it.
    """
    errors = frame_errors(pred, gt, protocol, visible, name)
    return OPE(
        success=(errors.overlap > SUCCESS_THRESHOLDS[:, None]).mean(axis=1),
        precision=(errors.distance <= PRECISION_THRESHOLDS[:, None]).mean(axis=1),
        norm_precision=(errors.norm_distance <= NORM_PRECISION_THRESHOLDS[:, None]).mean(axis=1),
        protocol=protocol,
    )


def frame_errors(
    pred: np.ndarray, gt: np.ndarray, protocol: str = "pysot", visible: np.ndarray | None = None, name: str = ""
) -> FrameErrors:
    """Returns the FrameErrors of the boxes ``pred`` (T, 4) against ``gt`` (T, 4); arguments and errors as :func:`ope`.

    >>> gt = np.array([[10.0, 10, 20, 20], [0, 0, 0, 0]])
    >>> frame_errors(gt, gt).overlap.tolist()
    [1.0, -1.0]
    """
    check_known("protocol", protocol, PROTOCOLS)
    rules = PROTOCOLS[protocol]
    pred, gt = _checked(pred, gt, _of(name))
    shown = np.ones(len(gt), bool) if visible is None else np.asarray(visible, bool)
    if shown.shape != (len(gt),):
        raise MetricError(f"visible has the shape {shown.shape}, but there are {len(gt)} frames")
    if rules.counts_absent:
        shown = np.ones(len(gt), bool)
    if rules.refuses_nan and np.isnan(gt).any():
        frame = np.flatnonzero(np.isnan(gt).any(axis=1))[0] + 1
        raise MetricError(
            f"the ground truth{_of(name)} is NaN in frame {frame}, which the protocol {protocol} refuses; "
            "choose another one, such as pytracking_uav"
        )
    if rules.first_is_true:
        pred = np.concatenate([gt[:1], pred[1:]])
    if rules.empty_repeats != "never":
        # Each frame takes the last one, up to itself, that has a size; the first always counts.
        sized = pred[:, 2:] > 0 if rules.empty_repeats == "not_positive" else pred[:, 2:] != 0
        last = np.where(sized.all(axis=1), np.arange(len(pred)), 0)
        pred = pred[np.maximum.accumulate(last)]

    # NaN compares false, so a frame without a true box is not valid.
    asked = {"box": gt, "size": gt[:, 2:], "nothing": np.ones((len(gt), 1))}[rules.positive]
    valid = (asked > 0).all(axis=1)
    size = gt[:, 2:] + TINY
    if rules.distance_by_center:
        known, norm_known = (centers(gt) > 0).all(axis=1), (centers(gt) / size > 0).all(axis=1)
    else:
        known = norm_known = valid
    distance = np.where(known, center_distance(pred, gt), rules.missing_distance)
    relative = np.linalg.norm((centers(pred) - centers(gt)) / size, axis=1)
    relative = np.where(norm_known, relative, rules.missing_norm_distance)
    return FrameErrors(
        overlap=np.where(valid & shown, iou(pred, gt), -1.0),
        distance=np.where(shown, distance, MISS),
        norm_distance=np.where(shown, relative, MISS),
        valid=valid & shown,
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


def _of(name: str) -> str:
    return f" of sequence {name!r}" if name else ""


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
