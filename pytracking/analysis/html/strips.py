"""Strips of frames with boxes, as JPEG inside the page."""

from __future__ import annotations

from collections.abc import Sequence as AbstractSequence

import cv2
import numpy as np

from pytracking.analysis.curves import colour
from pytracking.analysis.drawing import TRUE_COLOUR, draw_box, draw_lost_box, fit
from pytracking.analysis.html.writer import data_url
from pytracking.analysis.render import even_size, has_true_box
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Judgement
from pytracking.metrics import iou

COLUMNS = 6
QUALITY = 82


def strip_frames(sequence: Sequence) -> list[int]:
    """Returns the indices of the frames that stand for a sequence, evenly spread from the first to the last."""
    return [int(index) for index in np.linspace(0, len(sequence) - 1, min(COLUMNS, len(sequence))).round()]


def frame_overlaps(sequence: Sequence, boxes: np.ndarray) -> np.ndarray:
    """Returns the overlap (T,) of tracked boxes (T, 4) with the true ones, NaN in frames without a visible target."""
    there = [has_true_box(sequence, index) for index in range(len(sequence))]
    return np.where(there, iou(boxes, sequence.ground_truth_rect), np.nan)


def draw(
    sequence: Sequence,
    tracked: AbstractSequence[np.ndarray],
    index: int,
    height: int = 180,
    judged: AbstractSequence[Judgement | None] = (),
) -> np.ndarray:
    """Returns frame ``index`` as RGB uint8: the true box is green, tracked ones have their tracker's colour.

    The box of a tracker that has lost its target is dashed.

    Args:
        sequence: the sequence.
        tracked: (T, 4) boxes of each tracker, in the order of their colours.
        index: of the frame.
        height: of the picture in pixels.
        judged: how sure each tracker was, in the same order, or nothing.
    """
    canvas, scale = fit(sequence.frame(index), even_size(sequence.frame(0), height))
    if has_true_box(sequence, index):
        draw_box(canvas, sequence.ground_truth_rect[index] * scale, TRUE_COLOUR, 3)  # seen beneath a thinner one
    for number in reversed(range(len(tracked))):  # the best tracker's box lies over the others'
        if np.isfinite(tracked[number][index]).all():  # a reset-based run has frames without a box
            sure = judged[number] if number < len(judged) else None
            drawn = draw_lost_box if sure is not None and sure.lost[index] else draw_box
            drawn(canvas, tracked[number][index] * scale, _rgb(colour(number)), 2)
    return canvas


def jpeg_url(image: np.ndarray) -> str:
    """Returns an RGB image as a JPEG in a data URL."""
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return data_url(encoded.tobytes(), "image/jpeg")


def _rgb(text: str) -> tuple[int, int, int]:
    """Returns the colour of ``#rrggbb``.

    >>> _rgb("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
