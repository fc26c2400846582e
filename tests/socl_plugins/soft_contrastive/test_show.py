"""Where soft samples come from can be seen, from a checkpoint and as training goes on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import FeatureGrid, siamfc_resnet18
from socl_plugins.clicks import PointAnnotated
from socl_plugins.soft_contrastive import SoftContrastiveSettings
from socl_plugins.soft_contrastive.__main__ import main
from socl_plugins.soft_contrastive.processing import TopMapCropSettings
from socl_plugins.soft_contrastive.show import draw_pairs, explain, overlay
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings
from tests import recipes

SMALL = {
    **recipes.SMALL,
    **recipes.FEW_PROPOSALS,
    "schedule.samples_per_epoch": 2,
    "network.output_layer": "layer1",
    "processing.crop.size": 128,
}


def test_each_frame_has_five_pictures_and_no_hard_negative_on_the_target() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18("layer1").eval()
    clicks = PointAnnotated(SyntheticVideo(2, num_frames=6, seed=3))
    dataset = ObjectnessAnnotated(clicks, ProposalSettings(random_count=200))
    crop = TopMapCropSettings(size=96)
    grid = net.grid(96)
    pairs = draw_pairs(dataset, crop, grid, 2)
    assert pairs[0]["train_score"].shape == pairs[0]["train_top"].shape == (grid.cells, grid.cells)
    shown = list(explain(net, pairs, grid, SoftContrastiveSettings()))
    assert len(shown) == 4
    for one, pair in zip(shown[::2], pairs):
        assert one.picture.shape == (96, 5 * 96 + 4 * 4, 3) and one.picture.dtype == np.uint8
        np.testing.assert_array_equal(one.picture[:, :96], pair["train_images"].permute(1, 2, 0))
        assert (one.picture[:, 300:396] == 0).all(axis=2).any(), "the target is masked out of the similarity"


def test_a_map_lies_where_its_cells_are() -> None:
    values = np.zeros((4, 4))
    values[1, 2] = 1
    drawn = overlay(np.zeros((64, 64, 3), np.uint8), values, FeatureGrid(4, 8, 16.0))
    brightness = drawn.astype(int).sum(axis=2)
    y, x = np.unravel_index(np.argmax(brightness), brightness.shape)
    assert abs(x - 35.5) <= 1 and abs(y - 27.5) <= 1, "the middle of the cell from 32, 24 on"
    values[3, 3] = np.nan
    assert not overlay(np.full((64, 64, 3), 200, np.uint8), values, FeatureGrid(4, 8, 16.0))[42:46, 42:46].any()


def test_a_checkpoint_s_soft_samples_are_drawn_and_training_draws_them_too(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["socl", "socl_res18", "--device", "cpu"]
    assert run_training.main(words + recipes.as_words(SMALL)) == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tags = []
    for file in workspace.rglob("events.out*"):
        events = EventAccumulator(str(file))
        events.Reload()
        tags += events.Tags()["images"]
    assert tags == ["soft samples"]

    assert main(["show", "socl/socl_res18", "--pairs", "2", "--out", str(tmp_path / "samples.png")]) == 0
    picture = cv2.imread(str(tmp_path / "samples.png"))
    assert picture.shape[1] == 5 * 128 + 4 * 4 and picture.shape[0] >= 4 * 128
    assert main(["show", "socl/socl_res18", "--pairs", "1", "--out", str(tmp_path / "samples.html")]) == 0
    page = (tmp_path / "samples.html").read_text()
    assert page.count("data:image/jpeg") == 2 and "ltr/socl/socl_res18, epoch " in page
    assert main(["show", "socl/nothing", "--out", str(tmp_path / "x.png")]) == 1
    assert main(["show", "socl/socl_res18", "--out", str(tmp_path / "x.gif")]) == 1
    assert "told by the ending" in capsys.readouterr().err
