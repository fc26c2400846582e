"""A tracker and videos that cost next to nothing: what is tried here are the commands around them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytracking.evaluation import Sequence, SequenceList
from pytracking.parameter.params import TrackerParams
from pytracking.registry import BENCHMARKS, PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker


@dataclass(kw_only=True)
class DriftParams(TrackerParams):
    """How far the box moves in a frame, and how long a frame takes."""

    step: float = 1.0
    delay: float = 0.0


@TRACKERS.register("drift", override=True)
class Drift(BaseTracker):
    """Moves the box."""

    uses_torch = False

    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> None:
        self.box = list(info["init_bbox"])

    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        time.sleep(self.params.delay)
        self.box = [self.box[0] + self.params.step, *self.box[1:]]
        return {"target_bbox": self.box}


@PARAMETERS.register("drift/plain", override=True)
def plain() -> DriftParams:
    """A pixel a frame."""
    return DriftParams()


@BENCHMARKS.register("toys", override=True)
def toys() -> SequenceList:
    """Four videos of ten frames."""
    frames = [np.full((48, 64, 3), 9, np.uint8)] * 10
    boxes = np.array([[10.0 + n, 10.0, 12.0, 12.0] for n in range(10)])
    return SequenceList([Sequence(f"toy_{n}", frames, "toys", boxes) for n in range(4)])
