"""The official toolkit drives our trackers through TraX."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
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


def test_without_a_client_the_error_says_what_to_do(workspace: Path) -> None:
    pytest.importorskip("trax")
    command = [sys.executable, str(REPOSITORY / "pytracking/run_vot.py"), "siamfc", "untrained_res18"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stderr.startswith("error: no TraX client speaks to this tracker")


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


def started(tmp_path: Path) -> subprocess.Popen[bytes]:
    (tmp_path / "still.py").write_text(PLUGIN)
    cv2.imwrite(str(tmp_path / "frame.png"), np.full((48, 64, 3), 9, np.uint8))
    words = [str(REPOSITORY / "pytracking" / "run_vot.py"), "still", "here", "--plugin", str(tmp_path / "still.py")]
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=limit_memory)


def limit_memory() -> None:
    """Keeps a process that goes wild from taking the machine's memory."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


def test_a_client_gets_a_box_for_every_frame_and_the_tracker_ends_with_it(workspace: Path, tmp_path: Path) -> None:
    trax = pytest.importorskip("trax", reason="the package vot-trax is not installed")
    from trax.client import Client

    tracker = started(tmp_path)
    assert tracker.stdin is not None and tracker.stdout is not None
    client = Client((tracker.stdin.fileno(), tracker.stdout.fileno()), log=str(tmp_path / "log"))
    image = {"color": trax.FileImage.create(str(tmp_path / "frame.png"))}
    states = [client.initialize(image, [(trax.Rectangle.create(10, 12, 14, 16), {})], {})]
    states += [client.frame(image, {}, []) for _ in range(3)]
    assert [state[0][0][0].bounds() for state in states] == [(10, 12, 14, 16)] * 4
    client.quit()
    assert tracker.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        (b"@@TRAX:initialize", 1, "keeps to the protocol"),  # the client has gone in the middle of a line
        (b'@@TRAX:frame "file:///nowhere.png"\n', 1, "/nowhere.png"),
        (b"@@TRAX:initialize\n", 1, "keeps to the protocol"),  # the library would fail at this, and at the next
        (b'@@TRAX:initialize "" "x"\n', 1, "keeps to the protocol"),
        (b"@@TRAX:quit\n", 0, ""),
    ],
)
def test_a_client_that_says_nonsense_ends_the_tracker_with_one_message(
    workspace: Path, tmp_path: Path, said: bytes, status: int, told: str
) -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    _, errors = started(tmp_path).communicate(said, timeout=60)
    tracker_status = 1 if b"error: " in errors else 0
    assert tracker_status == status and told in errors.decode() and b"Traceback" not in errors
