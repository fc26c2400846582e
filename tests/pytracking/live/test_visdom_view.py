"""The view in a browser, against visdom's own server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.admin.visdom import connect
from pytracking import run_tracker, run_video
from pytracking.analysis.drawing import TRACKED_COLOUR, TRUE_COLOUR
from pytracking.evaluation import TrackedFrame
from pytracking.live.views import PlaybackCommand, heat_map
from pytracking.live.visdom_view import FRAME, SCORE_MAP, VisdomView, environment_name, visdom_view


def frame(index: int = 0) -> TrackedFrame:
    image = np.zeros((240, 320, 3), np.uint8)
    return TrackedFrame(index, image, np.array([100.0, 80, 60, 40]), 0.01, 0.5, np.eye(9))


def panes(environment: str) -> dict[str, np.ndarray]:
    """The pictures that the server shows, RGB, by their windows."""
    client = connect(environment)
    assert client is not None
    windows = json.loads(client.get_window_data(env=environment))
    pictures = {}
    for name, window in windows.items():
        data = base64.b64decode(window["content"]["src"].split(",", 1)[1])
        pictures[name] = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return pictures


def press(environment: str, key: str) -> None:
    """Presses a key in the frame's window, as the page in a browser does."""
    websocket = pytest.importorskip("websocket")
    address = f"ws://{os.environ['VISDOM_SERVER']}:{os.environ['VISDOM_PORT']}/socket"
    page = websocket.create_connection(address, timeout=10, http_no_proxy=["127.0.0.1"])
    try:
        event = {"event_type": "KeyPress", "key": key, "target": FRAME, "eid": environment, "pane_data": False}
        page.send(json.dumps({"cmd": "forward_to_vis", "data": event}))
    finally:
        page.close()


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def near(picture: np.ndarray, x: int, y: int, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(picture[y, x].astype(int) - colour).max() < 90)


@pytest.fixture
def view(visdom_server: subprocess.Popen[bytes]) -> VisdomView:
    found = visdom_view("trial")
    assert found is not None
    return found


def test_frame_boxes_and_score_map_are_drawn(view: VisdomView) -> None:
    assert view.show(frame(), np.array([20.0, 100, 60, 40])) is PlaybackCommand.GO_ON
    pictures = panes("trial")
    assert set(pictures) == {FRAME, SCORE_MAP}
    assert pictures[FRAME].shape == (240, 320, 3)
    assert near(pictures[FRAME], 100, 100, TRACKED_COLOUR) and near(pictures[FRAME], 20, 120, TRUE_COLOUR)
    grey = pictures[SCORE_MAP].mean(axis=2)
    assert grey[5, 5] > 2 * grey[5, -5]  # the map's diagonal is bright
    view.close()


def test_keys_pause_step_and_stop(view: VisdomView) -> None:
    shown: list[PlaybackCommand] = []

    def track() -> None:
        for index in range(100):
            shown.append(view.show(frame(index)))
            if shown[-1] is PlaybackCommand.STOP:
                return

    view.keys.press(" ")  # paused from the first frame on
    tracking = threading.Thread(target=track)
    tracking.start()
    time.sleep(0.3)
    assert not shown
    press("trial", "n")
    assert within(5, lambda: len(shown) == 1)
    time.sleep(0.2)
    assert len(shown) == 1  # a step is one frame
    press("trial", "q")
    tracking.join(5)
    assert shown == [PlaybackCommand.GO_ON, PlaybackCommand.STOP]
    view.close()


def test_a_server_that_is_lost_costs_the_view_and_not_the_tracking(
    view: VisdomView, visdom_server: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    view.keys.press(" ")
    threading.Timer(0.3, visdom_server.kill).start()
    assert view.show(frame()) is PlaybackCommand.GO_ON  # a pause does not outlive the server
    assert view.show(frame(1)) is PlaybackCommand.GO_ON
    assert capsys.readouterr().err.count("the visdom server is lost") == 1


def test_run_video_and_run_tracker_draw_there(
    visdom_server: subprocess.Popen[bytes], plugin: str, video: Path, tmp_path: Path
) -> None:
    start = ["--plugin", plugin, "--debug"]
    box = ["--optional_box", "20", "30", "40", "50"]
    assert run_video.main(["drift", "plain", str(video), *box, *start, "--out", str(tmp_path / "out")]) == 0
    pictures = panes(environment_name("drift/plain", "grey"))
    assert near(pictures[FRAME], 31, 50, TRACKED_COLOUR) and SCORE_MAP in pictures  # the last frame
    assert run_tracker.main(["drift", "plain", "--sequence", "0", *start]) == 0
    assert set(panes(environment_name("synthetic"))) == {FRAME, SCORE_MAP}


def test_without_a_server_tracking_goes_on_and_says_why_nothing_is_shown(
    plugin: str, video: Path, visdom_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["drift", "plain", str(video), "--optional_box", "20", "30", "40", "50"]
    assert run_video.main([*arguments, "--debug", "--plugin", plugin, "--out", str(tmp_path / "out")]) == 0
    assert f"no visdom server at 127.0.0.1:{visdom_port}" in capsys.readouterr().err


def test_a_flat_or_partly_unknown_score_map_is_drawn() -> None:
    assert heat_map(np.zeros((3, 6)), 30).shape == (30, 60, 3)
    assert heat_map(np.array([[0.0, np.nan], [1.0, 2.0]]), 10).shape == (10, 10, 3)
