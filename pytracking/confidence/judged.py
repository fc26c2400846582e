"""A tracker that says how sure it is: each frame gets a confidence, and a flag where the target is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pytracking.confidence.calibration import COMMAND, Calibration, find_calibration
from pytracking.confidence.features import Evidence, numbers_of
from pytracking.parameter.params import ParameterError, TrackerParams
from pytracking.tracker.base import BaseTracker

if TYPE_CHECKING:
    from pytracking.evaluation.tracker import Tracker

WIDEN = "widen_when_lost"  # the parameter of trackers that can search wider


class JudgedTracker(BaseTracker):
    """A tracker with a calibration: what it returns gets ``confidence``, 0 to 1, and ``lost``.

    The first frame, whose box is given, has the confidence 1. Boxes and scores are those of the tracker itself, unless
    it is told to search wider when lost: then ``info`` has ``lost_frames``, how many frames it has been lost for, and
    ``judge``, which says by what a frame's output will be whether the target is lost, before anything is learned of it.
    Whatever else the tracker can do, such as ``recenter``, is there, too.

    Args:
        tracker: the tracker.
        calibration: fitted for it.
        lost_below: the confidence under which the target counts as lost; None: the calibration's.
        widen: tell the tracker that it is lost.
    """

    def __init__(
        self, tracker: BaseTracker, calibration: Calibration, lost_below: float | None = None, widen: bool = False
    ) -> None:
        super().__init__(tracker.params)
        self.inner: Any = tracker
        self.calibration = calibration
        self.lost_below = calibration.lost_below if lost_below is None else lost_below
        self.widen = widen
        self._evidence = Evidence(calibration.numbers)
        self._lost_frames = 0
        self._confidence: float | None = None  # of the frame that is being tracked

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "inner":  # Python's own questions, before there is a tracker
            raise AttributeError(name)
        return getattr(self.inner, name)

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Starts the tracker; what it returns, with the confidence 1."""
        self._evidence = Evidence(self.calibration.numbers)
        self._lost_frames = 0
        return {**(self.inner.initialize(image, info) or {}), "confidence": 1.0, "lost": False}

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns what the tracker returns, with ``confidence`` and ``lost``."""
        return self._judged(self.inner.track(image, self._told(info)))

    def sibling(self) -> JudgedTracker:
        """Returns a tracker for another target with the same calibration; see :mod:`pytracking.tracker.group`."""
        return JudgedTracker(self.inner.sibling(), self.calibration, self.lost_below, self.widen)

    @staticmethod
    def track_many(
        trackers: Sequence[JudgedTracker], image: np.ndarray, infos: Sequence[Mapping[str, Any] | None]
    ) -> list[dict[str, Any]]:
        """Returns what :meth:`track` of each sibling would, up to rounding."""
        told = [each._told(info) for each, info in zip(trackers, infos)]
        outputs = trackers[0].inner.track_many([each.inner for each in trackers], image, told)
        return [each._judged(output) for each, output in zip(trackers, outputs)]

    def _told(self, info: Mapping[str, Any] | None) -> dict[str, Any]:
        """Returns what the tracker is told of the next frame."""
        self._confidence = None
        told = {**(info or {}), "want_quality": True}
        return told | {"lost_frames": self._lost_frames, "judge": self._judge} if self.widen else told

    def _judged(self, output: Any) -> dict[str, Any]:
        if not isinstance(output, Mapping):
            return output  # type: ignore[no-any-return]  # a stranger's tracker: its caller says what is wrong
        lost = self._judge(output)
        self._lost_frames = self._lost_frames + 1 if lost else 0
        return {**output, "confidence": self._confidence, "lost": lost}

    def _judge(self, output: Mapping[str, Any]) -> bool:
        """Returns whether the target is lost by a frame's ``score`` and ``quality``; a frame is judged once."""
        if self._confidence is None:
            features = self._evidence.add(numbers_of(output))
            self._confidence = float(self.calibration(features[None])[0])
        return self._confidence < self.lost_below


def judged(named: Tracker, params: TrackerParams, tracker: BaseTracker) -> BaseTracker:
    """Returns the tracker with its calibration, or the tracker itself where there is none.

    Raises:
        ParameterError: a parameter about lost targets is set, and there is no calibration, or it has no possible value.
    """
    if params.lost_below is not None and not 0 <= params.lost_below <= 1:
        raise ParameterError(f"lost_below is {params.lost_below:g}; confidences lie between 0 and 1")
    calibration = find_calibration(named, params)
    if calibration is not None:
        return JudgedTracker(tracker, calibration, params.lost_below, getattr(params, WIDEN, False))
    asked = [name for name in params.names_when_lost() if getattr(params, name) != getattr(type(params), name)]
    if asked:
        raise ParameterError(
            f"{' and '.join(asked)} of {named.run_name} need{'s' if len(asked) == 1 else ''} confidences, and it has "
            f"no calibration that fits; make one with: {COMMAND} {named.name}/{named.parameter_name} DATA"
        )
    return tracker
