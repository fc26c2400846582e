from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.admin.ownership import OwnershipError
from ltr.data.image_loader import load_image
from ltr.dataset.got10k import Got10k
from ltr.dataset.text import DatasetError
from ltr.dataset.video_sources import Source, SourceError, find_sources
from socl_plugins.clicks.clips import ClipsError, open_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.log import Click
from socl_plugins.clicks.prepare import Cutting, prepare

from .conftest import FRAMES, MakeClips, coded_frames, read_number, write_video


def test_the_folder_is_a_data_set_with_videos_to_learn_from_and_to_score(make_clips: MakeClips) -> None:
    clips = make_clips(3)
    assert [(clip.name, clip.split, clip.frames) for clip in clips] == [
        ("video_0", "train", FRAMES),
        ("video_1", "train", FRAMES),
        ("video_2", "val", FRAMES),
    ]
    train, val = Got10k(clips.root, "train"), Got10k(clips.root, "val")
    assert (len(train), len(val)) == (2, 1)
    info = train.get_sequence_info(0)
    assert not info["valid"].any() and "bbox" not in info
    assert train.load_frame(0, FRAMES - 1).shape == (96, 128, 3)


def test_frame_n_is_frame_n_at_an_uneven_frame_rate(tmp_path: Path) -> None:
    times = [0, 10, 300, 310, 320, 900, 905, 1500, 1510, 1520, 1530, 2500]
    write_video(tmp_path / "uneven.mp4", coded_frames(len(times)), times)
    prepared = prepare([str(tmp_path / "uneven.mp4")], tmp_path / "clips", Cutting(every=2, val=0))
    clip = prepared.clips.videos[0]
    numbers = [read_number(load_image(prepared.clips.frame_path(clip, frame))) for frame in range(clip.frames)]
    assert numbers == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_video_that_was_filmed_sideways_is_upright_as_opencv_shows_it(tmp_path: Path, turn: int) -> None:
    path = tmp_path / "sideways.mp4"
    image = np.zeros((64, 128, 3), np.uint8)
    image[:32, :64] = 255, 0, 0
    image[32:, 64:] = 0, 255, 0
    write_video(path, [image] * 3)
    content = bytearray(path.read_bytes())
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
    matrix = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    place = content.index(b"tkhd") + 4 + 40
    content[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(bytes(content))
    capture = cv2.VideoCapture(str(path))
    shown = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    ours = next(Source(path).frames())
    assert ours.shape == shown.shape == ((64, 128, 3) if turn == 180 else (128, 64, 3))
    assert np.abs(ours.astype(int) - shown).mean() < 8


def test_sizes_and_lengths_are_limited_and_what_is_there_is_not_done_again(make_clips: MakeClips) -> None:
    cutting = Cutting(every=3, max_side=64, max_frames=5)
    clips = make_clips(2, cutting=cutting)
    assert {(clip.width, clip.height, clip.frames, clip.every) for clip in clips} == {(64, 48, 5, 3)}
    times = {path: path.stat().st_mtime_ns for path in clips.root.rglob("*.jpg")}
    clips = make_clips(3, cutting=cutting)
    assert [clip.name for clip in clips] == ["video_0", "video_1", "video_2"]
    assert times.items() <= {path: path.stat().st_mtime_ns for path in clips.root.rglob("*.jpg")}.items()
    with pytest.raises(ClipsError, match=r"video_0, with --every 3 and frames of 64 x 48"):
        make_clips(3)


def test_a_folder_of_frames_and_a_glob_are_videos(tmp_path: Path) -> None:
    for name in ("walk", "run"):
        folder = tmp_path / "in" / name
        folder.mkdir(parents=True)
        for number, image in enumerate(coded_frames(12)):
            cv2.imwrite(str(folder / f"f{number}.png"), image)
    assert [source.name for source in find_sources([str(tmp_path / "in")])] == ["run", "walk"]
    clips = prepare([str(tmp_path / "in" / "w*")], tmp_path / "clips").clips
    numbers = [read_number(load_image(clips.frame_path(clips.videos[0], frame))) for frame in range(12)]
    assert numbers == list(range(12))  # f10 comes after f9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "holds no video"),
        (lambda folder: (folder / "a.mp4").write_bytes(b"this is no video"), "a.mp4 cannot be read as a video"),
        (lambda folder: (folder / "a.mp4").write_bytes(b""), "a.mp4 cannot be read as a video"),
        (lambda folder: write_video(folder / "a.mp4", coded_frames(1)), "a.mp4 gives 1 frame; a clip needs 2"),
        (lambda folder: (folder / "1.jpg").write_bytes(b"no image"), "1.jpg is damaged"),
    ],
)
def test_what_is_no_video_is_told_and_leaves_nothing(tmp_path: Path, make: object, message: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder)  # type: ignore[operator]
    with pytest.raises(SourceError, match=message):
        prepare([str(folder)], tmp_path / "clips")
    assert not list((tmp_path / "clips").rglob("*.jpg"))


def test_one_broken_video_does_not_stop_the_others(tmp_path: Path) -> None:
    write_video(tmp_path / "good.mp4", coded_frames(4))
    (tmp_path / "bad.mp4").write_bytes(b"bad")
    prepared = prepare([str(tmp_path / "good.mp4"), str(tmp_path / "bad.mp4")], tmp_path / "clips")
    assert [clip.name for clip in prepared.new] == ["good"]
    assert len(prepared.failed) == 1 and "bad.mp4" in prepared.failed[0]


def test_a_preparation_that_was_stopped_in_its_first_video_goes_on(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_video(tmp_path / f"{name}.mp4", coded_frames(4 + ord(name) - ord("a")))
    names, root = [str(tmp_path / f"{name}.mp4") for name in ("a", "b")], tmp_path / "clips"

    def stop(name: str, done: int, of: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(names, root, progress=stop)
    assert [clip.name for clip in prepare(names, root).new] == ["a", "b"]


def test_a_preparation_of_which_nothing_came_leaves_a_folder_that_can_be_used(tmp_path: Path) -> None:
    folder, root = tmp_path / "frames", tmp_path / "clips"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((40, 60, 3), 90, np.uint8))
    (folder / "1.png").write_bytes(b"damaged")
    with pytest.raises(SourceError, match="damaged"):
        prepare([str(folder)], root)
    write_video(tmp_path / "a.mp4", coded_frames(4))
    assert len(prepare([str(tmp_path / "a.mp4")], root).new) == 1


def test_two_preparations_do_not_write_to_one_folder_at_once(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", coded_frames(4))
    code = f"""
import time
from pathlib import Path
from ltr.admin.ownership import own
with own(Path({str(tmp_path / "clips")!r}), ""):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None and other.stdout.readline() == "held\n"
            with pytest.raises(OwnershipError, match="choose another --out"):
                prepare([str(tmp_path / "a.mp4")], tmp_path / "clips")
        finally:
            other.kill()
    assert len(prepare([str(tmp_path / "a.mp4")], tmp_path / "clips").new) == 1


def test_a_source_that_cannot_be_opened_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        write_video(tmp_path / f"{name}.mp4", coded_frames(4 + ord(name) - ord("a")))
    usual = Source.digest

    def digest(self: Source) -> str:
        if self.name == "c":
            raise PermissionError(13, "Permission denied")
        return usual(self)

    monkeypatch.setattr(Source, "digest", digest)
    prepared = prepare([str(tmp_path / f"{name}.mp4") for name in ("a", "b", "c")], tmp_path / "clips")
    assert [clip.name for clip in prepared.new] == ["a", "b"]
    assert "c.mp4 cannot be read: Permission denied" in prepared.failed[0]


def test_a_frame_that_is_gone_is_told(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    clips.frame_path(clips.videos[0], 3).unlink()
    with pytest.raises(ClipsError, match=f"video_0 does not hold the {FRAMES} frames"):
        open_clips(clips.root)


def test_clips_of_two_preparations_that_were_mixed_are_told(make_clips: MakeClips) -> None:
    clips, others = make_clips(2), make_clips(2, "others", Cutting(max_frames=5))
    root = clips.root
    (others.root / "train/video_0").rename(root / "train/stranger")
    with pytest.raises(ClipsError, match="does not name .*stranger"):
        open_clips(root)
    (root / "train/stranger").rename(others.root / "train/video_0")
    (root / "train/video_0").rename(root / "kept")
    (others.root / "train/video_0").rename(root / "train/video_0")
    with pytest.raises(ClipsError, match=f"does not hold the {FRAMES} frames"):
        open_clips(root)


def test_a_broken_or_foreign_folder_is_told(tmp_path: Path, make_clips: MakeClips) -> None:
    with pytest.raises(ClipsError, match="socl prepare VIDEOS"):
        open_clips(tmp_path)
    clips = make_clips(2)
    file = clips.root / "clips.json"
    content = json.loads(file.read_text())
    content["videos"][0]["name"] = "../outside"
    file.write_text(json.dumps(content))
    with pytest.raises(ClipsError, match="cannot be the name of a video"):
        open_clips(clips.root)
    file.write_text("{")
    with pytest.raises(ClipsError, match="is not what socl prepare writes"):
        open_clips(clips.root)


def test_uncut_videos_are_the_same_data_set_bit_for_bit_without_image_files(
    make_clips: MakeClips, video_files: list[Path], tmp_path: Path
) -> None:
    clips = make_clips(3, cutting=Cutting(every=3, cut=False))
    assert not list(clips.root.rglob("*.jpg"))
    assert [clip.cut for clip in open_clips(clips.root)] == [False] * 3
    for split, files in (("train", video_files[:2]), ("val", video_files[2:])):
        dataset = Got10k(clips.root, split)
        for video, file in enumerate(files):
            in_order = list(Source(file).frames())[::3]
            frames = dataset.get_frames(video, [7, 0, 3])[0]
            assert all(np.array_equal(frame, in_order[n]) for frame, n in zip(frames, (7, 0, 3)))
    with pytest.raises(ClipsError, match="--every 3, --uncut and frames of 128 x 96"):
        prepare(map(str, video_files), clips.root, Cutting(every=3))
    again = prepare(map(str, video_files), clips.root, Cutting(every=3, cut=False))
    assert again.known == 3 and not again.new


def test_folders_of_images_are_cut_in_any_case(tmp_path: Path, make_clips: MakeClips) -> None:
    folder = make_clips(1).folder(make_clips(1).videos[0])
    clips = prepare([str(folder)], tmp_path / "other", Cutting(cut=False)).clips
    assert clips.videos[0].cut and len(list(clips.root.rglob("*.jpg"))) == FRAMES
    assert prepare([str(folder)], tmp_path / "other", Cutting(cut=False)).known == 1


def test_each_target_of_an_uncut_video_is_a_sequence_of_the_same_file(make_clips: MakeClips) -> None:
    clips = make_clips(1, cutting=Cutting(cut=False, val=0))
    clip = clips.videos[0]
    for target, x in (("1", 10.0), ("2", 50.0)):
        clips.log(clip).append([Click(clip.name, 4, target, x, 20.0)])
    compile_clips(clips)
    dataset = Got10k(clips.root, "train")
    assert [dataset.sequence_name(n) for n in range(2)] == ["video_0", "video_0@2"]
    assert np.array_equal(dataset.load_frame(0, 4), dataset.load_frame(1, 4))
    assert not list(clips.root.rglob("*.jpg"))


def test_an_uncut_video_that_was_moved_away_is_named(make_clips: MakeClips, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", coded_frames(6))
    clips = prepare([str(tmp_path / "a.mp4")], tmp_path / "clips", Cutting(val=0, cut=False)).clips
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(DatasetError, match=r"there is no video .*a\.mp4"):
        Got10k(clips.root, "train").load_frame(0, 0)
