"""The simplest of all trackers: the target never moves. What any other has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytracking.parameter.params import TrackerParams
from pytracking.tracker.base import BaseTracker


@dataclass(kw_only=True)
class StillParams(TrackerParams):
    """How the first box is changed.

    Attributes:
        scale: factor on width and height; the centre stays.
    """

    scale: float = 1.0


def parameters() -> StillParams:
    """The first box, unchanged."""
    return StillParams()


class StillTracker(BaseTracker):
    """Answers with the first box."""

    params: StillParams

    def initialize(self, image: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
        """Takes the box x, y, w, h of the first frame."""
        x, y, w, h = info["init_bbox"]
        scale = self.params.scale
        self.box = [x + w * (1 - scale) / 2, y + h * (1 - scale) / 2, w * scale, h * scale]
        return {}

    def track(self, image: np.ndarray, info: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the same box for each frame."""
        return {"target_bbox": self.box}
