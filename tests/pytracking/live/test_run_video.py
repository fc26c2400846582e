"""A video goes in, boxes and a video come out; a click is enough to start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytracking import run_video, run_webcam
from pytracking.analysis.drawing import TRACKED_COLOUR
from pytracking.evaluation import TrackedFrame
from pytracking.live.session import StartError, click_to_box, live_frames
from pytracking.live.source import VideoSource, open_video, until_interrupted
from pytracking.live.views import PlaybackCommand
from pytracking.registry import CLICK_TO_BOX
from pytracking.tracker.base import BaseTracker

Output = pytest.CaptureFixture[str]
BOX = ["--optional_box", "20", "30", "40", "50"]


def test_without_a_screen_boxes_and_a_video_are_written(plugin: str, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_video.main(["drift", "plain", str(video), *BOX, "--plugin", plugin, "--out", str(out)]) == 0
    boxes = np.loadtxt(out / "grey.txt", delimiter="\t")
    assert boxes[0].tolist() == [20, 30, 40, 50] and boxes[-1].tolist() == [31, 30, 40, 50]
    assert sorted(path.name for path in out.iterdir()) == ["grey.mp4", "grey.txt"]
    reader = cv2.VideoCapture(str(out / "grey.mp4"))
    assert reader.get(cv2.CAP_PROP_FPS) == 10
    frames = [reader.read()[1] for _ in range(12)]
    assert not reader.read()[0]
    for frame, left in ((frames[0], 20), (frames[11], 31)):
        assert np.abs(frame[55, left, ::-1].astype(int) - TRACKED_COLOUR).max() < 110


def test_one_click_starts_the_tracker_with_the_box_that_a_plugin_makes_of_it(
    plugin: str, video: Path, workspace: Path
) -> None:
    assert run_video.main(["drift", "plain", str(video), "--click", "50", "60", "--plugin", plugin]) == 0
    boxes = np.loadtxt(workspace / "tracking_results/live/drift/plain/grey.txt", delimiter="\t")
    assert boxes[0].tolist() == [40, 50, 20, 20]


def test_a_click_method_is_named_where_there_are_several(plugin: str) -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    with pytest.raises(StartError, match="no plugin brings a way"):
        click_to_box(image, (50, 50))
    for name, side in (("a", 5), ("b", 7)):
        CLICK_TO_BOX.register(name)(lambda image, click, side=side: np.array([*click, side, side]))
    with pytest.raises(StartError, match="--click-method: a, b"):
        click_to_box(image, (50, 50))
    assert click_to_box(image, (50, 50), "b").tolist() == [50, 50, 7, 7]
    with pytest.raises(StartError, match="outside the frame of 100 x 100"):
        click_to_box(image, (100, 50), "b")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.mp4", *BOX], "there is no video nowhere.mp4"),
        (["{plugin}", *BOX], "cannot be read as a video"),
        (["{video}"], "give the target as --box X Y W H, or --click X Y"),
        (["{video}", "--optional_box", "500", "0", "9", "9"], "outside the 160 x 120 frame"),
        (["{video}", "--click", "500", "0"], "outside the frame of 160 x 120"),
        (["{video}", "--click", "5", "5", "--click_method", "sqare"], "Did you mean 'square'"),
        (["{video}", *BOX, "--set", "devise=cpu"], "Did you mean 'device'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    plugin: str,
    video: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    out = tmp_path / "out"
    named = [argument.format(plugin=plugin, video=video) for argument in arguments]
    assert run_video.main(["drift", "plain", *named, "--plugin", plugin, "--out", str(out)]) == 1
    error = capfd.readouterr().err
    assert message in error and "error: " in error and "Traceback" not in error
    assert not out.exists() or not list(out.iterdir())


def test_a_video_file_stands_for_a_camera_and_a_missing_camera_is_told(
    plugin: str, video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    base = ["drift", "plain", *BOX, "--plugin", plugin, "--out", str(tmp_path / "out")]
    assert run_webcam.main([*base, "--camera", str(video)]) == 0
    assert len((tmp_path / "out" / "grey.txt").read_text().splitlines()) == 12
    assert run_webcam.main([*base, "--camera", "97"]) == 1
    assert "there is no camera 97" in capfd.readouterr().err
    assert run_webcam.main(["drift", "plane", *base[2:], "--camera", "97"]) == 1
    error = capfd.readouterr().err
    assert "Did you mean" in error and "camera" not in error, "a wrong name is told before a camera is looked for"


def test_ctrl_c_ends_a_camera_in_good_order() -> None:
    def images() -> Iterator[np.ndarray]:
        for number in range(5):
            if number == 3:
                os.kill(os.getpid(), signal.SIGINT)
            yield np.full((2, 2, 3), number, np.uint8)

    usual = signal.getsignal(signal.SIGINT)
    assert [int(image[0, 0, 0]) for image in until_interrupted(images())] == [0, 1, 2]
    assert signal.getsignal(signal.SIGINT) == usual


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_tracked_of_a_video(
    plugin: str, video: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    usual = VideoSource.frames

    def frames(self: VideoSource) -> Iterator[np.ndarray]:
        for index, image in enumerate(usual(self)):
            if index == 5:
                os.kill(os.getpid(), number)
            yield image

    monkeypatch.setattr(VideoSource, "frames", frames)
    out = tmp_path / "out"
    assert run_video.main(["drift", "plain", str(video), *BOX, "--plugin", plugin, "--out", str(out)]) == 130
    assert len((out / "grey.txt").read_text().splitlines()) == 5
    reader = cv2.VideoCapture(str(out / "grey.mp4"))
    assert [reader.read()[0] for _ in range(6)] == [True] * 5 + [False]
    captured = capsys.readouterr()
    assert "interrupted: the 5 frames that were tracked are kept" in captured.err and "5/12" in captured.err


def test_a_file_that_is_cut_off_is_noticed(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = open_video(video)
    longer = VideoSource(source.name, source.rate, 40, source.where, source.capture)
    assert len(list(longer.frames())) == 12
    assert "says it has 40 frames, but 12 could be read" in capsys.readouterr().err


class Scripted:
    """A view that asks for something in given frames."""

    def __init__(self, commands: dict[int, PlaybackCommand]) -> None:
        self.commands = commands
        self.seen: list[int] = []

    def show(self, frame: TrackedFrame, true_box: np.ndarray | None = None) -> PlaybackCommand:
        self.seen.append(frame.index)
        return self.commands.get(frame.index, PlaybackCommand.GO_ON)

    def close(self) -> None:
        pass


class Still(BaseTracker):
    uses_torch = False

    def __init__(self) -> None:
        pass

    def initialize(self, image: np.ndarray, info: object) -> dict[str, object]:
        self.box = info["init_bbox"]  # type: ignore[index]
        return {}

    def track(self, image: np.ndarray, info: object = None) -> dict[str, object]:
        return {"target_bbox": self.box}


def test_a_view_can_choose_a_new_box_and_stop() -> None:
    view = Scripted({2: PlaybackCommand.RESTART, 5: PlaybackCommand.STOP})
    images = iter([np.full((20, 20, 3), number, np.uint8) for number in range(9)])
    chosen = []

    def new_box(image: np.ndarray) -> np.ndarray:
        chosen.append(int(image[0, 0, 0]))
        return np.array([5.0, 5, 3, 3])

    frames = list(live_frames(Still, images, lambda image: np.array([1.0, 1, 2, 2]), [view], new_box))
    assert view.seen == [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [frame.box[0] for frame in frames] == [1, 1, 1, 5, 5, 5]
    assert chosen == [3] and [int(frame.image[0, 0, 0]) for frame in frames] == list(range(6))


@pytest.mark.parametrize("command", [run_video, run_webcam])
def test_help_shows_examples(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command.main(["--help"])  # type: ignore[attr-defined]
    out = capsys.readouterr().out
    assert stop.value.code == 0 and "--click" in out and "examples:" in out
