"""As much as a budget is enough for: whole videos, fewer frames of each, and both."""

from __future__ import annotations

from typing import Any

import pytest

from ltr.admin.settings import SettingsError
from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.labels import PointAnnotated, dataset_labels
from socl_plugins.labels.budget import BudgetOptions
from socl_plugins.labels.costs import annotation_cost, count_labels


def test_fewer_frames_of_each_video_make_a_budget_enough_for_more_videos() -> None:
    videos = SyntheticVideo(6, num_frames=10, size=(48, 64))
    hours = annotation_cost(count_labels("box", 20)).hours
    whole = BudgetOptions(budget_hours=hours).within_budget(videos)
    part = BudgetOptions(budget_hours=hours, frame_part=0.4).within_budget(videos)
    assert len(whole) < len(part) and dataset_labels(part).boxes <= 20


def test_a_part_of_what_clicks_would_cost_buys_fewer_boxes_than_clicks() -> None:
    videos = SyntheticVideo(6, num_frames=10, size=(48, 64))
    options = BudgetOptions(budget_part=1.0)
    assert len(options.within_budget(PointAnnotated(videos))) == 6, "exactly enough for all clicks"
    assert len(options.within_budget(videos)) == 1  # a box takes 4.5 times as long


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"budget_part": 0.5, "budget_hours": 1.0}, "set one of them"),
        ({"budget_part": 0.0}, "budget_part"),
        ({"budget_hours": -1.0}, "budget_hours"),
        ({"frame_part": 1.5}, "frame_part"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        BudgetOptions(**values)
