"""A frame of a video file, asked for by its number, has the pixels that decoding from the start gives it."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from ltr.dataset.text import DatasetError
from ltr.dataset.video_file import VIDEO_FILE, VideoFrames, decoded, read_video_file

av = pytest.importorskip("av")
EVEN = list(range(0, 4000, 40))
UNEVEN = [n * 40 + (n * n * 7) % 33 + 500 * (n > 60) for n in range(100)]


def encode(path: Path, times: list[int], codec: str, options: dict[str, str]) -> None:
    """Writes moving noise, whose frames all differ, at presentation times in 1/1000 s."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (80, 400, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 80, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            image = np.ascontiguousarray(texture[:, 3 * number : 3 * number + 96])
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time, stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def described(path: Path, **changes: object) -> VideoFrames:
    times = tuple(time for time, _ in decoded(path))
    assert None not in times
    values = {"every": 1, "max_side": None, "frames": len(times), "times": times, **changes}
    return VideoFrames(str(path), path.stat().st_size, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("times", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "mpeg4", {"g": "12"}),
        ("a.mp4", "mpeg4", {"g": "12", "bf": "2"}),
        ("a.mp4", "libx264", {"g": "15", "bf": "3"}),
        ("a.mp4", "libx264", {"g": "15", "bf": "3", "x264-params": "open-gop=1"}),
        ("a.mkv", "libx264", {"g": "15", "bf": "3"}),
    ],
)
@pytest.mark.long
def test_frames_in_any_order_are_those_of_decoding_in_order(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], times: list[int]
) -> None:
    path = tmp_path / name
    try:
        encode(path, times, codec, options)
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this PyAV cannot encode {codec}: {error}")
    in_order = [image for _, image in decoded(path)]
    assert len(in_order) == 100
    order = list(range(100)) + list(range(99, -1, -7)) + random.Random(0).choices(range(100), k=60)
    for video in (described(path), described(path, times=())):  # by their times, and by counting
        for number in order if video.times else order[::5]:
            assert np.array_equal(video.read(number), in_order[number]), number


@pytest.mark.long
def test_every_fifth_frame_reduced(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", UNEVEN, "mpeg4", {"g": "12"})
    in_order = [image for _, image in decoded(tmp_path / "a.mp4")]
    whole = described(tmp_path / "a.mp4")
    video = described(tmp_path / "a.mp4", every=5, max_side=48, frames=20, times=whole.times[:96])
    assert video.read(7).shape == (40, 48, 3)
    assert np.array_equal(described(tmp_path / "a.mp4", every=5, frames=20).read(7), in_order[35])
    with pytest.raises(DatasetError, match="no frame 20 here; it has 0 to 19"):
        video.read(20)


def test_what_is_written_is_read_and_what_is_not_is_named(tmp_path: Path) -> None:
    assert read_video_file(tmp_path) is None
    video = VideoFrames("/a.mp4", 10, 2, None, 3, (0, 4, 5, 6, 9))
    video.write(tmp_path)
    assert read_video_file(tmp_path) == video
    for changed in ({"times": [0, 1]}, {"every": 0}, {"frames": "3"}, {"more": 1}, {"max_side": -1}, {"source": 3}):
        content = json.loads((tmp_path / VIDEO_FILE).read_text())
        (tmp_path / "bad").mkdir(exist_ok=True)
        (tmp_path / "bad" / VIDEO_FILE).write_text(json.dumps(content | changed))
        with pytest.raises(DatasetError, match=VIDEO_FILE):
            read_video_file(tmp_path / "bad")


def test_a_file_that_is_gone_exchanged_or_broken_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    encode(path, EVEN, "mpeg4", {"g": "12"})
    video = described(path)
    with pytest.raises(DatasetError, match="has changed since it was prepared"):
        described(path, frames=100).__class__(**{**vars(video), "size": 5}).read(0)
    longer = VideoFrames(str(path), video.size, 1, None, 120, ())
    with pytest.raises(DatasetError, match="ends before its frame 110"):
        longer.read(110)
    path.rename(tmp_path / "b.mp4")
    with pytest.raises(DatasetError, match="there is no video"):
        VideoFrames(str(path), video.size, 1, None, 100, video.times[:-1] + (9999,)).read(0)
