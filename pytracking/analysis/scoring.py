"""Metrics of a tracker's boxes on a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytracking.analysis.metrics import OPE, ope

if TYPE_CHECKING:
    from pytracking.evaluation.sequence import Sequence


def score_sequence(boxes: np.ndarray, sequence: Sequence, protocol: str = "pysot") -> OPE:
    """Returns the OPE of results (T, 4) on a sequence.

    Frames where the target is not visible are left out altogether, where the sequence knows them.

    Raises:
        MetricError: as :func:`pytracking.analysis.metrics.ope`, naming the sequence.
    """
    truth = sequence.ground_truth_rect
    if sequence.target_visible is not None and len(boxes) == len(truth):
        boxes, truth = boxes[sequence.target_visible], truth[sequence.target_visible]
    return ope(boxes, truth, protocol, name=sequence.name)
