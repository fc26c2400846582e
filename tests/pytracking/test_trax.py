"""The official toolkit drives our trackers through TraX."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytracking import run_vot

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGIN = '''
"""A tracker that stays where it is put, and talks while it does."""
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@TRACKERS.register("still")
class Still(BaseTracker):
    """Stays."""
    def initialize(self, image, info):
        print("started on", image.shape)
        self.box = info["init_bbox"]

    def track(self, image, info=None):
        print("still there")
        return {"target_bbox": self.box, "score": 0.5}

@PARAMETERS.register("still/here")
def here():
    """Nothing to set."""
    return TrackerParams()
'''


def test_without_the_package_the_error_says_what_to_install(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trax", None)
    assert run_vot.main(["siamfc", "untrained_res18"]) == 1
    assert "pip install 'pytracking-socl[vot]'" in capsys.readouterr().err


def test_without_a_client_the_error_is_one_message() -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    command = [sys.executable, str(Path(run_vot.__file__)), "siamfc", "untrained_res18"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "error: no TraX client" in done.stderr and "--dataset" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_real_toolkit_drives_a_tracker_over_its_own_sequence(workspace: Path, tmp_path: Path) -> None:
    # Most of its time goes into starting the toolkit, which compiles, and then the tracker's process.
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    pytest.importorskip("vot", reason="the package vot-toolkit is not installed")
    (tmp_path / "still.py").write_text(PLUGIN)
    command = f"{sys.executable} {REPOSITORY / 'pytracking' / 'run_vot.py'} still here --plugin {tmp_path / 'still.py'}"
    (tmp_path / "trackers.ini").write_text(f"[ours]\nlabel = Ours\nprotocol = trax\ncommand = {command}\n")
    done = subprocess.run(
        [sys.executable, "-m", "vot", "--registry", str(tmp_path / "trackers.ini"), "test", "ours"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test concluded" in done.stderr
    states = [line for line in done.stdout.splitlines() if line.startswith("@@TRAX:state")]
    assert len(states) == 50  # one for each frame; what the tracker prints is not between them
    assert all("confidence=0.5" in state for state in states[1:])
    assert len({state.split('"')[1] for state in states}) == 1
