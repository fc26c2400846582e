"""Several targets tracked together have the boxes that each has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytracking.evaluation import Tracker, track_frames
from pytracking.evaluation.datasets import get_dataset
from pytracking.live.targets import Target
from pytracking.live.tracks import TargetTracking, TrackLog
from pytracking.tracker.base import BaseTracker
from pytracking.tracker.group import TrackerGroup, batches
from pytracking.tracker.siamfc import SiamFCTracker

BOXES = {"a": (100.0, 60.0, 40.0, 50.0), "b": (30.0, 90.0, 25.0, 20.0), "c": (150.0, 100.0, 60.0, 30.0)}


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    sequence = get_dataset("synthetic")[0]
    return [sequence.frame(number) for number in range(4)]


@pytest.fixture(scope="module")
def first() -> SiamFCTracker:
    made = Tracker("siamfc", "untrained_res18").create()
    assert isinstance(made, SiamFCTracker)
    return made


def alone(tracker: BaseTracker, frames: list[np.ndarray], box: tuple[float, ...]) -> np.ndarray:
    return np.stack([frame.box for frame in track_frames(tracker, frames, {"init_bbox": list(box)}, "it")])


def together(create: Any, frames: list[np.ndarray], boxes: dict[str, tuple[float, ...]]) -> dict[str, np.ndarray]:
    log = TrackLog(boxes)
    targets = [Target(name, box=box) for name, box in boxes.items()]
    for tracked in TargetTracking(create, targets, "it").through(enumerate(frames)):
        log.add(tracked)
    return {name: track.boxes for name, track in log.tracks().items()}


@pytest.mark.parametrize("crops", [1, 4, 100])
def test_siamfc_s_targets_have_the_boxes_that_each_has_alone(
    first: SiamFCTracker, frames: list[np.ndarray], crops: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    usual = SiamFCTracker._features_of

    def counted(self: SiamFCTracker, images: np.ndarray) -> Any:
        calls.append(len(images))
        return usual(self, images)

    monkeypatch.setattr(SiamFCTracker, "_features_of", counted)
    monkeypatch.setattr(SiamFCTracker, "crops_at_once", {"cpu": crops})
    found = together(first.sibling, frames[:3], BOXES)
    assert max(calls) == min(crops, 9) and sum(calls) == 3 + 2 * 9  # a template each, three scales a target and frame
    monkeypatch.undo()
    for name, box in BOXES.items():
        assert found[name] == pytest.approx(alone(first.sibling(), frames[:3], box), abs=1e-3)


def test_one_target_is_tracked_as_by_track_frames_bit_for_bit(first: SiamFCTracker, frames: list[np.ndarray]) -> None:
    found = together(first.sibling, frames, {"a": BOXES["a"]})["a"]
    assert np.array_equal(found, alone(first.sibling(), frames, BOXES["a"]))


def test_siblings_share_the_network_and_nothing_of_their_targets(
    first: SiamFCTracker, frames: list[np.ndarray]
) -> None:
    one, other = first.sibling(), first.sibling()
    one.initialize(frames[0], {"init_bbox": BOXES["a"]})
    template, center = one.template.clone(), one.center.copy()
    other.initialize(frames[0], {"init_bbox": BOXES["b"]})
    other.track(frames[1])
    assert one.network is other.network
    assert bool((one.template == template).all()) and np.array_equal(one.center, center)
    with pytest.raises(ValueError, match="share one network"):
        SiamFCTracker.track_many([one, Tracker("siamfc", "untrained_res18").create()], frames[1], [{}, {}])


class Step(BaseTracker):
    def __init__(self) -> None:
        pass

    def initialize(self, image: np.ndarray, info: Any) -> dict[str, Any]:
        self.box = list(info["init_bbox"])
        return {}

    def track(self, image: np.ndarray, info: Any = None) -> dict[str, Any]:
        self.box[0] += 1
        return {"target_bbox": list(self.box)}


class Slower(SiamFCTracker):
    def track(self, image: np.ndarray, info: Any = None) -> dict[str, Any]:
        return {"target_bbox": [1.0, 2.0, 3.0, 4.0]}


def test_a_tracker_that_cannot_batch_and_one_that_tracks_otherwise_are_called_one_by_one(
    first: SiamFCTracker, frames: list[np.ndarray]
) -> None:
    assert batches(first) and not batches(Step())
    slower = object.__new__(Slower)
    assert not batches(slower)  # its track would never be called
    group = TrackerGroup(Step)
    for name, box in BOXES.items():
        group.initialize(name, frames[0], {"init_bbox": box})
    outputs = group.track(BOXES, frames[1], [{}] * 3)
    assert [output["target_bbox"][0] for output in outputs] == [101, 31, 151]
