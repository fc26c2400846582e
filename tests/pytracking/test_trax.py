"""Our trackers behind TraX; the official toolkit itself drives them in ``test_vot_toolkit.py``."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytracking import run_vot

REPOSITORY = Path(__file__).resolve().parents[2]
STILL = '''
"""A tracker that stays where it is put, and talks while it does."""
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@TRACKERS.register("still")
class Still(BaseTracker):
    """Stays."""
    uses_torch = False

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


@pytest.mark.long
def test_without_a_client_the_error_says_what_to_do(workspace: Path) -> None:
    pytest.importorskip("trax")
    command = [sys.executable, str(REPOSITORY / "pytracking/run_vot.py"), "siamfc", "untrained_res18"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and done.stderr.startswith("error: no TraX client speaks to this tracker")


def started(tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    (tmp_path / "still.py").write_text(STILL)
    cv2.imwrite(str(tmp_path / "frame.png"), np.full((48, 64, 3), 9, np.uint8))
    words = [
        str(REPOSITORY / "pytracking" / "run_vot.py"),
        "still",
        "here",
        "--plugin",
        str(tmp_path / "still.py"),
        *more,
    ]
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=limit_memory)


def limit_memory() -> None:
    """Keeps a process that goes wild from taking the machine's memory."""
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))


@pytest.mark.long
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


@pytest.mark.long
def test_several_objects_are_tracked_and_masks_and_polygons_come_as_their_boxes(
    workspace: Path, tmp_path: Path
) -> None:
    trax = pytest.importorskip("trax", reason="the package vot-trax is not installed")
    from trax.client import Client

    tracker = started(tmp_path)
    assert tracker.stdin is not None and tracker.stdout is not None
    client = Client((tracker.stdin.fileno(), tracker.stdout.fileno()), log=str(tmp_path / "log"))
    assert client.get("multiobject")
    image = {"color": trax.FileImage.create(str(tmp_path / "frame.png"))}
    box = (trax.Rectangle.create(10, 12, 14, 16), {})
    mask = np.zeros((20, 30), np.uint8)
    mask[5:9, 7:13] = 1
    polygon = (trax.Polygon.create([(1, 1), (10, 2), (8, 9)]), {})
    states = [client.initialize(image, [box, (trax.Mask.create(mask), {})], {})]
    states += [client.frame(image, {}, [polygon]), client.frame(image, {}, [])]
    boxes = [[region.bounds() for region, _ in state[0]] for state in states]
    two = [(10, 12, 14, 16), (7, 5, 6, 4)]
    assert boxes == [two, [*two, (1, 1, 9, 8)], [*two, (1, 1, 9, 8)]]
    assert [client.initialize(image, [box], {})[0][0][0].bounds()] == two[:1], "a new start forgets what was before"
    client.quit()
    assert tracker.wait(timeout=60) == 0


@pytest.mark.long
def test_a_client_that_knows_one_object_only_is_told_of_one(workspace: Path, tmp_path: Path) -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    said, _ = started(tmp_path, "--single-object").communicate(b"@@TRAX:quit\n", timeout=60)
    assert b"@@TRAX:hello" in said and b"multiobject" not in said


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        (b"@@TRAX:initialize", 1, "keeps to the protocol"),  # the client has gone in the middle of a line
        (b'@@TRAX:frame "file:///nowhere.png"\n', 1, "/nowhere.png"),
        (b"@@TRAX:initialize\n", 1, "keeps to the protocol"),  # the library would fail at this, and at the next
        (b'@@TRAX:initialize "" "x"\n', 1, "keeps to the protocol"),
        (b'@@TRAX:initialize \n@@TRAX:frame "file:///nowhere.png"\n', 1, "keeps to the protocol"),
        (b'@@TRAX:initialize "m7,5,6,4,0,24" \n', 1, "handed over a mask, and this tracker takes boxes"),
        (b"@@TRAX:quit\n", 0, ""),
    ],
)
@pytest.mark.long
def test_a_client_that_says_nonsense_ends_the_tracker_with_one_message(
    workspace: Path, tmp_path: Path, said: bytes, status: int, told: str
) -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    _, errors = started(tmp_path).communicate(said, timeout=60)
    tracker_status = 1 if b"error: " in errors else 0
    assert tracker_status == status and told in errors.decode() and b"Traceback" not in errors
