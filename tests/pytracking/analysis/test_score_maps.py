"""Score maps of trackers, side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pytracking.analysis import score_maps


def test_a_picture_shows_each_trackers_frame_and_map(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = workspace / "maps.png"
    base = ["--sequence", "synthetic-0000", "--out", str(out)]
    assert score_maps.main(["siamfc/untrained_res18", "eco/hog", *base, "--frame", "3"]) == 0
    picture = cv2.imread(str(out))
    assert picture is not None and picture.shape[0] == 2 * 240
    half = picture[:, : picture.shape[1] // 2]
    assert half[300:].std() > 10 and (half[300:] != picture[300:, picture.shape[1] // 2 :]).any()
    assert score_maps.main(["eco/hog", *base, "--frame", "1"]) == 1
    assert "choose one from 2" in capsys.readouterr().err


def test_a_tracker_without_a_map_is_named(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not hasattr(cv2, "TrackerKCF_create"):
        pytest.skip("this OpenCV has no KCF")
    arguments = ["opencv/kcf", "--sequence", "synthetic-0000", "--frame", "2", "--out", str(workspace / "maps.png")]
    assert score_maps.main(arguments) == 1
    assert "opencv/kcf shows no score map" in capsys.readouterr().err


def test_one_tracker_shows_the_maps_of_several_networks(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ltr.admin.checkpoint import save_checkpoint
    from ltr.models.builder import build_network

    files = [workspace / name for name in ("boxes.pth.tar", "clicks.pth.tar")]
    for seed, file in enumerate(files):
        torch.manual_seed(seed)
        net = build_network("siamfc_resnet18", output_layer="layer1")
        save_checkpoint(file, {"net": net.state_dict(), "constructor": net.constructor})
    out = workspace / "maps.png"
    base = ["--sequence", "synthetic-0000", "--frame", "2", "--out", str(out)]
    networks = ["--network", *map(str, files)]
    assert score_maps.main(["siamfc/socl_res18", *base, *networks]) == 0
    picture = cv2.imread(str(out))
    assert picture is not None
    left, right = np.hsplit(picture[280:], 2)  # the maps below their captions
    assert left.std() > 10 and (left != right).any()
    assert score_maps.main(["siamfc/socl_res18", "siamfc/pul", "eco/hog", *base, *networks]) == 1
    assert "2 networks for 3 trackers: give one for each" in capsys.readouterr().err
