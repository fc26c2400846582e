"""Every command of the README is run as it is written, in order, on data so small that its schedules are short."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ltr.dataset import SyntheticVideo, export_got10k
from ltr.dataset.text import read_lines
from tests.conftest import REPOSITORY, load_module

README = (REPOSITORY / "README.md").read_text("utf-8")
BASH = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
INSTALL = "bash install.sh && "


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def environment(workspace: Path, tmp_path: Path) -> dict[str, str]:
    """A machine with two videos to learn from and one to score with; scripts are found as from the checkout."""
    export_got10k(SyntheticVideo(2, num_frames=12, size=(96, 128), seed=1), tmp_path / "data", "train")
    export_got10k(SyntheticVideo(1, num_frames=12, size=(96, 128), seed=2), tmp_path / "data", "val")
    for package in ("ltr", "pytracking"):
        (tmp_path / package).symlink_to(REPOSITORY / package)
    return {
        **os.environ,
        "PYTRACKING_GOT10K_DIR": str(tmp_path / "data"),
        "PYTRACKING_GOT10K_VAL_DIR": str(tmp_path / "data" / "val"),
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
    }


def run(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_run(line: str) -> list[str]:
    """The words of a command, with this interpreter for the one that install.sh makes."""
    python = {".venv/bin/python": [sys.executable], ".venv/bin/socl": [sys.executable, "-m", "socl_plugins.command"]}
    words = line.removeprefix(INSTALL).split()
    return [*python[words[0]], *words[1:]]


def test_the_readme_has_these_commands_and_fits_a_screen_or_two() -> None:
    first, second, *own = BASH
    assert first.startswith(INSTALL) and second == f"{INSTALL}.venv/bin/python -m pytest -n auto"  # what runs this
    assert [line.split()[:2] for line in own] == [
        [".venv/bin/socl", name] for name in ("prepare", "annotate", "train", "track")
    ]
    assert len(README.splitlines()) < 100


@pytest.mark.long
def test_what_the_readme_trains_then_says_in_python(environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("av")
    twenty = load_module(REPOSITORY / "benchmarks" / "twenty_videos.py")
    said = run(as_run(BASH[0]), tmp_path, environment)
    assert re.search(r"^held-out AUC: 0\.\d+ -> 0\.\d+", said.splitlines()[-1])
    twenty.write_videos(twenty.chosen_videos([], 1), tmp_path / "film")
    (tmp_path / "film" / "film 00.mp4").rename(tmp_path / "VIDEO.mp4")
    (code,) = blocks("python")
    for written, small in {"(105, 170)": "(60, 60)", '"synthetic"': '"data/val"'}.items():
        assert written in code
        code = code.replace(written, small)
    said = run([sys.executable, "-c", code], tmp_path, environment)
    assert "one-pass evaluation" in said and "[[" in said


@pytest.mark.long
def test_the_four_commands_for_own_videos(environment: dict[str, str], tmp_path: Path) -> None:
    for package in ("av", "uvicorn", "psutil"):
        pytest.importorskip(package)
    twenty = load_module(REPOSITORY / "benchmarks" / "twenty_videos.py")
    boxes = twenty.write_videos(twenty.chosen_videos([], 3), tmp_path / "videos")
    prepare, annotate, train, track = BASH[2:]
    assert "3 new" in run(as_run(prepare.replace("VIDEOS...", "videos")), tmp_path, environment)
    assert annotate.split()[1:] == ["annotate", "clips"]
    page = twenty.Page(tmp_path / "clips", environment)  # which runs it on a free port
    twenty.click_videos(page, boxes, 4, "one", np.random.default_rng(0))
    page.close()
    clips = tmp_path / "clips"
    assert sum(len(read_lines(path)) for path in clips.rglob("clicks.jsonl")) == 12
    assert not list(clips.rglob("groundtruth.txt")), "no box is read: there is none"
    said = run(as_run(train), tmp_path, environment)
    assert re.search(r"held-out click precision: 0\.\d+ -> 0\.\d+", said)
    said = run(as_run(track), tmp_path, environment)
    assert len(list(tmp_path.rglob("cvat/*.xml"))) == 3 and len(list(tmp_path.rglob("film*.mp4"))) >= 6
