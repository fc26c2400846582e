"""The recipes with label noise, SiamDW's network without labels, and the picture of mini-batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_checkpoint
from ltr.admin.settings import Settings
from ltr.dataset.export import export_got10k
from ltr.dataset.named import embedded_videos
from ltr.dataset.synthetic import SyntheticVideo
from ltr.registry import TRAIN_SETTINGS, load_plugins
from pytracking.registry import PARAMETERS
from socl_plugins.clicks.noisy_boxes import NoisyBoxes
from socl_plugins.progressive.__main__ import main
from tests.recipes import FEW_PROPOSALS, SMALL, as_words

load_plugins()


def train(recipe: str, more: Mapping[str, object] | None = None) -> dict[str, torch.Tensor]:
    """Returns the weights after two small steps, whichever the held-out score chose."""
    torch.manual_seed(0)
    TRAIN_SETTINGS[recipe](Settings(*recipe.split("/"), overrides=SMALL | dict(more or {})))
    (last,) = best_checkpoint(recipe).parent.glob("*_ep0001.pth.tar")
    weights: dict[str, torch.Tensor] = load_checkpoint(last)["net"]
    return weights


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_noisy_boxes_keep_their_size_and_are_as_far_off_as_asked_for() -> None:
    videos = embedded_videos(2)
    true, off, again = (one.get_sequence_info(1)["bbox"] for one in (videos, *[NoisyBoxes(videos, 20.0)] * 2))
    assert torch.equal(off, again) and torch.equal(off[:, 2:], true[:, 2:])
    torch.testing.assert_close((off - true)[:, :2].norm(dim=1), torch.full((30,), 20.0), rtol=1e-4, atol=0)
    assert (off - true)[:, :2].mean(dim=0).abs().max() < 10, "in all directions"
    with pytest.raises(ValueError, match="noise_px"):
        NoisyBoxes(videos, -1)


def robust(frame_px: float) -> dict[str, object]:
    return {"actor": "noise_robust", "actor.noise.frame_px": frame_px}


@pytest.mark.long
def test_without_noise_the_recipe_is_box_siam_and_the_loss_is_its_only_other_difference(workspace: Path) -> None:
    box = train("siamfc/box_siam_res18")
    assert same(box, train("pul/noisy_box_res18", {"data.labels.noise_px": 0}))
    bce, believed = train("pul/noisy_box_res18"), train("pul/noisy_box_res18", robust(20))
    assert not same(box, bce) and not same(bce, believed)
    # What is believed is in pixels of the frame, so next to nothing is nothing: it learns in the same direction.
    start = train("pul/noisy_box_res18", {"optimizer.learning_rate": 1e-12})
    hardly = train("pul/noisy_box_res18", robust(1e-6))

    def direction(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        moved = [weights[name] - value for name, value in start.items() if name.endswith("weight")]
        return torch.nn.functional.normalize(torch.cat([each.double().flatten() for each in moved]), dim=0)

    assert direction(bce) @ direction(hardly) > 0.99 and direction(bce) @ direction(believed) < 0.5


@pytest.mark.parametrize("scale", [30, 1.5])
def test_a_scale_with_which_the_printed_expansion_learns_backwards_is_refused(
    workspace: Path, scale: float, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**SMALL, **robust(20), "actor.noise.expansion": "taylor", "actor.noise.scale": scale}
    assert run_training.main(["pul", "noisy_box_res18", "--device", "cpu", *as_words(settings)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "such as 1" in error and "taylor" in error


@pytest.mark.long
def test_the_noise_robust_loss_learns_from_noisy_clicks(workspace: Path) -> None:
    clicks = {**FEW_PROPOSALS, "data.labels.noise_px": 20}
    bce, believed = (train("socl/bce_siam_res18", {**clicks, **more}) for more in ({}, robust(20)))
    assert not same(bce, believed)


@pytest.mark.long
def test_siamdw_s_network_learns_without_labels_and_tracks_under_its_name(workspace: Path) -> None:
    weights = train(
        "pul/res_pul",
        {"schedule.samples_per_epoch": 2, "hooks.mine_pairs.rounds": 1, "sampler.patches.frames": 1},
    )
    assert all(torch.isfinite(value).all() for value in weights.values())
    for name in ("alex_pul", "res_pul", "noisy_box_res18"):
        assert PARAMETERS[f"siamfc/{name}"]().network == f"pul/{name}"


@pytest.mark.long
def test_the_picture_shows_each_anchor_with_its_neighbours_and_others(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("pul/alex_pul", {"hooks.mine_pairs.rounds": ()})
    export_got10k(SyntheticVideo(10, num_frames=2, size=(96, 128), seed=3), tmp_path, "train")
    words = ["show", "--dataset", "got10k_train", "--root", str(tmp_path), "--network", "pul/alex_pul"]
    words += ["--set", "per_frame=1", "--anchors", "2"]
    assert main([*words, "--out", str(tmp_path / "groups.png"), "--size", "8"]) == 0
    near, far = (float(part.split()[-1]) for part in capsys.readouterr().out.strip().rsplit(";")[-1].split(","))
    assert near > far
    assert np.asarray(cv2.imread(str(tmp_path / "groups.png"))).shape[1] > 2 * 6 * 96
    assert main([*words, "--out", str(tmp_path / "groups.html"), "--size", "8"]) == 0
    assert (tmp_path / "groups.html").read_text().count("<figcaption>anchor ") == 2
    assert main([*words, "--out", str(tmp_path / "groups.pdf")]) == 1
    assert main([*words, "--out", str(tmp_path / "groups.png"), "--size", "99"]) == 1
    assert "videos" in capsys.readouterr().err
