from __future__ import annotations

import pytest
import torch

from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import SparseBoxAnnotated, annotation_cost, count_labels, dataset_labels

VIDEOS = SyntheticVideo(2, num_frames=21, size=(96, 128), seed=7)


def test_a_frame_shows_a_box_or_a_click_and_never_both() -> None:
    info = SparseBoxAnnotated(VIDEOS, 5).get_sequence_info(0)
    truth = VIDEOS.get_sequence_info(0)
    valid = truth["valid"]
    box, point = torch.isfinite(info["bbox"]).all(1), torch.isfinite(info["point"]).all(1)
    assert torch.equal(box ^ point, valid) and not (box & point).any()
    assert torch.equal(box, info["has_box"])
    assert torch.nonzero(valid).flatten()[::5].tolist() == torch.nonzero(box).flatten().tolist()
    assert torch.equal(info["bbox"][box], truth["bbox"][box])
    centers = truth["bbox"][:, :2] + truth["bbox"][:, 2:] / 2
    assert torch.equal(info["point"][point], centers[point])


def test_frames_come_with_the_same_labels() -> None:
    _, annotation, _ = SparseBoxAnnotated(VIDEOS, 5).get_frames(0, [0, 1])
    assert torch.isfinite(annotation["bbox"][0]).all() and torch.isnan(annotation["point"][0]).all()
    assert torch.isnan(annotation["bbox"][1]).all() and torch.isfinite(annotation["point"][1]).all()


def test_the_cost_is_that_of_its_boxes_clicks_and_tracked_frames() -> None:
    labels = dataset_labels(SparseBoxAnnotated(VIDEOS, 5))
    frames = [int(VIDEOS.get_sequence_info(video)["valid"].sum()) for video in range(2)]
    expected = sum((count_labels("sparse_box", count, 5) for count in frames), count_labels("box", 0))
    assert labels == expected and annotation_cost(labels).hours > 0
    assert dataset_labels(SparseBoxAnnotated(VIDEOS, 1)).clicks == 0


def test_a_period_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="period is 0"):
        SparseBoxAnnotated(VIDEOS, 0)
