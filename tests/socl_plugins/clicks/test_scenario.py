"""The whole way as a user goes it: mp4 files, the four commands, somebody who clicks through the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
FEW = ("schedule.epochs=1", "schedule.samples_per_epoch=4", "schedule.batch_size=4", "runtime.num_workers=0")


def test_from_mp4_files_to_a_tracker_with_clicks_and_nothing_else(tmp_path: Path) -> None:
    for package in ("av", "uvicorn", "psutil"):
        pytest.importorskip(package)
    words = ["--out", str(tmp_path / "all"), "--videos", "3", "--clicks", "4", "--more", "12"]
    for value in (*FEW, "data.labels.prepare_frames=0"):
        words += ["--set", value]
    command = [sys.executable, str(REPOSITORY / "benchmarks/twenty_videos.py"), *words]
    environment = {**os.environ, "PYTRACKING_NETWORK_DIR": str(tmp_path / "networks")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert "3 new; 2 videos to learn from, 1 to score" in done.stdout
    assert re.search(r"12 clicks: median [\d.]+ ms", done.stdout)
    assert re.search(r"held-out click precision: 0\.\d+ -> 0\.\d+", done.stdout.splitlines()[-1])
    clips = tmp_path / "all" / "clips"
    assert sum(len(path.read_text().splitlines()) for path in clips.rglob("clicks.jsonl")) == 12
    assert not list(clips.rglob("groundtruth.txt"))  # no box is read: there is none
    tracked = tmp_path / "all" / "tracked"
    assert len(list(tracked.glob("*.mp4"))) == 3 and len(list((tracked / "cvat").glob("*.xml"))) == 3
