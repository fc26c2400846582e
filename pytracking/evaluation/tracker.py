"""A named tracker with a named parameter set, and one run of it over a sequence."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.environment import load_environment
from ltr.config.overrides import apply_overrides
from pytracking.evaluation.run_key import changed_settings, settings_digest
from pytracking.evaluation.sequence import Sequence
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker


class TrackingError(RuntimeError):
    """A tracker that does not keep to the interface."""


@dataclass(frozen=True)
class Judgement:
    """How sure a tracker with a calibration (:mod:`pytracking.confidence`) was of each frame.

    Attributes:
        confidence: (T,) how likely the box overlaps the true one by more than a half, 0 to 1.
        lost: (T,) bool, where that is so little that the target counts as lost.
    """

    confidence: np.ndarray
    lost: np.ndarray


@dataclass(frozen=True)
class SequenceResult:
    """What a tracker made of a sequence.

    Attributes:
        boxes: (T, 4) x, y, w, h in pixels; the first one is the given box.
        times: (T,) seconds spent in the tracker for each frame, reading of frames not included.
        scores: (T,) the tracker's score, or None if it has none; NaN in frames where it gave none.
        judged: how sure it was of each frame; None: it has no calibration.
    """

    boxes: np.ndarray
    times: np.ndarray
    scores: np.ndarray | None = None
    judged: Judgement | None = None


@dataclass(frozen=True)
class TrackedFrame:
    """What a tracker made of one frame.

    Attributes:
        index: of the frame, from 0 on.
        image: the frame, RGB uint8 (H, W, 3).
        box: (4,) x, y, w, h in pixels.
        seconds: spent in the tracker.
        score: the tracker's score; NaN if it gave none.
        score_map: (h, w) where it looked and how much it liked it there, higher is better; None if it gave none.
        confidence: how likely the box overlaps the true one by more than a half, 0 to 1; NaN without a calibration.
        lost: the target counts as lost.
    """

    index: int
    image: np.ndarray
    box: np.ndarray
    seconds: float
    score: float
    score_map: np.ndarray | None
    confidence: float = np.nan
    lost: bool = False


Watch = Callable[[TrackedFrame], None]  # sees each frame after it is tracked; the time it takes is not the tracker's


@dataclass(frozen=True)
class Tracker:
    """A tracker and a parameter set, by their names.

    Attributes:
        name: of the tracker, such as ``siamfc``.
        parameter_name: of its parameter set, such as ``untrained_res18`` for ``siamfc/untrained_res18``.
        run_id: number of a repetition; each draws other random numbers and has results of its own.
        display_name: what tables call it.
        overrides: parameters changed for this run, as text.
    """

    name: str
    parameter_name: str
    run_id: int | None = None
    display_name: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.run_id is not None and self.run_id < 0:
            raise ValueError(f"the run id of {self.name}/{self.parameter_name} must not be negative: {self.run_id}")

    @cached_property
    def changed(self) -> dict[str, Any]:
        """The settings that differ from the parameter set, as plain data; no overrides, none.

        Raises:
            RegistryError, SettingsError: as :meth:`parameters`.
        """
        if not self.overrides:
            return {}
        return changed_settings(PARAMETERS[f"{self.name}/{self.parameter_name}"](), self.parameters())

    @cached_property
    def merged_name(self) -> str:
        """``<tracker>/<parameters>``, the name of all its repetitions.

        Where settings differ from the parameter set, ``+`` and a digest of them follow, so that their results lie in a
        place of their own. Such results are named by it, as in ``Tracker("siamfc", "untrained_res18+1f2e3d4c")``.
        """
        digest = settings_digest(self.changed)
        return f"{self.name}/{self.parameter_name}{f'+{digest}' if digest else ''}"

    @property
    def run_name(self) -> str:
        """``merged_name``, with ``_<run id>`` in three digits if there is one."""
        return self.merged_name if self.run_id is None else f"{self.merged_name}_{self.run_id:03d}"

    @property
    def title(self) -> str:
        """What tables call it."""
        if self.display_name is None:
            return self.run_name
        return self.display_name if self.run_id is None else f"{self.display_name}_{self.run_id:03d}"

    @property
    def results_dir(self) -> Path:
        """The directory of its results."""
        return load_environment().results_dir / self.run_name

    def check_names(self) -> None:
        """Raises RegistryError if there is no such tracker or parameter set; no network is read or downloaded."""
        TRACKERS[self.name], PARAMETERS[f"{self.name}/{self.parameter_name}"]

    def parameters(self) -> TrackerParams:
        """Returns the parameters, with the overrides.

        Raises:
            RegistryError: there is no such tracker or parameter set.
            ParameterError: an override of something that is no parameter.
            SettingsError: one that has a wrong value.
        """
        TRACKERS[self.name]
        params = PARAMETERS[f"{self.name}/{self.parameter_name}"]()
        params.check_names(self.overrides)
        return apply_overrides(params, dict(self.overrides)) if self.overrides else params

    def create(self, params: TrackerParams | None = None) -> BaseTracker:
        """Returns a new tracker; one that has a calibration says how sure it is of each frame.

        Raises:
            ParameterError: something is asked for that needs a calibration, and there is none.
        """
        from pytracking.confidence.judged import judged

        params = self.parameters() if params is None else params
        return judged(self, params, TRACKERS[self.name](params))

    def run_sequence(
        self, sequence: Sequence, params: TrackerParams | None = None, watch: Watch | None = None
    ) -> SequenceResult:
        """Returns what a new tracker makes of the sequence.

        Random numbers depend on the parameters' seed, the run id and the sequence's name alone, so neither the order
        of sequences nor the number of processes changes a result.
        """
        params = self.parameters() if params is None else params
        seed_run(self, params, self.run_id or 0, sequence.name)
        return track_sequence(self.create(params), sequence, watch)


def seed_run(tracker: Tracker, params: TrackerParams, run: int, sequence: str) -> None:
    """Seeds what run number ``run`` over the sequence of this name draws at random."""
    seed = int(np.random.SeedSequence((params.seed, run, zlib.crc32(sequence.encode()))).generate_state(1)[0])
    if getattr(TRACKERS[tracker.name], "uses_torch", True):
        from ltr.engine.random_state import seed_everything  # imports torch

        seed_everything(seed)
    else:
        random.seed(seed)
        np.random.seed(seed)


def trackerlist(
    name: str, parameter_name: str, run_ids: Iterable[int] | int | None = None, display_name: str | None = None
) -> list[Tracker]:
    """Returns the tracker once for each run id, or once if there is none."""
    ids = [run_ids] if run_ids is None or isinstance(run_ids, int) else list(run_ids)
    return [Tracker(name, parameter_name, run_id, display_name) for run_id in ids]


def track_sequence(tracker: BaseTracker, sequence: Sequence, watch: Watch | None = None) -> SequenceResult:
    """Returns what ``tracker`` makes of the sequence when it starts on the first true box.

    Raises:
        TrackingError: as :func:`track_frames`.
    """
    boxes = np.empty((len(sequence), 4))
    times = np.empty(len(sequence))
    scores, confidence = (np.full(len(sequence), np.nan) for _ in range(2))
    lost = np.zeros(len(sequence), bool)
    frames = (sequence.frame(index) for index in range(len(sequence)))
    for frame in track_frames(tracker, frames, sequence.init_info(), sequence.name, watch is not None):
        boxes[frame.index], times[frame.index], scores[frame.index] = frame.box, frame.seconds, frame.score
        confidence[frame.index], lost[frame.index] = frame.confidence, frame.lost
        if watch is not None:
            watch(frame)
    judged = Judgement(confidence, lost) if np.isfinite(confidence).any() else None
    return SequenceResult(boxes, times, None if np.isnan(scores[1:]).all() else scores, judged)


def track_frames(
    tracker: BaseTracker,
    frames: Iterable[np.ndarray],
    info: Mapping[str, Any],
    name: str,
    want_score_map: bool = False,
) -> Iterator[TrackedFrame]:
    """Yields what ``tracker`` makes of each frame, one by one as they come; the first box is the given one.

    Args:
        tracker: a new one, or one to be started anew.
        frames: RGB uint8 (H, W, 3).
        info: what the tracker is told in the first frame: ``init_bbox`` [x, y, w, h].
        name: of the video, for error messages.
        want_score_map: ask the tracker for its score maps.

    Raises:
        TrackingError: the tracker returns no ``target_bbox``, or one that is not four finite numbers.
    """
    output: dict[str, Any] = {}
    for index, image in enumerate(frames):
        started = time.perf_counter()
        if index == 0:
            output = tracker.initialize(image, info) or {}
        else:
            output = tracker.track(image, {"previous_output": output, "want_score_map": want_score_map})
        seconds = time.perf_counter() - started
        box = np.asarray(info["init_bbox"], np.float64)
        if index > 0:
            box = checked_box(output, tracker, f"frame {index + 1} of {name}")
        yield tracked_frame(index, image, box, seconds, output)


def tracked_frame(
    index: int, image: np.ndarray, box: np.ndarray, seconds: float, output: Mapping[str, Any]
) -> TrackedFrame:
    """Returns a frame with what a tracker returned for it beside the box."""
    score, confidence = (
        np.nan if (value := output.get(name)) is None else float(value) for name in ("score", "confidence")
    )
    lost = bool(output.get("lost", False))
    return TrackedFrame(index, image, box, seconds, score, output.get("score_map"), confidence, lost)


def checked_box(output: Any, tracker: BaseTracker, where: str) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of what ``tracker.track`` returned.

    Raises:
        TrackingError: it is not four finite numbers; the message says for which frame (``where``).
    """
    box = output.get("target_bbox") if isinstance(output, Mapping) else None
    values = np.asarray([] if box is None else box, np.float64).reshape(-1)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise TrackingError(
            f"{type(tracker).__name__}.track must return a target_bbox of four finite numbers; for {where} it gave "
            f"{box!r}"
        )
    return values
