"""What a run learns from is part of what it is, and the command that goes on carries where everything lies."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from ltr.data.loader import LTRLoader
from ltr.data.sampler import TrackingSampler
from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine.resume import ResumeError, check_belongs, command_to_go_on, data_sets


def loader(*videos: int) -> LTRLoader:
    sets = [SyntheticVideo(count, num_frames=4) for count in videos]
    return LTRLoader("train", TrackingSampler(sets, samples_per_epoch=4, max_gap=3))


def test_data_sets_are_told_apart_by_name_number_and_names_of_videos() -> None:
    first, second, third = (data_sets([loader(*videos)]) for videos in ((3,), (3,), (2, 3)))
    assert first == second != third
    assert first["train"].startswith("synthetic, 3 videos (") and " and " in third["train"]


def test_a_run_on_other_videos_is_another_run() -> None:
    before = {"seed": 0, "config": {"epochs": 3}, "data": data_sets([loader(3)])}
    now = {"seed": 0, "config": {"epochs": 5}, "data": data_sets([loader(4)])}
    with pytest.raises(
        ResumeError, match=r"what 'train' learns from is synthetic, 4 videos .* was synthetic, 3 videos"
    ):
        check_belongs(Path("x_ep0001.pth.tar"), before, now)
    check_belongs(Path("x_ep0001.pth.tar"), before, {**now, "data": before["data"]})
    check_belongs(Path("x_ep0001.pth.tar"), {"seed": 0, "config": {}}, now)  # an older checkpoint does not say


def test_nested_settings_of_labels_make_another_run_and_those_of_speed_do_not() -> None:
    before = {"seed": 0, "config": {"labels": {"radius": 2}, "schedule": {"epochs": 3}}}
    check_belongs(Path("x"), before, {"seed": 0, "config": {"labels": {"radius": 2}, "schedule": {"epochs": 4}}})
    with pytest.raises(ResumeError, match="labels.radius is 3, was 2"):
        check_belongs(Path("x"), before, {"seed": 0, "config": {"labels": {"radius": 3}, "schedule": {"epochs": 3}}})


def test_the_command_that_goes_on_carries_the_paths_of_the_environment(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", "my data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run training.py"])
    words = shlex.split(command_to_go_on(["toy", "sums", "--resume", "--set", "width=3"]))
    assert f"PYTRACKING_GOT10K_DIR={tmp_path / 'my data'}" in words
    assert f"PYTRACKING_WORKSPACE_DIR={workspace}" in words and "PYTRACKING_LASOT_DIR=" in words
    assert words[-7:] == [sys.executable, "run training.py", "toy", "sums", "--set", "width=3", "--resume"]
