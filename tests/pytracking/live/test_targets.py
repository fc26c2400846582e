"""Targets: how they are named, what is refused, and what a file of clicks may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pytracking.live.session import StartError
from pytracking.live.targets import Target, check_targets, named, read_clicks


def test_targets_without_a_name_are_numbered_past_the_names_that_are_taken() -> None:
    given = [Target(), Target("1"), Target(), Target("cat")]
    assert [target.name for target in named(given)] == ["2", "1", "3", "cat"]


def test_one_name_may_stand_for_a_target_in_each_of_two_videos() -> None:
    assert len(named([Target("cat", video="a"), Target("cat", video="b")])) == 2
    with pytest.raises(StartError, match=r"2 targets are named 'cat' \(in the frames 0, 7\)"):
        named([Target("cat", video="a"), Target("cat", frame=7)])


@pytest.mark.parametrize("name", ["a\nb", " cat", "x" * 65, "\x00"])
def test_a_name_that_no_file_can_hold_is_refused(name: str) -> None:
    with pytest.raises(StartError, match="cannot be a target's name"):
        named([Target(name)])


@pytest.mark.parametrize(
    ("frame", "direction", "message"),
    [
        (12, "both", "begins in frame 12, but it has 12 frames, from 0 to 11"),
        (11, "forwards", "the last one of it: nothing is left to track forwards"),
        (0, "backwards", "nothing is left to track backwards"),
    ],
)
def test_a_target_that_begins_where_nothing_is_left_is_refused(frame: int, direction: str, message: str) -> None:
    with pytest.raises(StartError, match=message):
        check_targets([Target("cat", frame=frame)], 12, direction, "it")
    check_targets([Target("cat", frame=0), Target("dog", frame=11)], 12, "both", "it")


def test_the_error_of_a_click_names_its_target_and_frame() -> None:
    with pytest.raises(StartError, match="target 'cat', frame 3: the click 50, 5 is outside the frame of 40 x 30"):
        Target("cat", click=(50, 5), frame=3).first_box(np.zeros((30, 40, 3), np.uint8))


def test_a_file_of_clicks_names_targets_frames_and_videos(tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text('video,frame,x,y,target\na,0,1.5,2,"cat, grey"\n,7,3,4,\n')
    assert read_clicks(file) == [
        Target("cat, grey", click=(1.5, 2.0), video="a"),
        Target("", click=(3.0, 4.0), frame=7),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a header"),
        ("0,1,2\n", "must begin with a header such as frame,x,y,target"),
        ("frame,x,y,colour\n0,1,2,red\n", "must begin with a header"),
        ("frame,x,y\n", "holds no click"),
        ("frame,x,y\n0,1\n", "another number of cells"),
        ("frame,x,y\n-1,1,2\n", "frame must be a whole number from 0 on"),
        ("frame,x,y\n0,one,2\n", "the row '0,one,2': x and y must be numbers"),
        ("frame,x,y\n0,nan,2\n", "x and y must be numbers"),
    ],
)
def test_a_broken_file_of_clicks_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "clicks.csv"
    file.write_text(text)
    with pytest.raises(StartError, match=message):
        read_clicks(file)
