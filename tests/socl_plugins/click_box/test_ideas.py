"""The command that measures ideas for the box of a click, and the one idea that is in it alone: motion."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import click_ideas
from benchmarks.click_motion import contrast, motion_map, moving_with
from ltr.models.backbone.resnet import resnet18
from ltr.registry import load_plugins
from socl_plugins.click_box.network import FILE_NAME, ClickBoxNet, save

CLICK = (140.0, 95.0)
SIZE = np.array([40.0, 70])


def texture(seed: int, height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), np.empty(0), 0, 255, cv2.NORM_MINMAX)


def moving_target(speed: int) -> list[np.ndarray]:
    """Frames of a target with the background's texture, from a camera that pans a pixel a frame to the right."""
    background, target = texture(0, 200, 300), texture(1, 70, 40)
    shown = []
    for number in range(9):
        frame = background[:, number : number + 260].copy()
        frame[60:130, 120 + speed * number : 160 + speed * number] = target
        shown.append(frame)
    return shown


def boxes_around(scales: list[float]) -> np.ndarray:
    sizes = np.array(scales)[:, None] * SIZE
    return np.hstack([CLICK - sizes / 2, sizes])


def test_what_moves_as_the_click_does_is_told_from_the_background() -> None:
    frames = moving_target(2)
    found = motion_map(frames[0], frames[1:5], CLICK)
    inside = np.zeros(found.shape, bool)
    inside[64:126, 124:156] = True
    outside = np.ones(found.shape, bool)
    outside[45:145, 105:175] = False
    assert found.shape == (200, 260) and found.min() >= 0 and found.max() <= 1
    assert np.median(found[inside]) > 0.9 and np.median(found[outside]) < 0.2
    said = moving_with(frames[0], frames[1:5], CLICK, boxes_around([0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.2]))
    assert np.argmax(said) == 3


def test_a_target_that_stands_still_in_the_scene_and_frames_of_another_size_say_nothing() -> None:
    frames = moving_target(-1)  # as the background goes
    boxes = boxes_around([0.5, 1.0, 2.0])
    assert np.abs(moving_with(frames[0], frames[1:5], CLICK, boxes)).max() < 0.5
    assert np.abs(moving_with(frames[0], [frames[1][:50, :60]], CLICK, boxes)).max() == pytest.approx(0, abs=1e-9)


def test_contrast_is_the_mean_inside_less_that_around() -> None:
    values = np.random.default_rng(0).random((30, 40))
    inner, outer = values[10:20, 10:30].sum(), values[8:22, 7:33].sum()
    outer -= (values[8, 7:33].sum() + values[21, 7:33].sum()) / 2  # 3 pixels beside it, 1.5 above and below
    assert contrast(values, np.array([[10.0, 10, 20, 10]]))[0] == pytest.approx(
        inner / 200 - (outer - inner) / (26 * 13 - 200)
    )


def test_the_interval_of_differences_holds_their_mean_and_shrinks_with_more_videos() -> None:
    few, many = (np.random.default_rng(1).normal(0.1, 0.1, count) for count in (10, 1000))
    widths = []
    for differences in (few, many):
        mean, low, high = click_ideas.interval(differences)
        assert mean == pytest.approx(differences.mean()) and low < mean < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(4 * 0.1 / 1000**0.5, rel=0.15) and widths[0] > 5 * widths[1]


@pytest.mark.long
def test_the_command_compares_each_idea_on_the_same_clicks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_plugins(["socl_plugins.plugin"])
    monkeypatch.setenv("PYTRACKING_NETWORK_DIR", str(tmp_path))
    torch.manual_seed(0)
    torch.save(resnet18("layer3", 16).state_dict(), tmp_path / "resnet18_imagenet.pth")
    save(ClickBoxNet(), tmp_path / FILE_NAME, "nothing")
    monkeypatch.setattr(sys, "argv", ["click_ideas.py", "synthetic", "--limit", "1", "--off", "1"])
    assert click_ideas.main() == 0
    table, differences = capsys.readouterr().out.split("\n\n")
    rows = {row[:26].strip(): [float(value) for value in row[26:].split()] for row in table.splitlines()[1:]}
    assert list(rows) == [*click_ideas.IDEAS, "two clicks"]
    assert all(0 <= values[0] <= 1 for values in rows.values())
    assert max(values[0] for name, values in rows.items() if "proposal" in name) == rows["best of 300 proposals"][0]
    assert re.search(r"^proposal +\+0\.000 \[\+0\.000, \+0\.000\]", differences, re.MULTILINE)
