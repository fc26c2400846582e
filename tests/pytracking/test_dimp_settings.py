"""DiMP's further settings, those of SuperDiMP and of VOT among them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from ltr.admin.settings import apply_overrides
from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18, dimpnet50
from pytracking.registry import PARAMETERS
from pytracking.tracker.dimp import DiMPParams, DiMPTracker
from pytracking.tracker.dimp.localization import locate
from pytracking.tracker.dimp.overlap import IoUPredictor
from pytracking.tracker.dimp.refinement import refine_on_whole_crop


@pytest.fixture(scope="module")
def network() -> DiMPNet:
    torch.manual_seed(0)
    return dimpnet18().eval()


def test_a_window_prefers_small_moves_but_sees_distractors_everywhere() -> None:
    scores = np.zeros((19, 19))
    scores[9, 9], scores[1, 17] = 0.8, 1.0
    middle, target = np.array([9.0, 9.0]), np.array([2.0, 2.0])
    params = DiMPParams(network="", distractor_threshold=100.0)
    assert tuple(locate(scores, middle, target, params).cell) == (17, 1)
    windowed = locate(scores, middle, target, replace(params, window_output=True))
    # Hann's window (0.5 - 0.5 cos) over the cells 1 to n of n + 2 is 1 in the middle.
    assert (tuple(windowed.cell), windowed.state) == ((9, 9), "hard_negative")
    assert windowed.score == pytest.approx(0.8)


@pytest.mark.long
def test_relative_refinement_is_super_dimps(golden: Any) -> None:
    """Through the tracker on DiMP-50's network, as ``dimp/super_dimp`` sets it (``super_dimp.npz``)."""
    arrays = golden.arrays("super_dimp")
    keys = json.loads((golden.folder / "dimp50.keys.json").read_text())["state_dict"]
    net = dimpnet50(box_branch="density").eval()
    net.load_state_dict(golden.fill.fill_state_dict(keys))
    params = cast(DiMPParams, PARAMETERS["dimp/super_dimp"]())
    assert (params.box_refinement_iter, params.box_refinement_step_length) == (10, 0.0025)
    starts = torch.from_numpy(arrays["init_boxes"]).float()
    for prefix, length in (("", params.box_refinement_step_length), ("long_", 0.25)):
        tracker = DiMPTracker(replace(params, network=net, device="cpu", box_refinement_step_length=length))
        with torch.no_grad():
            seen = [
                tracker.network.extract_backbone(
                    torch.from_numpy(golden.fill.image(int(seed), 352, 352)).permute(2, 0, 1)[None].float()
                )
                for seed in arrays["seeds"]
            ]
            box = torch.from_numpy(arrays["train_box"][0]).float()
            branch = tracker.network.bb_regressor
            tracker._set_target_modulation(branch.modulation((seen[0]["layer2"], seen[0]["layer3"]), box))
            boxes, scores = tracker._refined_boxes(seen[1], starts)
            judge = IoUPredictor(branch, branch.modulation((seen[0]["layer2"], seen[0]["layer3"]), box))
            recordable, _ = refine_on_whole_crop(judge, (seen[1]["layer2"], seen[1]["layer3"]), starts, tracker._ascent)
        golden.close(arrays, f"{prefix}refined_boxes_relative", boxes)
        golden.close(arrays, f"{prefix}refined_boxes_relative", recordable)
        golden.close(arrays, f"{prefix}refined_last_iou", scores)


def moving_square(frames: int, grey: bool = False) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    background = rng.integers(60, 120, (24, 32, 3)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    texture = rng.integers(0, 255, (8, 8, 3)).repeat(5, 0).repeat(5, 1).astype(np.uint8)
    made = []
    for number in range(frames):
        image = background.copy()
        image[100:140, 120 + 3 * number : 160 + 3 * number] = texture
        made.append(image[..., 0] if grey else image)
    return made


@pytest.mark.long
def test_while_it_is_uncertain_crops_keep_their_size_if_asked_to(network: DiMPNet) -> None:
    frames = moving_square(2)
    sides = {}
    for follow in (True, False):
        params = DiMPParams(network=network, device="cpu", net_opt_iter=1, update_scale_when_uncertain=follow)
        tracker = DiMPTracker(replace(params, target_not_found_threshold=-1e9, distractor_threshold=-1e9))
        tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})
        box = tracker.track(frames[1])["target_bbox"]  # the second peak is always high enough, and both are near
        sides[follow] = tracker.side
        assert (box[2], box[3]) != (40, 40), "the box itself is refined"
    assert sides[False] == 40 != sides[True]


@pytest.mark.long
def test_first_frames_samples_are_cut_out_of_what_lies_there_whatever_later_crops_do(network: DiMPNet) -> None:
    frame = moving_square(1)[0]
    boxes = []
    for mode in ("fixed", "inside_major"):
        tracker = DiMPTracker(DiMPParams(network=network, device="cpu", net_opt_iter=0, border_mode=mode))  # type: ignore[arg-type]
        tracker.initialize(frame, {"init_bbox": [10, 10, 60, 60]})  # five times that is more than the frame's height
        crops, inside = tracker._first_crops(frame, np.array([10.0, 10, 60, 60]))
        boxes.append(inside)
        assert len(crops) == 13 and crops.shape[1:] == (288, 288, 3)
    np.testing.assert_allclose(boxes[0][:7], boxes[1][:7])


def test_other_augmentations_are_settings(network: DiMPNet) -> None:
    params = apply_overrides(
        DiMPParams(network=network, device="cpu", net_opt_iter=0),
        {"augmentation.rotations": "5,-5", "augmentation.dropouts": "1", "augmentation.mirror": "no"},
    )
    tracker = DiMPTracker(params)
    tracker.initialize(moving_square(1)[0], {"init_bbox": [120, 100, 40, 40]})
    assert tracker.memory.count == params.augmentation.samples == 1 + 4 + 3 + 2 + 1
    vot = cast(DiMPParams, PARAMETERS["dimp/dimp50_vot19"]())
    tracker = DiMPTracker(replace(vot, network=network, device="cpu", net_opt_iter=0, image_sample_size=96))
    tracker.initialize(moving_square(1)[0], {"init_bbox": [120, 100, 40, 40]})
    assert tracker.memory.count == 1 + 2 + 1 + 2 + 4 + 3


def test_a_tracker_that_is_moved_searches_there_and_shows_its_scores(network: DiMPNet) -> None:
    frames = moving_square(2)
    tracker = DiMPTracker(DiMPParams(network=network, device="cpu", box_refinement_iter=0))
    tracker.initialize(frames[0], {"init_bbox": [20, 20, 40, 40]})
    tracker.recenter((140, 120))
    tracker.params.target_not_found_threshold = 1e9
    output = tracker.track(frames[1], {"want_score_map": True})
    np.testing.assert_allclose(output["target_bbox"], [120, 100, 40, 40])
    assert output["score_map"].shape == (19, 19) and output["score_map"].max() == output["score"]
    assert "score_map" not in tracker.track(frames[1])
