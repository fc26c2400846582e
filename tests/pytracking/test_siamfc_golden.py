"""The SiamFC tracker follows the public PyTorch implementation, box by box."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from ltr.models.tracking import siamfc_alexnet
from pytracking.tracker.siamfc import SiamFCParams, SiamFCTracker


@pytest.mark.parametrize(("penalty", "key"), [(0.9745, "track_boxes_1based"), (0.999, "track2_boxes_1based")])
def test_siamfc_tracks_like_the_reference(golden: Any, penalty: float, key: str) -> None:
    network = siamfc_alexnet()
    shapes = json.loads((golden.folder / "siamfc.keys.json").read_text())["state_dict"]
    network.load_state_dict(golden.fill.fill_state_dict(shapes))
    frames, _ = golden.fill.clip(31, 12, 240, 320, (120, 90, 50, 40), (3.5, 1.75), 1.04)
    expected = golden.arrays("siamfc")[key] - [1, 1, 0, 0]

    params = SiamFCParams(network=network, scale_penalty=penalty, device="cpu")
    tracker = SiamFCTracker(params)
    boxes = [tracker.initialize(frames[0], {"init_bbox": expected[0]})["target_bbox"]]
    boxes += [tracker.track(frame)["target_bbox"] for frame in frames[1:]]
    np.testing.assert_allclose(boxes, expected, atol=1e-3)
