"""Several targets through videos, by the commands that people run: tracks, an MP4 and exports come out."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import cv2
import numpy as np
import pytest

import pytracking
from ltr.dataset import video_sources
from ltr.dataset.video_sources import Source, SourceError
from pytracking import run_video
from pytracking.analysis.encode import h264_encoder
from pytracking.analysis.render import write_video
from pytracking.live.session import StartError
from pytracking.live.targets import Target
from socl_plugins import command

Output = pytest.CaptureFixture[str]
THREE = ["--click", "30", "30", "cat", "--click", "80", "60", "--box", "100", "20", "20", "20", "dog"]


def rows(file: Path) -> dict[str, dict[int, list[float]]]:
    """The boxes of a flat CSV file, by target and frame."""
    found: dict[str, dict[int, list[float]]] = {}
    with file.open(newline="") as opened:
        for row in csv.DictReader(opened):
            found.setdefault(row["target"], {})[int(row["frame"])] = [float(row[key]) for key in "xywh"]
    return found


def track(plugin: str, *words: object) -> int:
    return run_video.main(["drift", "plain", *map(str, words), "--plugin", plugin])


def test_three_targets_one_command(plugin: str, video: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out"
    assert track(plugin, video, *THREE, "--export", "cvat", "--export", "csv", "--out", out) == 0
    boxes = rows(out / "csv" / "grey.csv")
    assert {name: (len(each), each[0], each[11][0]) for name, each in boxes.items()} == {
        "dog": (12, [100, 20, 20, 20], 111),
        "cat": (12, [20, 20, 20, 20], 31),
        "1": (12, [70, 50, 20, 20], 81),
    }
    tracks = ElementTree.parse(out / "cvat" / "grey.xml").getroot().findall("track")
    assert [(each.get("label"), len(each.findall("box"))) for each in tracks] == [("dog", 12), ("cat", 12), ("1", 12)]
    with av.open(str(out / "grey.mp4")) as made:
        stream = made.streams.video[0]
        assert stream.codec_context.name == ("h264" if h264_encoder() else "mpeg4")
        assert sum(1 for _ in made.decode(stream)) == 12 and (stream.width, stream.height) == (160, 120)
    assert "12/12" in capsys.readouterr().err and not list(out.glob("*.txt"))


def test_socl_track_does_the_same_with_a_plain_video(plugin: str, video: Path, tmp_path: Path) -> None:
    words = ["track", str(video), "--tracker", "drift/plain", *THREE, "--plugin", plugin]
    assert command.main([*words, "--out", str(tmp_path / "out"), "--render"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["grey.csv", "grey.mp4"]
    assert set(rows(tmp_path / "out" / "grey.csv")) == {"cat", "dog", "1"}


@pytest.mark.parametrize(
    ("words", "frames", "left"),
    [(["--backwards"], range(6), 35), (["--both"], range(12), 35), ([], range(5, 12), 30)],
)
def test_a_target_is_tracked_from_its_frame_in_either_direction(
    plugin: str, video: Path, tmp_path: Path, words: list[str], frames: range, left: float
) -> None:
    out = tmp_path / "out"
    arguments = ["--box", 30, 30, 20, 20, "--start", 5, *words, "--export", "csv", "--out", out]
    assert track(plugin, video, *arguments) == 0
    boxes = rows(out / "csv" / "grey.csv")["1"]
    assert sorted(boxes) == list(frames) and boxes[5][0] == 30 and boxes[frames[0]][0] == left
    if frames[-1] == 11:
        assert boxes[11][0] == 36
    reader = cv2.VideoCapture(str(out / "grey.mp4"))
    assert sum(1 for _ in iter(reader.grab, False)) == len(frames)
    assert (out / "grey.txt").exists() == (frames[0] == 0)  # x, y, w, h a line counts from the first frame


def test_targets_begin_in_frames_of_their_own_and_one_missing_video_is_told(
    plugin: str, video: Path, tmp_path: Path, capsys: Output
) -> None:
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("frame,x,y,target\n0,40,40,a\n8,60,60,b\n")
    assert track(plugin, video, "--clicks", clicks, "--out", tmp_path / "out") == 0
    boxes = rows(tmp_path / "out" / "grey.csv")
    assert {name: (min(each), max(each)) for name, each in boxes.items()} == {"a": (0, 11), "b": (8, 11)}
    clicks.write_text("frame,x,y,target,video\n0,40,40,a,gray\n")
    assert track(plugin, video, "--clicks", clicks, "--out", tmp_path / "none") == 1
    assert "'gray', which is not among those given. Did you mean 'grey" in capsys.readouterr().err


def test_files_folders_and_globs(plugin: str, video: Path, tmp_path: Path, capsys: Output) -> None:
    for folder, count in (("one/img", 3), ("two", 4)):
        (tmp_path / "frames" / folder).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(tmp_path / "frames" / folder / f"{number:04d}.png"), np.full((60, 90, 3), 50, np.uint8))
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "grey.mp4").write_bytes(video.read_bytes())
    (tmp_path / "film" / "broken.mp4").write_bytes(b"no video")
    given = [video, tmp_path / "frames", f"{tmp_path}/film/*.mp4"]
    assert track(plugin, *given, "--click", 20, 20, "--export", "coco-video", "--out", tmp_path / "out") == 1
    assert "left out: " in capsys.readouterr().err
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {"coco-video", *(f"{n}.{e}" for n in ("grey", "grey_2", "one", "two") for e in ("mp4", "txt"))}
    content = json.loads((tmp_path / "out" / "coco-video" / "coco-video.json").read_text())
    assert [each["name"] for each in content["videos"]] == ["grey", "one", "two", "grey_2"]
    assert len(content["annotations"]) == 12 + 3 + 4 + 12


def test_what_was_tracked_is_kept_where_a_frame_cannot_be_read_or_a_target_never_begins(
    plugin: str, video: Path, tmp_path: Path, capsys: Output
) -> None:
    frames = tmp_path / "walk"
    frames.mkdir()
    for number in range(8):
        cv2.imwrite(str(frames / f"{number:04d}.png"), np.full((60, 90, 3), 50, np.uint8))
    damaged = frames / "0005.png"
    damaged.write_bytes(damaged.read_bytes()[:40])
    out = tmp_path / "out"
    assert track(plugin, frames, "--click", 20, 20, "--out", out) == 1
    error = capsys.readouterr().err
    assert "0005.png" in error and "the 5 frames that were tracked until then are kept" in error
    assert len(np.loadtxt(out / "walk.txt")) == 5 and (out / "walk.mp4").is_file()
    assert track(plugin, frames, "--click", 20, 20, "cat", "--click", 60, 30, "--out", out) == 1
    error = capsys.readouterr().err
    assert "0005.png" in error and "what was tracked until then is kept" in error
    assert sorted(rows(out / "walk.csv")["cat"]) == [0, 1, 2, 3, 4]
    clicks = tmp_path / "clicks.csv"
    clicks.write_text("frame,x,y,target\n0,40,40,a\n99,60,60,b\n")
    assert track(plugin, video, "--clicks", clicks, "--out", out) == 1
    assert "target 'b' begins in frame 99" in capsys.readouterr().err
    assert len(np.loadtxt(out / "grey.txt")) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("words", "method", "frames"), [([], "numbered", range(4)), (["--both"], "backwards", range(2, 6))]
)
def test_an_interrupt_keeps_what_was_tracked(
    plugin: str,
    video: Path,
    tmp_path: Path,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    words: list[str],
    method: str,
    frames: range,
) -> None:
    usual = getattr(Source, method)

    def interrupted(self: Source, start: int) -> Iterator[tuple[int, np.ndarray]]:
        for count, pair in enumerate(usual(self, start)):
            if count == 4:
                os.kill(os.getpid(), number)
            yield pair

    monkeypatch.setattr(Source, method, interrupted)
    start = ["--start", 5] if words else []
    out = tmp_path / "out"
    arguments = [*start, *words, "--click", 30, 30, "a", "--click", 60, 60, "b", "--export", "mot", "--out", out]
    assert track(plugin, video, *arguments) == 130
    assert {name: sorted(each) for name, each in rows(out / "grey.csv").items()} == dict.fromkeys("ab", list(frames))
    assert len((out / "mot" / "grey.txt").read_text().splitlines()) == 2 * len(frames)
    reader = cv2.VideoCapture(str(out / "grey.mp4"))
    assert sum(1 for _ in iter(reader.grab, False)) == len(frames)
    assert "interrupted: what was tracked until then is kept" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--click", "9", "9", "a", "--click", "5", "5", "a"], "2 targets are named 'a'"),
        (["--click", "9", "9", "--start", "11"], "begins in frame 11, the last one of"),
        (["--click", "9", "9", "--start", "12"], "has no frame 12: it has 12 frames, from 0 to 11"),
        (["--click", "9", "9", "--start", "50", "--backwards"], "has no frame 50: it has 12 frames"),
        (["--click", "9", "9", "--start", "0", "--backwards"], "nothing is left to track backwards"),
        (["--click", "500", "9", "a", "--click", "5", "5"], "target 'a', frame 0: the click 500, 9 is outside"),
        (["--click", "9", "9", "--click", "5", "5", "--export", "boxes"], "the format boxes holds one target"),
        (["--click", "9", "9", "--start", "3", "--export", "boxes"], "not every frame from the first on was"),
        (["--start", "3"], "--start is the frame of --click and --box"),
        (["--export", "csv"], "no target is given"),
        (["--clicks", "nowhere.csv"], "there is no file nowhere.csv"),
    ],
)
@pytest.mark.parametrize("how", ["file", "folder"])
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    plugin: str, video: Path, tmp_path: Path, capsys: Output, words: list[str], message: str, how: str
) -> None:
    if how == "folder":
        message = message.replace("has no frame 12: it", "begins in frame 12, but .*").replace(
            "has no frame 50: it", ".*"
        )
        images = cv2.VideoCapture(str(video))
        folder = tmp_path / "frames"
        folder.mkdir()
        for number in range(12):
            cv2.imwrite(str(folder / f"{number:03d}.jpg"), images.read()[1])
        video = folder
    assert track(plugin, video, *words, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert re.search(message.replace("(", r"\("), error) and "error: " in error and "Traceback" not in error
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--click", "9"], "expected X Y NAME (the name may be left out), not 9"),
        (["--box", "9", "9", "nine", "9"], "expected a number, not 'nine'"),
        (["--click", "9", "9", "--export", "cvt"], "invalid choice: 'cvt'"),
    ],
)
def test_wrong_usage(plugin: str, video: Path, words: list[str], message: str, capsys: Output) -> None:
    with pytest.raises(SystemExit):
        track(plugin, video, *words)
    assert message in capsys.readouterr().err


def test_a_video_that_is_swallowed_as_a_name_is_told(plugin: str, video: Path, capsys: Output) -> None:
    with pytest.raises(SystemExit):
        track(plugin, "--click", 9, 9, video)
    assert "no VIDEO is named; it stands before --click" in capsys.readouterr().err


def test_socl_track_tells_clips_and_videos_apart(video: Path, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "clips.json").write_text("{}")
    for words, message in (
        ([tmp_path / "clips", "--click", 1, 2], "is a folder of clips"),
        ([video, "--click", 1, 2, "--jobs", 2], "--jobs is for folders of clips"),
        ([], "name a folder of clips or a video"),
    ):
        with pytest.raises(SystemExit):
            command.main(["track", *map(str, words)])
        assert message in capsys.readouterr().err
    assert command.main(["track", str(video)]) == 1
    assert "no target is given" in capsys.readouterr().err


@pytest.fixture
def numbered_video(tmp_path: Path) -> Path:
    """A video whose frames refer to later ones, each as bright as its number says."""
    path = tmp_path / "numbered.mp4"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.options = {"bf": "2", "g": "10"}
        for number in range(47):
            frame = np.full((64, 64, 3), 5 * number, np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        made.mux(stream.encode())
    return path


def test_a_video_read_backwards_has_the_frames_that_it_has_forwards(
    numbered_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_sources, "BLOCK_BYTES", 1)
    source = Source(numbered_video)
    forwards = dict(source.numbered())
    backwards = list(source.backwards(40))
    assert [number for number, _ in backwards] == list(range(40, -1, -1))
    assert all(np.array_equal(image, forwards[number]) for number, image in backwards)
    assert [number for number, _ in source.numbered(44)] == [44, 45, 46]
    with pytest.raises(SourceError, match="has no frame 47: it has 47 frames, from 0 to 46"):
        list(source.backwards(47))


def test_the_python_api_tracks_several_targets(plugin: str, video: Path) -> None:
    how = {"plugins": [plugin]}
    found = pytracking.track(video, "drift/plain", clicks={"cat": (40, 40)}, boxes=[(9, 9, 5, 5)], start=4, **how)  # type: ignore[arg-type]
    assert {name: (each.first, len(each), each.boxes[-1, 0]) for name, each in found.items()} == {
        "1": (4, 8, 16),
        "cat": (4, 8, 37),
    }
    frames = [np.zeros((50, 50, 3), np.uint8)] * 6
    boxes = [Target("late", box=(9, 9, 5, 5), frame=3), (1, 1, 5, 5)]
    both = pytracking.track(frames, "drift/plain", boxes=boxes, direction="both", **how)  # type: ignore[arg-type]
    assert both["late"].boxes[:, 0].tolist() == [12, 11, 10, 9, 10, 11] and len(both["1"]) == 6
    single = pytracking.track(video, "drift/plain", box=(9, 9, 5, 5), **how)  # type: ignore[arg-type]
    assert single.first == 0 and single.boxes[-1, 0] == 20
    for wrong, message in (
        ({"boxes": [(1, 1, 2, 2)], "box": (1, 1, 2, 2)}, "not both"),
        ({"box": (1, 1, 2, 2), "start": 3}, "start and direction are for boxes= and clicks="),
        ({"clicks": [(1, 2, 3)]}, "must be x, y"),
        ({"boxes": [(1, 1, 2, 2)], "direction": "back"}, "Did you mean 'backwards'"),
        ({"boxes": [(1, 1, 2, 2)], "start": 11}, "the last one of"),
    ):
        with pytest.raises(StartError, match=message):
            pytracking.track(video, "drift/plain", **wrong, **how)  # type: ignore[arg-type]


def test_frames_larger_than_1080_pixels_are_reduced_in_the_video_alone(plugin: str, tmp_path: Path) -> None:
    write_video(tmp_path / "large.mp4", [np.full((1440, 2560, 3), 90, np.uint8)] * 2, (2560, 1440))
    assert track(plugin, tmp_path / "large.mp4", "--click", 2500, 1400, "a", "--both", "--out", tmp_path / "out") == 0
    with av.open(str(tmp_path / "out" / "large.mp4")) as made:
        assert (made.streams.video[0].width, made.streams.video[0].height) == (1920, 1080)
    assert np.loadtxt(tmp_path / "out" / "large.txt")[0].tolist() == [2490, 1390, 20, 20]


@pytest.mark.parametrize("words", [[], ["--box", "100", "20", "20", "20", "cat"]], ids=["one target", "two"])
def test_a_video_that_is_read_is_not_written_over(
    plugin: str, video: Path, tmp_path: Path, capsys: Output, words: list[str]
) -> None:
    own = tmp_path / "own" / "clip.mp4"
    own.parent.mkdir()
    own.write_bytes(video.read_bytes())
    assert track(plugin, own, "--box", "70", "50", "20", "20", *words, "--out", own.parent) == 1
    assert "would take the place of" in capsys.readouterr().err
    assert own.read_bytes() == video.read_bytes() and [each.name for each in own.parent.iterdir()] == ["clip.mp4"]


def test_a_target_is_named_once_in_a_video_that_is_named_in_two_ways(
    plugin: str, video: Path, tmp_path: Path, capsys: Output
) -> None:
    clicks = tmp_path / "clicks.csv"
    clicks.write_text(f"frame,x,y,target,video\n0,80,60,a,{video.stem}\n0,30,30,a,{video.name}\n")
    assert track(plugin, video, "--clicks", clicks, "--out", tmp_path / "out") == 1
    assert "two targets of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": -1}, "start is -1"),
        ({"start": 1.5}, "start is 1.5"),
        ({"boxes": [1.0, 2.0, 3.0, 4.0]}, "one place for each target"),
        ({"boxes": {1: (1.0, 2.0, 3.0, 4.0)}}, "a name is a text"),
        ({"boxes": (1.0, 2.0, 3.0, 4.0)}, r"give \[box\], or \{name: box\}"),
        ({"boxes": None, "click": (1, 2, 3)}, "must be x, y; it has 3 numbers"),
        ({"boxes": None, "click": (None, 3)}, "made of numbers"),
    ],
)
def test_the_api_names_what_is_wrong(video: Path, changes: dict[str, Any], message: str) -> None:
    arguments = {"boxes": [(70.0, 50.0, 20.0, 20.0)], **changes}
    with pytest.raises(StartError, match=message):
        pytracking.track(video, "opencv/kcf", **arguments)


def test_boxes_of_targets_may_be_an_array(plugin: str, video: Path) -> None:
    boxes = np.array([[70.0, 50, 20, 20], [100.0, 20, 20, 20]])
    tracks = pytracking.track(video, "drift/plain", boxes=boxes, plugins=[plugin])
    assert [track.boxes[0].tolist() for track in tracks.values()] == boxes.tolist()
