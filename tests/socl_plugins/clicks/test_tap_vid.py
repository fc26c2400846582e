"""TAP-Vid's pickles give their points, and nothing else in a pickle is done."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socl_plugins.clicks.exchange.marks import ExchangeError
from socl_plugins.clicks.exchange.transfer import import_clicks
from socl_plugins.clicks.log import answers

from .conftest import FRAMES, MakeClips


def a_video(**changes: Any) -> dict[str, Any]:
    points = np.full((2, FRAMES, 2), [0.25, 0.5], np.float32)
    points[1] = [1.5, 0.5]
    occluded = np.zeros((2, FRAMES), bool)
    occluded[0, 3:] = True
    occluded[1, 1:] = True
    return {"video": np.zeros((FRAMES, 4, 6, 3), np.uint8), "points": points, "occluded": occluded, **changes}


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_points_of_a_named_video_are_clicks_on_the_clip(make_clips: MakeClips, tmp_path: Path, protocol: int) -> None:
    clips = make_clips(2)
    path = tmp_path / "tapvid_davis.pkl"
    path.write_bytes(pickle.dumps({"video_1": a_video()}, protocol))
    report = import_clicks(clips, path)
    assert report.form == "tap-vid" and report.taken == {"video_1": 2 * FRAMES - 1}
    assert report.dropped == {"a place outside the frame": 1}
    found = answers(clips.log(clips.videos[1]).clicks)
    assert [found["1"][frame].place for frame in range(3)] == [(32.0, 48.0)] * 3  # of 128 x 96 pixels
    assert (found["1"][3].state, found["1"][3].place) == ("occluded", None)
    assert not import_clicks(clips, path).taken.total()


class Spy:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("touched"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"video_0": a_video(points=Spy())}), "names pathlib.*neither an array nor plain data"),
        (pickle.dumps({"video_0": a_video(video=np.array([Spy()], object))}), "neither an array nor plain data"),
        (pickle.dumps({"video_0": a_video()})[:-200], "truncated"),
        (b"\x80nothing", "no whole pickle|is not read"),
        (pickle.dumps([a_video(), a_video()]), "2 videos without names"),
        (pickle.dumps("text"), "holds a str"),
        (pickle.dumps({"video_0": {"points": 1}}), "there are no points and occluded"),
        (pickle.dumps({"video_0": a_video(occluded=np.zeros((1, 2)))}), r"must be \(N, T, 2\) and \(N, T\)"),
        (pickle.dumps({"video_0": a_video(points="here")}), "no numbers"),
    ],
)
def test_what_is_no_file_of_points_is_refused_and_runs_nothing(
    content: bytes, message: str, make_clips: MakeClips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clips = make_clips(1)
    (tmp_path / "points.pkl").write_bytes(content)
    with pytest.raises(ExchangeError, match=message):
        import_clicks(clips, tmp_path / "points.pkl")
    assert not (tmp_path / "touched").exists() and not clips.log(clips.videos[0]).clicks


def test_a_list_of_one_video_belongs_to_the_only_clip(make_clips: MakeClips, tmp_path: Path) -> None:
    clips = make_clips(1)
    (tmp_path / "points.pkl").write_bytes(pickle.dumps([a_video()]))
    assert import_clicks(clips, tmp_path / "points.pkl").taken.total() == 2 * FRAMES - 1
