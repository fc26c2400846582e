"""How well a tracker keeps to the clicks of videos that it does not learn from; no box is needed.

The tracker starts from the box of a video's first click, of the size that a second click told if there is one, and its
centre is compared with the later clicks:

* DP@20: the part of the clicks within 20 pixels (Wu, Lim and Yang, "Online Object Tracking", CVPR 2013);
* the normalised precision: the distance over the square root of the frame's area, as the area under the curve of the
  thresholds from 0 to 0.1. The field has no standard for this: TrackingNet's normalised precision divides by the box,
  which clicks do not tell; TAP-Vid's measure for points (Doersch et al., NeurIPS 2022) has five thresholds, 1 to 16
  pixels of frames of 256 x 256, that is, 0.004 to 0.06. The curve here is finer, and ends where a target is lost;
* the frames until it is lost: to the first click that is farther away than the curve goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.registry import HELD_OUT_SCORES
from pytracking.evaluation.held_out import TrackingScore
from pytracking.evaluation.sequence import FIRST_BOX_ONLY, Frame, Sequence, SequenceError, SequenceList
from pytracking.live.session import click_to_box
from pytracking.metrics import ope
from pytracking.registry import PARAMETERS
from socl_plugins.clicks.told_size import box_around, size_at, told_sizes

if TYPE_CHECKING:
    from pytracking.parameter.params import TrackerParams

PRECISE = 20.0  # pixels
LOST = 0.1  # square roots of the frame's area
THRESHOLDS = np.linspace(0.0, LOST, 51)
# Keys of a sequence's meta: (T, 2) x, y or nan; (height, width); (T, 4) true boxes, nan where there is none.
CLICKS, FRAME_SIZE, TRUE_BOXES = "clicks", "frame_size", "true_boxes"
FIRST_BOX = "default"  # the way from a click to a box


@dataclass(frozen=True)
class ClickScore:
    """How well boxes keep to clicks.

    Attributes:
        clicks: that were compared: all but the one that started the tracker.
        dp20: part of them within 20 pixels of the box's centre.
        precision: area under the curve of the normalised precision, 0 to 1.
        until_lost: frames from the start to the first click that is too far away, or to the end.
        frames: of the sequence.
    """

    clicks: int
    dp20: float
    precision: float
    until_lost: int
    frames: int


def click_score(boxes: np.ndarray, clicks: np.ndarray, frame_size: tuple[int, int]) -> ClickScore:
    """Returns how well boxes (T, 4) keep to clicks (T, 2) x, y, nan where there is none; the first frame is the start.

    >>> boxes = np.tile([90.0, 90, 20, 20], (4, 1))
    >>> clicks = np.array([[100.0, 100], [np.nan, np.nan], [100, 105], [160, 100]])
    >>> score = click_score(boxes, clicks, (400, 400))
    >>> score.clicks, score.dp20, round(score.precision, 2), score.until_lost
    (2, 0.5, 0.43, 3)

    Raises:
        ValueError: another number of boxes than frames, or no click after the first frame.
    """
    if boxes.shape != (len(clicks), 4):
        raise ValueError(f"the boxes are {boxes.shape} for {len(clicks)} frames; they must be ({len(clicks)}, 4)")
    distance = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] / 2 - clicks, axis=1)
    known = np.flatnonzero(np.isfinite(distance[1:])) + 1
    if not len(known):
        raise ValueError("there is no click after the first frame, so tracking cannot be scored")
    part = distance / np.sqrt(frame_size[0] * frame_size[1])
    lost = known[part[known] > LOST]
    return ClickScore(
        clicks=len(known),
        dp20=float((distance[known] <= PRECISE).mean()),
        precision=float((part[known, None] <= THRESHOLDS).mean()),
        until_lost=int(lost[0]) if len(lost) else len(clicks),
        frames=len(clicks),
    )


def clicked_sequences(
    dataset: BaseVideoDataset, max_frames: int | None = None, first_box: str = FIRST_BOX, least: int = 2
) -> SequenceList:
    """Returns the sequences of a data set with clicks, each from its first click on, with the box of that click.

    Args:
        dataset: shows ``point``, and ``size`` where it was told.
        max_frames: frames of each sequence that are taken at most.
        first_box: a name in ``CLICK_TO_BOX``.
        least: videos with fewer clicks in the frames that are taken are left out. One is enough to track from, two are
            needed to score.

    Raises:
        SequenceError: no video has so many clicks.
    """
    sequences = SequenceList()
    for seq_id in range(dataset.get_num_sequences()):
        info = dataset.get_sequence_info(seq_id)
        if "point" not in info:
            raise SequenceError(f"the data set {dataset.name!r} shows no clicks: tracking cannot be scored on them")
        points = info["point"].double().numpy()
        seen = (info["valid"] & info["visible"]).numpy()
        start = int(np.argmax(seen))
        stop = len(seen) if max_frames is None else min(start + max_frames, len(seen))
        if seen[start:stop].sum() < least:
            continue
        image = dataset.load_frame(seq_id, start)
        height, width = image.shape[:2]
        x, y = points[start].tolist()
        boxes = np.zeros((stop - start, 4))
        size = None if "size" not in info else size_at(told_sizes(info["size"].double().numpy()), start)
        if size is None:
            boxes[0] = click_to_box(image, (min(x, width - 0.01), min(y, height - 0.01)), first_box)
        else:
            boxes[0] = box_around((x, y), size)
        frames: list[Frame] = [partial(dataset.load_frame, seq_id, frame) for frame in range(start, stop)]
        clicks = np.where(seen[:, None], points, np.nan)[start:stop]
        visible = np.zeros(stop - start, bool)  # no frame has a true box to be scored with
        meta = {CLICKS: clicks, FRAME_SIZE: (height, width), FIRST_BOX_ONLY: True}
        if "bbox" in info:
            meta[TRUE_BOXES] = np.where(info["valid"][:, None], info["bbox"].double(), np.nan)[start:stop]
        name = dataset.sequence_name(seq_id)
        sequences.append(Sequence(name, frames, dataset.name, boxes, None, visible, meta))
    if not sequences:
        raise SequenceError(
            f"no video of {dataset.root or dataset.name} has {'a click' if least == 1 else 'two clicks'}: "
            "click some of its frames (socl annotate)"
        )
    return sequences


def score_clicks(boxes: np.ndarray, sequence: Sequence) -> ClickScore:
    """Returns how well boxes (T, 4) keep to the clicks of one of :func:`clicked_sequences`."""
    return click_score(boxes, sequence.meta[CLICKS], sequence.meta[FRAME_SIZE])


@dataclass
class ClickPrecision(TrackingScore):
    """A function from a network to the normalised precision of a tracker with it; see :func:`click_precision`.

    Where each video has true boxes, too, ``beside`` holds the AUC of the last network by them. It chooses nothing: it
    shows how well clicks choose.
    """

    title: str = "click precision"
    beside: dict[str, float] = field(default_factory=dict)

    def __call__(self, net: nn.Module) -> dict[str, float]:
        """Returns the normalised precision of each sequence by its name, 0 to 1."""
        return {name: score.precision for name, score in self.per_click(net).items()}

    def per_click(self, net: nn.Module) -> dict[str, ClickScore]:
        """Returns the score of each sequence by its name."""
        boxes = self.boxes(net)
        if all(TRUE_BOXES in sequence.meta for sequence in self.sequences):
            scores = [box_auc(boxes[sequence.name], sequence.meta[TRUE_BOXES]) for sequence in self.sequences]
            self.beside = {"AUC by boxes": float(np.mean(scores))}
        return {sequence.name: score_clicks(boxes[sequence.name], sequence) for sequence in self.sequences}


def box_auc(boxes: np.ndarray, truth: np.ndarray) -> float:
    """Returns the AUC (protocol pysot) of boxes (T, 4) over the frames whose true box (T, 4) is known."""
    known = np.isfinite(truth).all(axis=1)
    return float(ope(boxes[known], truth[known], "pysot").auc)


@HELD_OUT_SCORES.register("click_precision")
def click_precision(
    sequences: Any,
    max_frames: int | None = None,
    params: TrackerParams | None = None,
    parameter_set: str | None = None,
) -> ClickPrecision:
    """Returns the score ``network -> normalised precision`` of a tracker over held-out videos that have clicks only.

    Takes the same arguments as the score ``tracking_auc``, which needs boxes.

    Args:
        sequences: a data set that shows ``point``, or sequences of :func:`clicked_sequences`.
        max_frames: frames of each sequence that are tracked at most, from its first click on.
        params: SiamFC's parameters; network and device are those of the network that is scored.
        parameter_set: a registered one, such as ``transt/transt50``: the score is then of that tracker.

    Raises:
        SequenceError: no video has two clicks.
    """
    from pytracking.tracker.siamfc import SiamFCParams

    if hasattr(sequences, "get_sequence_info"):
        chosen = clicked_sequences(sequences, max_frames)
    else:
        chosen = SequenceList(sequence.shortened(max_frames) for sequence in sequences)
    if parameter_set is not None:
        return ClickPrecision(chosen, PARAMETERS[parameter_set](), parameter_set.partition("/")[0])
    return ClickPrecision(chosen, params or SiamFCParams(network=""))
