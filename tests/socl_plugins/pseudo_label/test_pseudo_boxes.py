"""Tracking between boxes, fusing, and boxes from TOP maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pytracking.parameter.params import TrackerParams
from pytracking.tracker.base import BaseTracker
from socl_plugins.pseudo_label.fuse import FuseSettings, Kind, fuse, smooth_path
from socl_plugins.pseudo_label.tracks import SnippetTrack, SparseLabels, track_snippets

NAN = float("nan")


def straight(count: int = 21, period: int = 10, click_off: float = 0.0) -> SparseLabels:
    """A target that moves by 3 pixels a frame and grows from 40 to 80 pixels."""
    frames = np.arange(count)
    side = 40 * 2 ** (frames / (count - 1))
    boxes = np.stack([3 * frames - side / 2, 50 - side / 2, side, side], axis=1)
    points = boxes[:, :2] + boxes[:, 2:] / 2 + [click_off, 0]
    drawn = frames % period == 0
    boxes[~drawn], points[drawn] = NAN, NAN
    return SparseLabels(frames, boxes, points)


class Moving(BaseTracker):
    """Moves by a fixed step and grows by a fixed factor."""

    def __init__(self, step: float, growth: float = 1.0) -> None:
        super().__init__(TrackerParams())
        self.step, self.growth, self.moves = step, growth, 0

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        self.box = np.array(info["init_bbox"], float)
        return {}

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        center = self.box[:2] + self.box[2:] / 2 + [self.step, 0]
        size = self.box[2:] * self.growth
        self.box = np.concatenate([center - size / 2, size])
        return {"target_bbox": self.box.tolist()}


class Movable(Moving):
    """One that can be told where the target is."""

    def recenter(self, center: tuple[float, float]) -> None:
        self.moves += 1
        self.box[:2] = np.array(center) - self.box[2:] / 2


def frame(number: int) -> np.ndarray:
    return np.zeros((100, 200, 3), np.uint8)


def test_a_tracker_that_is_right_is_left_alone() -> None:
    labels = straight()
    tracker = Movable(3.0)
    track = track_snippets(tracker, frame, labels)
    assert not track.failed.any() and tracker.moves == 0
    centers = track.boxes[:, :2] + track.boxes[:, 2:] / 2
    np.testing.assert_allclose(centers, labels.centers)


@pytest.mark.parametrize("kind", [Movable, Moving])
def test_a_tracker_that_stands_still_fails_beyond_20_pixels_and_is_moved_to_the_click(kind: type[Moving]) -> None:
    # The target moves 3 px a frame: after 7 frames the tracker is 21 px off, and moved.
    tracker = kind(0.0)
    track = track_snippets(tracker, frame, straight())
    assert np.flatnonzero(track.failed).tolist() == [7, 17]
    fused = fuse(straight(), [track], FuseSettings(centers="tracked"))
    assert [Kind(value).name for value in fused.kinds[6:9]] == ["TRACKED", "CORRECTED", "TRACKED"]
    x, _, w, _ = fused.boxes[7]
    assert x + w / 2 == pytest.approx(21), "the click is the centre where the tracker had failed"
    x, _, w, _ = fused.boxes[8]
    assert x + w / 2 == pytest.approx(21), "and the tracker went on from there"


def test_backwards_it_starts_on_each_box_and_says_nothing_beyond_the_last() -> None:
    track = track_snippets(Movable(-3.0), frame, straight(count=25), backwards=True)
    assert np.isnan(track.boxes[21:]).all() and np.isfinite(track.boxes[:21]).all() and not track.failed.any()
    assert track.boxes[9, 2] == pytest.approx(track.boxes[10, 2])


def test_human_boxes_stay_as_they_are_and_sizes_between_them_are_geometric() -> None:
    labels = straight()
    fused = fuse(labels, [])
    np.testing.assert_array_equal(fused.boxes[labels.has_box], labels.boxes[labels.has_box])
    assert {Kind(value).name for value in fused.kinds} == {"HUMAN", "INTERPOLATED"}
    np.testing.assert_allclose(fused.boxes[:, 2], 40 * 2 ** (labels.frames / 20))


def test_two_tracks_count_by_the_way_they_went() -> None:
    labels = straight(count=11)
    forwards = track_snippets(Movable(3.0, 1.1), frame, labels)  # grows too fast
    backwards = track_snippets(Movable(-3.0, 1.0), frame, labels, backwards=True)  # keeps the last size
    share = np.arange(11) / 10
    tracked = (1 - share) * np.log(40 * 1.1 ** np.arange(11)) + share * np.log(80)
    interpolated = np.log(40) + share * np.log(2)
    for trust in (0.0, 0.5, 1.0):
        sizes = fuse(labels, [forwards, backwards], FuseSettings(size_trust=trust)).boxes[:, 2]
        expected = trust * tracked + (1 - trust) * interpolated
        np.testing.assert_allclose(np.log(sizes[1:10]), expected[1:10])


def test_a_track_that_failed_leaves_the_centre_to_the_other() -> None:
    labels = straight(count=11)
    wrong, right = (SnippetTrack(np.tile([0.0, 0, 10, 10], (11, 1)), np.ones(11, bool)) for _ in range(2))
    right.boxes[:, 0], right.failed[:] = 100.0, False
    fused = fuse(labels, [wrong, right], FuseSettings(centers="tracked"))
    assert fused.boxes[5, 0] + fused.boxes[5, 2] / 2 == pytest.approx(105) and fused.kinds[5] == Kind.TRACKED


def test_smoothing_brings_noisy_clicks_nearer_to_the_path() -> None:
    rng = np.random.default_rng(0)
    times = np.arange(100)
    path = np.stack([2.0 * times, 50 + 10 * np.sin(times / 15)], axis=1)
    clicks = path + rng.normal(0, 5, path.shape)
    smooth = smooth_path(times, clicks, np.full(100, 25.0), 0.2)
    assert np.abs(smooth - path).mean() < 0.5 * np.abs(clicks - path).mean()
