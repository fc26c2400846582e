"""As much as a budget is enough for: whole videos, fewer frames of each, and both."""

from __future__ import annotations

from typing import Any

import pytest

from ltr.admin.settings import SettingsError
from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import PointAnnotated, dataset_labels
from socl_plugins.clicks.budget import Budget
from socl_plugins.clicks.costs import annotation_cost, count_labels


def test_fewer_frames_of_each_video_make_a_budget_enough_for_more_videos() -> None:
    videos = SyntheticVideo(6, num_frames=10, size=(48, 64))
    hours = annotation_cost(count_labels("box", 20)).hours
    whole = Budget(hours=hours).of(videos, 0)
    part = Budget(hours=hours, frame_part=0.4).of(videos, 0)
    assert len(whole) < len(part) and dataset_labels(part).boxes <= 20


def test_a_part_of_what_clicks_would_cost_buys_fewer_boxes_than_clicks() -> None:
    videos = SyntheticVideo(6, num_frames=10, size=(48, 64))
    options = Budget(part=1.0)
    assert len(options.of(PointAnnotated(videos), 0)) == 6, "exactly enough for all clicks"
    assert len(options.of(videos, 0)) == 1  # a box takes 4.5 times as long


def test_each_seed_of_a_run_draws_its_own_videos_unless_one_is_set() -> None:
    videos = SyntheticVideo(12, num_frames=10, size=(48, 64))
    hours = annotation_cost(count_labels("box", 40)).hours

    def drawn(seed: int, budget_seed: int | None = None) -> list[str]:
        chosen = Budget(hours=hours, seed=budget_seed).of(videos, seed)
        return [chosen.sequence_name(video) for video in range(len(chosen))]

    assert drawn(1) == drawn(1) != drawn(2)
    assert drawn(1, 7) == drawn(2, 7) == drawn(7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"part": 0.5, "hours": 1.0}, "set one of them"),
        ({"part": 0.0}, "budget.part"),
        ({"part": 5.0}, "budget.part is 5.0"),
        ({"hours": -1.0}, "budget.hours"),
        ({"frame_part": 1.5}, "frame_part"),
        ({"seed": -1}, "budget.seed"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Budget(**values)


def test_a_second_click_that_tells_a_size_is_paid_for() -> None:
    videos = SyntheticVideo(3, num_frames=10, size=(48, 64))
    plain = dataset_labels(PointAnnotated(videos))
    assert dataset_labels(PointAnnotated(videos, told_sizes=2)).clicks == plain.clicks + 3 * 2
