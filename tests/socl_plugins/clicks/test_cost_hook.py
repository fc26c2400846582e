"""What a run's labels cost is counted from the data sets that it learns from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ltr.data.loader import LTRLoader
from ltr.data.sampler import TrackingSampler
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import LabelCounts, PointAnnotated
from socl_plugins.clicks.cost_hook import RecordLabelCost


class History:
    """What of a trainer the hook asks for."""

    def __init__(self, *loaders: object) -> None:
        self.loaders = loaders
        self.numbers: dict[str, float] = {}
        self.about: dict[str, dict[str, object]] = {}

    def record(self, loader: str, name: str, value: float) -> None:
        self.numbers[f"{loader}/{name}"] = value


def loader(*datasets: BaseVideoDataset, training: bool = True) -> LTRLoader:
    return LTRLoader("any", TrackingSampler(datasets, samples_per_epoch=4, processing=lambda data, rng: data), training)


def recorded(*loaders: object, labels: LabelCounts | None = None) -> dict[str, float]:
    history = History(*loaders)
    RecordLabelCost(labels).before_training(history)  # type: ignore[arg-type]
    return history.numbers


def test_boxes_and_clicks_of_all_loaders_that_are_learned_from_are_counted_once() -> None:
    boxes, others = SyntheticVideo(2, num_frames=10, seed=1), SyntheticVideo(2, num_frames=10, seed=2)
    clicks = PointAnnotated(others)
    drawn, clicked = (sum(int(one.get_sequence_info(k)["valid"].sum()) for k in (0, 1)) for one in (boxes, clicks))
    numbers = recorded(loader(boxes, clicks), loader(boxes), loader(others, training=False))
    assert numbers["labels/dollars"] == pytest.approx(0.036 * drawn + 0.005 * clicked)
    assert numbers["labels/hours"] == pytest.approx((10.2 * drawn + 2.27 * clicked) / 3600)


def test_what_a_recipe_says_of_its_labels_is_taken() -> None:
    numbers = recorded(loader(SyntheticVideo(2, num_frames=10)), labels=LabelCounts(boxes=100))
    assert numbers["labels/dollars"] == pytest.approx(3.6)


def test_labels_that_nobody_can_count_are_not_said_to_cost_nothing() -> None:
    assert recorded(SimpleNamespace(training=True, dataset=[1, 2, 3])) == {}
