"""Metrics of a tracker's boxes on sequences."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pytracking.evaluation.sequence import COVER, FIRST_BOX_ONLY, Sequence
from pytracking.metrics import OPE, GOT10kScores, MetricError, got10k, ope


def score_sequence(boxes: np.ndarray, sequence: Sequence, protocol: str = "pysot") -> OPE:
    """Returns the OPE of results (T, 4) on a sequence.

    Frames where the target is not visible are left out altogether, where the sequence knows them.

    Raises:
        MetricError: as :func:`pytracking.metrics.ope`, naming the sequence, or its true boxes are not public.
    """
    _check_public(sequence)
    truth = sequence.ground_truth_rect
    if sequence.target_visible is not None and len(boxes) == len(truth):
        boxes, truth = boxes[sequence.target_visible], truth[sequence.target_visible]
    return ope(boxes, truth, protocol, name=sequence.name)


def score_got10k(boxes: Iterable[np.ndarray], sequences: Iterable[Sequence]) -> GOT10kScores:
    """Returns GOT-10k's average overlap and success rates of results, one (T, 4) for each sequence.

    Raises:
        MetricError: as :func:`pytracking.metrics.got10k`, or true boxes are not public.
    """
    listed = list(sequences)
    for sequence in listed:
        _check_public(sequence)
    sizes = [sequence.frame(0).shape[1::-1] for sequence in listed]
    truths = [sequence.ground_truth_rect for sequence in listed]
    return got10k(list(boxes), truths, [sequence.meta.get(COVER) for sequence in listed], sizes)


def _check_public(sequence: Sequence) -> None:
    if sequence.meta.get(FIRST_BOX_ONLY):
        raise MetricError(
            f"{sequence.dataset} publishes only the first box of {sequence.name}: its server scores results; "
            "pytracking/pack_results.py makes the file for it"
        )
