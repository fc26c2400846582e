"""The box of a click's TOP map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltr.dataset.got10k import Got10k
from pytracking.metrics import iou
from pytracking.registry import CLICK_TO_BOX
from socl_plugins.top_map import Proposals, propose_target
from socl_plugins.top_map.box import box_from_map, top_map_box


def test_the_box_of_one_proposal_is_that_proposal() -> None:
    box = np.array([40.0, 30.0, 36.0, 24.0])
    proposals = Proposals(box[None].astype(np.float32), np.array([0.9], np.float32))
    for alpha in (0.3, 0.9):
        np.testing.assert_allclose(top_map_box(proposals, alpha), box, atol=1.1)


def test_a_box_from_a_map_holds_the_region_around_its_peak_only() -> None:
    top = np.zeros((20, 30))
    top[5:9, 10:16] = 0.6
    top[6, 12] = 1.0
    top[15, 25] = 0.9  # elsewhere
    assert box_from_map(top, 0.5).tolist() == [10, 5, 6, 4]
    assert box_from_map(top, 0.8).tolist() == [12, 6, 1, 1]
    rectangle = np.zeros((12, 20))
    rectangle[3:9, 5:11] = 1 / 36
    assert box_from_map(rectangle, 0.5).tolist() == [5, 3, 6, 6]
    assert box_from_map(top, 0.6).tolist() == [10, 5, 6, 4], "a place that reaches the part exactly belongs to it"
    assert box_from_map(top, 1.0).tolist() == [12, 6, 1, 1]
    for wrong in (0.0, 1.1, float("nan")):
        with pytest.raises(ValueError, match="alpha"):
            box_from_map(top, wrong)
    with pytest.raises(ValueError, match="no peak"):
        box_from_map(np.zeros((4, 4)), 0.5)


@pytest.mark.parametrize("click", [(160.0, 120.0), (1.0, 1.0), (319.0, 239.0)])
def test_where_nothing_stands_out_the_box_lies_in_the_frame_and_holds_the_click(click: tuple[float, float]) -> None:
    x, y, width, height = CLICK_TO_BOX["top_map"](np.full((240, 320, 3), 128, np.uint8), click)
    assert 0 <= x < x + width <= 320 and 0 <= y < y + height <= 240 and width < 100 and height < 100
    assert abs(x + width / 2 - click[0]) < 40 and abs(y + height / 2 - click[1]) < 40


def test_it_is_nearer_to_the_true_box_of_real_videos_than_the_mean_box(shared_data: Path) -> None:
    videos = Got10k(shared_data / "real_got10k", "val")
    found, mean = [], []
    for video in range(len(videos)):
        truth = videos.get_sequence_info(video)["bbox"][0].double().numpy()
        x, y = (truth[:2] + truth[2:] / 2).tolist()
        proposals = propose_target(videos.load_frame(video, 0), (x, y))
        found.append(float(iou(top_map_box(proposals), truth)))
        mean.append(float(iou(proposals.mean_box(), truth)))
    assert np.mean(found) > 0.45 and np.mean(found) > np.mean(mean) + 0.04
