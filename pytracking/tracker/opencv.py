"""OpenCV's own trackers, to compare with: CSRT (Lukezic et al., CVPR 2017) and KCF (Henriques et al., PAMI 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pytracking.parameter.params import ParameterError, TrackerParams
from pytracking.tracker.base import BaseTracker, as_rgb, check_initial_box

ALGORITHMS = ("CSRT", "KCF")


@dataclass(kw_only=True)
class OpenCVParams(TrackerParams):
    """Which of OpenCV's trackers: ``CSRT`` or ``KCF``."""

    algorithm: str = "CSRT"


class OpenCVTracker(BaseTracker):
    """One of OpenCV's trackers. Where it reports a failure, the box of the frame before is kept.

    Raises:
        ParameterError: this OpenCV has no such tracker.
    """

    params: OpenCVParams
    uses_torch = False

    def __init__(self, params: OpenCVParams) -> None:
        super().__init__(params)
        name = f"Tracker{params.algorithm}_create"
        # OpenCV 4 has them in the main module or in legacy, OpenCV 5 in contrib's tracking module.
        places = [cv2, getattr(cv2, "tracking", None), getattr(cv2, "legacy", None)]
        found = [getattr(place, name) for place in places if hasattr(place, name)]
        if params.algorithm not in ALGORITHMS or not found:
            raise ParameterError(
                f"this OpenCV ({cv2.__version__}) has no tracker {params.algorithm!r}; "
                f"opencv-contrib-python has {', '.join(ALGORITHMS)}"
            )
        self._create = found[0]

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        """Starts on the box ``info["init_bbox"]``, in whole pixels. Raises ValueError if it cannot be used."""
        image = as_rgb(image)
        box = check_initial_box(info["init_bbox"], image)
        self._tracker = self._create()
        self._tracker.init(_bgr(image), tuple(max(round(value), least) for value, least in zip(box, (0, 0, 1, 1))))
        self._box = box.tolist()
        return {"target_bbox": self._box}

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Returns ``target_bbox`` [x, y, w, h]."""
        found, box = self._tracker.update(_bgr(as_rgb(image)))
        if found:
            self._box = [float(value) for value in box]
        return {"target_bbox": self._box}


def _bgr(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
