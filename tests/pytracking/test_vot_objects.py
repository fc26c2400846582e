"""Objects as VOT's toolkits hand them over: boxes, polygons and points, several of them, and no masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import pytracking
from pytracking.evaluation import Tracker, TrackingError, get_dataset
from pytracking.evaluation.vot_objects import TrackedObjects, start_of
from pytracking.evaluation.vot_python import VOTTracker, create_tracker
from pytracking.live.session import click_to_box
from tests.pytracking.test_trax import STILL

IMAGE = np.full((60, 80, 3), 90, np.uint8)
IMAGE[20:40, 30:60] = (200, 40, 40)


@pytest.fixture
def still(workspace: Path, tmp_path: Path) -> VOTTracker:
    (tmp_path / "still.py").write_text(STILL)
    return create_tracker("still/here", plugin=str(tmp_path / "still.py"))


def test_a_polygon_is_tracked_by_its_bounding_box() -> None:
    assert start_of([(1.0, 1.0), (10.0, 2.0), (8.0, 9.0)], IMAGE).box == (1, 1, 9, 8)
    assert start_of((3.0, 4.0, 5.0, 6.0), IMAGE).box == (3, 4, 5, 6)


def test_a_point_becomes_the_box_of_a_click_and_is_answered_by_a_point() -> None:
    start = start_of((40.0, 27.0), IMAGE)
    np.testing.assert_allclose(start.box, click_to_box(IMAGE, (40.0, 27.0)))
    np.testing.assert_allclose(start.answer(np.asarray(start.box)), (40, 27))
    # What is moved and twice as large carries the point along.
    x, y, w, h = start.box
    moved = np.array([x + 5, y - 3, 2 * w, 2 * h])
    np.testing.assert_allclose(start.answer(moved), (x + 5 + 2 * (40 - x), y - 3 + 2 * (27 - y)))


@pytest.mark.parametrize("mask", [np.zeros((60, 80), np.uint8), np.ones((4, 2), bool), [[0, 1, 1], [0, 0, 1]]])
def test_a_mask_is_refused_and_nothing_has_begun(still: VOTTracker, mask: Any) -> None:
    with pytest.raises(TrackingError, match=r"takes boxes, polygons and points.*convert = rectangle"):
        still.init(IMAGE, [((1, 2, 3, 4), {}), (mask, {})], {})
    with pytest.raises(TrackingError, match="before it started the tracker"):
        still.update(IMAGE, [], {})


@pytest.mark.parametrize("region", [(1, 2, 3), [(1, 2), (3, 4)], "box", None, [(1, 2), (3, 4), (5,)]])
def test_what_is_no_region_is_told(region: Any) -> None:
    with pytest.raises(TrackingError, match="must begin as a box, a polygon or a point"):
        start_of(region, IMAGE)


def test_objects_begin_in_any_frame_and_keep_their_order(still: VOTTracker, tmp_path: Path) -> None:
    assert still.multiobject
    cv2.imwrite(str(tmp_path / "frame.png"), IMAGE[:, :, ::-1])
    path = str(tmp_path / "frame.png")
    (first,) = still.init(path, [((10, 12, 14, 16), {"prompt": "x"})], {})
    assert first == ((10, 12, 14, 16), {})
    channels = {"depth": np.zeros((60, 80)), "color": IMAGE}
    first, second = still.update(channels, [((1, 1, 5, 5), {})], {})
    assert first == ((10, 12, 14, 16), {"confidence": 0.5}) and second == ((1, 1, 5, 5), {})
    assert [place for place, _ in still.update(path, [], {})] == [(10, 12, 14, 16), (1, 1, 5, 5)]
    assert all(type(number) is float for place, _ in still.update(path, [], {}) for number in place)
    with pytest.raises(TrackingError, match="no channel 'color', but depth"):
        still.update({"depth": np.zeros((60, 80))}, [], {})
    assert len(still.init(path, [((1, 1, 5, 5), {})], {})) == 1, "another video"


@pytest.mark.long
def test_each_object_is_tracked_as_it_would_be_alone(workspace: Path) -> None:
    sequence = get_dataset("synthetic")[0]
    frames = [sequence.frame(number) for number in range(5)]
    boxes = [tuple(sequence.ground_truth_rect[0].tolist()), (20.0, 20.0, 40.0, 30.0)]
    objects = TrackedObjects(Tracker("siamfc", "untrained_res18"))
    places = [objects.start(frames[0], boxes[:1]), objects.frame(frames[1], boxes[1:])]
    places += [objects.frame(frame) for frame in frames[2:]]
    alone = pytracking.track(frames, "siamfc/untrained_res18", box=boxes[0]).boxes
    np.testing.assert_array_equal([each[0][0] for each in places], alone)
    later = pytracking.track(frames[1:], "siamfc/untrained_res18", box=boxes[1]).boxes
    np.testing.assert_array_equal([each[1][0] for each in places[1:]], later)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"tracker": "siamfc"}, "name the parameter set, too, such as siamfc/socl_res18"),
        ({"tracker": "siamfcc/socl_res18"}, "Did you mean 'siamfc'"),
        ({"tracker": "siamfc/untrained_res18", "devise": "cpu"}, "has no parameter 'devise'"),
        ({"tracker": "siamfc/socl_res18"}, "there is no checkpoint of socl/socl_res18"),
        ({"tracker": "siamfc/untrained_res18", "plugin": "nowhere.py"}, "the plugin 'nowhere.py'"),
    ],
)
def test_what_is_wrong_in_the_toolkits_file_is_an_error_that_it_hands_on(
    workspace: Path, arguments: dict[str, str], told: str
) -> None:
    with pytest.raises(RuntimeError, match=told):  # of this kind are those that the toolkit catches
        create_tracker(**arguments)
