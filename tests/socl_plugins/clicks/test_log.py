from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.dataset.got10k import Got10k
from socl_plugins.clicks import PointAnnotated
from socl_plugins.clicks.clips import open_clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.log import Click, ClickLog, ClickLogError, answers

from .conftest import FRAMES, MakeClips


def click(frame: int, x: float | None = 10.0, y: float | None = 20.0, **changes: object) -> Click:
    return Click("video_0", frame, x=x, y=y, **changes)  # type: ignore[arg-type]


def test_what_is_stored_is_read_again_by_whoever_opens_the_file(tmp_path: Path) -> None:
    log = ClickLog(tmp_path / "clicks.jsonl")
    stored = [click(3, 1.25, 2.5, ms=900, author="ann"), click(4, None, None, state="absent")]
    assert log.append(stored[:1]) + log.append(stored[1:]) == 2
    other = ClickLog(log.path)
    assert other.clicks == stored
    other.append([click(5)])
    assert log.clicks[-1] == click(5)  # also what another process stores meanwhile


def test_what_is_sent_twice_is_stored_once(tmp_path: Path) -> None:
    log = ClickLog(tmp_path / "clicks.jsonl")
    assert [log.append([click(3, id="a")]), log.append([click(3, id="a")])] == [1, 0]
    assert ClickLog(log.path).append([click(3, id="a")]) == 0


def test_taking_back_brings_the_answer_before(tmp_path: Path) -> None:
    undo = click(0, None, None, state="undone")
    assert answers([click(0, 1, 1), click(0, 2, 2), undo])["1"][0].place == (1, 1)
    assert answers([click(0), undo, undo]) == {}
    mine, hers = click(0, 1, 1, author="a"), click(0, 2, 2, author="b")
    assert answers([mine, hers, click(0, None, None, state="undone", author="b")])["1"][0] == mine
    assert answers([hers, mine])["1"][0] == mine
    assert answers([mine, click(0, None, None, state="skipped", author="b")])["1"][0] == mine


def test_a_line_that_was_cut_off_is_dropped_and_a_broken_one_is_told(tmp_path: Path) -> None:
    log = ClickLog(tmp_path / "clicks.jsonl")
    log.append([click(1), click(2)])
    with open(log.path, "ab") as file:
        file.write(b'{"video": "vid')
    again = ClickLog(log.path)
    again.append([click(3)])
    assert [stored.frame for stored in ClickLog(log.path).clicks] == [1, 2, 3]
    log.path.write_text(log.path.read_text().replace('"frame": 2', '"frame": "two"'))
    with pytest.raises(ClickLogError, match="line 2 is no click: frame is 'two'"):
        ClickLog(log.path)


def test_a_full_disk_loses_nothing_that_was_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = ClickLog(tmp_path / "clicks.jsonl")
    log.append([click(1)])
    write = os.write

    def half(descriptor: int, content: bytes) -> int:
        if len(content) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[: len(content) // 2])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(OSError, match="No space"):
        log.append([click(2)])
    monkeypatch.setattr(os, "write", write)
    log.append([click(3)])
    assert [stored.frame for stored in ClickLog(log.path).clicks] == [1, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frame": -1}, "frame is -1"),
        ({"frame": True}, "frame is True"),
        ({"x": None}, "needs two finite numbers"),
        ({"x": float("nan")}, "needs two finite numbers"),
        ({"x": "1"}, "needs two finite numbers"),
        ({"state": "gone"}, "state is 'gone'"),
        ({"source": "mouse"}, "source is 'mouse'"),
        ({"target": "../x"}, "cannot be the name of a target"),
        ({"target": "a" * 65}, "cannot be the name of a target"),
        ({"ms": -5}, "ms is -5"),
        ({"author": 3}, "author is '3'"),
    ],
)
def test_a_click_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ClickLogError, match=message):
        Click(**{"video": "v", "frame": 0, "x": 1.0, "y": 1.0, **changes})  # type: ignore[arg-type]


def test_what_is_compiled_is_what_training_reads(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    log = clips.log(clips.videos[0])
    log.append(
        [
            click(0, 30.5, 40.25),
            click(2, None, None, state="absent"),
            click(4, 50.0, 60.0, state="occluded"),
            click(5, None, None, state="skipped"),
            click(6, 70.0, 10.0),
            click(7, 1.0, 1.0),
            click(7, None, None, state="undone"),
        ]
    )
    assert compile_clips(open_clips(clips.root)) == 2
    dataset = PointAnnotated(Got10k(clips.root, "train"))
    info = dataset.get_sequence_info(0)
    assert torch.nonzero(info["visible"]).flatten().tolist() == [0, 6]
    assert info["point"][[0, 6]].tolist() == [[30.5, 40.25], [70, 10]]
    assert np.loadtxt(clips.root / "train/video_0/absence.label").tolist() == [float(f == 2) for f in range(FRAMES)]


def test_the_size_that_a_second_click_told_is_compiled_and_goes_with_its_click(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    log = clips.log(clips.videos[0])
    log.append([click(0, 30.5, 40.25), replace(click(6, 70.0, 10.0), w=20.5, h=31.0)])
    compile_clips(clips)
    info = PointAnnotated(Got10k(clips.root, "train")).get_sequence_info(0)
    assert info["size"].tolist() == [[20.5, 31.0]] * FRAMES, "of a target's only size, each frame has it"
    assert torch.nonzero(info["size_told"]).flatten().tolist() == [6]
    log.append([click(6, None, None, state="undone")])
    compile_clips(clips)
    assert not (clips.root / "train/video_0/sizes.txt").exists()
    assert "size" not in Got10k(clips.root, "train").get_sequence_info(0)


def test_a_size_stays_with_its_frame_whoever_clicks_there_again() -> None:
    told = replace(click(0, 30.0, 40.0), w=20.0, h=31.0, author="ann")
    for again in (replace(told, x=31.0, w=None, h=None), replace(told, x=31.0, w=None, h=None, author="bob")):
        (frames,) = answers([told, again]).values()
        assert frames[0].place == (31.0, 40.0) and frames[0].size == (20.0, 31.0)
    undone = replace(click(0, None, None, state="undone"), author="ann")
    assert not answers([told, undone])
    other = replace(told, w=50.0, h=60.0, author="bob")
    assert answers([told, other])["1"][0].size == (50.0, 60.0)
    assert answers([told, replace(click(0, None, None, state="absent"), author="ann")])["1"][0].size is None


def test_each_target_is_a_sequence_of_its_own(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    log = clips.log(clips.videos[0])
    log.append([click(0, 1, 1), click(1, 2, 2), click(0, 3, 3, target="dog"), click(1, 4, 4, target="dog")])
    compile_clips(clips)
    open_clips(clips.root)
    dataset = Got10k(clips.root, "train")
    assert [dataset.sequence_name(number) for number in range(2)] == ["video_0", "video_0@dog"]
    assert dataset.get_sequence_info(1)["point"][:2].tolist() == [[3, 3], [4, 4]]
    assert np.array_equal(dataset.load_frame(0, 5), dataset.load_frame(1, 5))
    log.append([click(f, None, None, target="dog", state="undone") for f in (0, 1)])
    compile_clips(clips)
    assert len(Got10k(clips.root, "train")) == 1 and not (clips.root / "train/video_0@dog").exists()


def test_a_log_of_another_video_is_refused(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    clips.log(clips.videos[0]).append([click(0)])
    (clips.root / "train/video_0/clicks.jsonl").rename(clips.root / "val/video_1/clicks.jsonl")
    with pytest.raises(ClickLogError, match="holds clicks of the video 'video_0', not of 'video_1'"):
        compile_clips(open_clips(clips.root))
