"""The held-out score tells how well a network tracks, and leaves no trace of having looked."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ltr.dataset import SyntheticVideo
from ltr.models.builder import build_network
from ltr.registry import HELD_OUT_SCORES, load_plugins
from pytracking.evaluation import Sequence, SequenceError, Tracker
from pytracking.evaluation.held_out import tracking_auc
from pytracking.metrics import ope
from pytracking.tracker.siamfc import SiamFCParams


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return build_network("siamfc_resnet18", output_layer="layer1")


# Small crops: what is said here does not depend on their size.
SMALL = SiamFCParams(network="", exemplar_size=63, search_size=127)


@pytest.fixture(scope="module")
def videos() -> SyntheticVideo:
    return SyntheticVideo(2, num_frames=4, size=(120, 160), seed=3)


def test_it_comes_in_as_a_plugin() -> None:
    load_plugins(["pytracking.plugin"])
    assert HELD_OUT_SCORES["tracking_auc"] is tracking_auc


def test_it_is_the_auc_of_each_sequence(net: nn.Module, videos: SyntheticVideo) -> None:
    score = tracking_auc(videos, max_frames=3, params=SMALL)
    details = score.per_sequence(net)
    assert len(details) == 2
    assert score(net) == {name: result.auc for name, result in details.items()}
    assert all(1 / 3 * 20 / 21 <= auc <= 20 / 21 for auc in score(net).values())  # the first of three frames is given
    assert score(net) == score(net)


def test_it_equals_a_saved_run_of_the_tracker(net: nn.Module, videos: SyntheticVideo, workspace: Path) -> None:
    score = tracking_auc(videos, params=SMALL)
    sequence = score.sequences[0]
    result = Tracker("siamfc", "any").run_sequence(sequence, replace(SMALL, network=net, device="cpu"))
    shown = sequence.target_visible
    expected = ope(result.boxes[shown], sequence.ground_truth_rect[shown]).auc
    assert score.per_sequence(net)[sequence.name].auc == expected


def test_it_disturbs_neither_random_numbers_nor_modes_nor_weights(net: nn.Module, videos: SyntheticVideo) -> None:
    net.train()
    frozen = next(module for module in net.modules() if isinstance(module, nn.BatchNorm2d))
    frozen.eval()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    strides = [parameter.stride() for parameter in net.parameters()]
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    tracking_auc(videos, max_frames=2, params=SMALL)(net)
    assert net.training and not frozen.training
    assert random.getstate() == states[0]
    assert np.array_equal(np.random.get_state()[1], states[1]) and torch.equal(torch.get_rng_state(), states[2])
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert strides == [parameter.stride() for parameter in net.parameters()]


def test_absent_frames_count_as_in_pysot_toolkit_which_divides_by_all() -> None:
    frames = [np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)] * 4
    boxes = np.array([[20, 20, 15, 15]] * 4, float)
    net = build_network("siamfc_resnet18", output_layer="layer1")
    half = Sequence("s", frames, "mine", boxes, target_visible=np.array([True, True, False, False]))
    whole = Sequence("s", frames, "mine", boxes)
    all_of_it, part = (tracking_auc([sequence], params=SMALL)(net)["s"] for sequence in (whole, half))
    assert all_of_it > 0.7 > 0.5 > part > 0.35


def test_without_sequences_there_is_no_score() -> None:
    with pytest.raises(SequenceError, match="no sequence to track"):
        tracking_auc([])
