"""A click starts a tracker with a box from its TOP map."""

from __future__ import annotations

import cv2
import numpy as np

from pytracking.live.session import click_to_box
from pytracking.metrics import iou
from pytracking.registry import CLICK_TO_BOX
from socl_plugins import plugin


def test_the_box_of_a_click_is_near_the_clicked_object() -> None:
    assert CLICK_TO_BOX["top_map"] is plugin.click_box
    rng = np.random.default_rng(0)
    image = rng.integers(90, 110, (240, 320, 3), np.uint8)
    cv2.ellipse(image, (150, 120), (35, 25), 0, 0, 360, (220, 60, 40), cv2.FILLED)
    box = click_to_box(image, (150, 120), "top_map")
    assert iou(box, np.array([115, 95, 70, 50])) > 0.5
