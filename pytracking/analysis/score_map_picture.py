"""Pictures of where trackers see the target in one frame: their score maps side by side, as in DiMP's Fig. 1."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np

from pytracking.analysis.drawing import draw_text
from pytracking.analysis.render import RenderError, draw_frame, even_size
from pytracking.evaluation import Sequence as VideoSequence
from pytracking.evaluation import Tracker
from pytracking.evaluation.tracker import TrackedFrame, seed_run, track_frames
from pytracking.live.views import heat_map

COLUMNS = 4


def tracked_frame(tracker: Tracker, sequence: VideoSequence, index: int) -> TrackedFrame:
    """Returns what a tracker that started on the first frame makes of frame ``index``, with its score map.

    Raises:
        ValueError: the sequence has no such frame besides its first.
        RenderError: the tracker shows no score map.
    """
    if not 0 < index < len(sequence):
        raise ValueError(f"{sequence.name} has {len(sequence)} frames: choose one from 2 to {len(sequence)}")
    params = tracker.parameters()
    seed_run(tracker, params, tracker.run_id or 0, sequence.name)
    frames = (sequence.frame(number) for number in range(index + 1))
    made = track_frames(tracker.create(params), frames, sequence.init_info(), sequence.name, want_score_map=True)
    frame = next(islice(made, index, None))
    if frame.score_map is None:
        raise RenderError(f"{tracker.title} shows no score map")
    return frame


def score_map_picture(
    trackers: Iterable[Tracker], sequence: VideoSequence, index: int, height: int = 240
) -> np.ndarray:
    """Returns a picture, RGB uint8: for each tracker frame ``index`` with its boxes, and the score map below.

    Bright is where a tracker's score is highest, dark where it is lowest; a map shows what the tracker searched, not
    the frame.

    Args:
        trackers: those to show; each tracks from the first frame on.
        sequence: the video.
        index: number of the frame, from 1.
        height: of the frame in pixels.
    """
    columns = []
    for tracker in trackers:
        frame = tracked_frame(tracker, sequence, index)
        boxes = np.zeros((index + 1, 4))
        boxes[index] = frame.box
        above = draw_frame(sequence, boxes, index, even_size(frame.image, height))
        below = np.zeros_like(above)
        shown = heat_map(np.asarray(frame.score_map), above.shape[0])[:, : above.shape[1]]
        left = (above.shape[1] - shown.shape[1]) // 2
        below[:, left : left + shown.shape[1]] = shown
        draw_text(below, f"{tracker.title} {frame.score:.2f}")
        columns.append(np.vstack([above, below]))
    columns += [np.zeros_like(columns[0])] * (-len(columns) % min(COLUMNS, len(columns)))
    width = min(COLUMNS, len(columns))
    return np.vstack([np.hstack(columns[start : start + width]) for start in range(0, len(columns), width)])
