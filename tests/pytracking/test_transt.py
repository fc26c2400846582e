"""The TransT tracker, with networks whose answer is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from pytracking.tracker.transt import TransTParams, TransTTracker

FRAME = np.full((240, 320, 3), 128, np.uint8)


class Points(nn.Module):
    """Sees the target in given cells, with given logits, and always the same box."""

    def __init__(self, cells: dict[tuple[int, int], float], box: tuple[float, float, float, float]) -> None:
        super().__init__()
        self.cells, self.box = cells, box

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(images), 1, images.shape[-2] // 8, images.shape[-1] // 8)

    def predict(self, template: torch.Tensor, search: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits = torch.zeros(1, 32, 32, 2)
        logits[..., 0] = -20.0
        for (row, column), logit in self.cells.items():
            logits[0, row, column, 0] = logit
        return logits.flatten(1, 2), torch.tensor(self.box).expand(1, 32 * 32, 4)


def track(network: nn.Module, box: list[float]) -> dict[str, list[float]]:
    tracker = TransTTracker(TransTParams(network=network, device="cpu"))
    tracker.initialize(FRAME, {"init_bbox": box})
    return tracker.track(FRAME)


def test_the_box_of_the_best_cell_comes_back_to_the_frame() -> None:
    # The search region is 4 x 40 = 160 pixels wide and starts at 80, 40.
    output = track(Points({(16, 16): 5.0}, (0.5, 0.25, 0.25, 0.125)), [140.0, 100.0, 40.0, 40.0])
    np.testing.assert_allclose(output["target_bbox"], [140, 70, 40, 20], atol=1e-4)
    assert output["score"] > 0.99


def test_the_window_prefers_the_near_one_of_two_that_look_alike() -> None:
    tracker = TransTTracker(TransTParams(network=Points({(2, 2): 3.0, (15, 15): 2.0}, (0.5,) * 4), device="cpu"))
    tracker.initialize(FRAME, {"init_bbox": [140.0, 100.0, 40.0, 40.0]})
    near = torch.tensor(2.0).sigmoid()
    assert abs(tracker.track(FRAME)["score"] - near) < 1e-6


def test_the_map_of_scores_is_shown_if_it_is_wanted() -> None:
    tracker = TransTTracker(TransTParams(network=Points({(2, 7): 3.0}, (0.5,) * 4), device="cpu"))
    tracker.initialize(FRAME, {"init_bbox": [140.0, 100.0, 40.0, 40.0]})
    output = tracker.track(FRAME, {"want_score_map": True})
    assert output["score_map"].shape == (32, 32) and output["score_map"].max() == output["score"]
    assert np.unravel_index(output["score_map"].argmax(), (32, 32)) == (2, 7)
    assert "score_map" not in tracker.track(FRAME, {"want_score_map": False})


def test_the_box_keeps_a_least_side_and_its_centre_in_the_frame() -> None:
    output = track(Points({(31, 31): 5.0}, (0.0, 0.0, 0.001, 0.001)), [2.0, 2.0, 40.0, 40.0])
    np.testing.assert_allclose(output["target_bbox"], [-5, -5, 10, 10], atol=1e-4)


def test_a_tracker_that_is_moved_searches_there() -> None:
    tracker = TransTTracker(TransTParams(network=Points({(16, 16): 5.0}, (0.5, 0.5, 0.25, 0.25)), device="cpu"))
    tracker.initialize(FRAME, {"init_bbox": [140.0, 100.0, 40.0, 40.0]})
    tracker.recenter((60.0, 50.0))
    np.testing.assert_allclose(tracker.track(FRAME)["target_bbox"], [40, 30, 40, 40], atol=1e-4)


class Convolved(Points):
    """Features of a convolution; notes in what precision they come, and go into the prediction."""

    types: list[torch.dtype]

    def features(self, images: torch.Tensor) -> torch.Tensor:
        found = torch.nn.functional.conv2d(images, torch.ones(1, 3, 8, 8), stride=8)
        self.types.append(found.dtype)
        return found

    def predict(self, template: torch.Tensor, search: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.types += [template.dtype, search.dtype]
        return super().predict(template, search)


def test_only_the_features_are_computed_in_another_precision() -> None:
    network = Convolved({(16, 16): 5.0}, (0.5, 0.25, 0.25, 0.125))
    network.types = []
    tracker = TransTTracker(TransTParams(network=network, device="cpu", precision="bfloat16"))
    tracker.initialize(FRAME, {"init_bbox": [140.0, 100.0, 40.0, 40.0]})
    np.testing.assert_allclose(tracker.track(FRAME)["target_bbox"], [140, 70, 40, 20], atol=1e-4)
    assert network.types == [torch.bfloat16, torch.bfloat16, torch.float32, torch.float32]
