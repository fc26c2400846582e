"""Numbers of one sequence: what every table, plot, page and held-out score asks, whatever the command."""

from __future__ import annotations

import numpy as np

from pytracking.evaluation.sequence import COVER, FIRST_BOX_ONLY, Sequence
from pytracking.metrics import OPE, MetricError, got10k_overlaps, ope


def score_sequence(boxes: np.ndarray, sequence: Sequence, protocol: str = "pysot") -> OPE:
    """Returns the OPE of results (T, 4) on a sequence. How frames without the target count is the protocol's to say.

    Raises:
        MetricError: as :func:`pytracking.metrics.ope`, naming the sequence, or its true boxes are not public.
    """
    _check_public(sequence)
    return ope(boxes, sequence.ground_truth_rect, protocol, sequence.target_visible, sequence.name)


def score_got10k(boxes: np.ndarray, sequence: Sequence) -> np.ndarray:
    """Returns the overlaps (N,) that GOT-10k's toolkit counts of results (T, 4) on a sequence.

    Raises:
        MetricError: as :func:`pytracking.metrics.got10k`, naming the sequence, or its true boxes are not public.
    """
    _check_public(sequence)
    cover, size = sequence.meta.get(COVER), frame_size(sequence)
    try:
        return got10k_overlaps([boxes], [sequence.ground_truth_rect], [cover], [size])[0]
    except MetricError as error:
        raise MetricError(f"{sequence.name}: {error}") from error


def frame_size(sequence: Sequence) -> tuple[float, float]:
    """Returns width and height of the first frame in pixels."""
    height, width = sequence.frame(0).shape[:2]
    return float(width), float(height)


def _check_public(sequence: Sequence) -> None:
    if sequence.meta.get(FIRST_BOX_ONLY):
        raise MetricError(
            f"{sequence.dataset} publishes only the first box of {sequence.name}: its server scores results; "
            "pytracking/pack_results.py makes the file for it"
        )
