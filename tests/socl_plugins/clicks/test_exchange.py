from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socl_plugins.clicks.__main__ import FORMAT_NAMES, main
from socl_plugins.clicks.clips import Clips, open_clips
from socl_plugins.clicks.exchange.marks import ExchangeError, image_mark
from socl_plugins.clicks.exchange.table import FORMATS, find_format
from socl_plugins.clicks.exchange.transfer import export_clicks, import_clicks
from socl_plugins.clicks.log import Click, answers
from socl_plugins.clicks.prepare import Cutting

from .conftest import MakeClips

WRITTEN = [name for name, form in FORMATS.items() if form.write is not None]
State = dict[tuple[str, str, int], tuple[str, Any]]


def state_of(clips: Clips) -> State:
    return {
        (clip.name, target, frame): (click.state, click.place)
        for clip in clips
        for target, frames in answers(clips.log(clip).clicks).items()
        for frame, click in frames.items()
    }


@pytest.fixture
def clicked(make_clips: MakeClips) -> Clips:
    """Two videos, of which each third frame was cut and reduced, with clicks on two targets."""
    clips = make_clips(2, cutting=Cutting(every=3, max_side=64))
    for clip in clips:
        name = clip.name
        clips.log(clip).append(
            [
                Click(name, 0, "ann", 10.25, 20.5),
                Click(name, 1, "ann", 11.0, 21.0),
                Click(name, 1, "a dog", 40.0, 5.0),
                Click(name, 2, "ann", 12.0, 22.0, "occluded"),
                Click(name, 3, "ann", state="absent"),
                Click(name, 4, "ann", state="skipped"),
                Click(name, 6, "a dog", 0.0, 48.0),
            ]
        )
    return clips


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_read_again(name: str, clicked: Clips, make_clips: MakeClips, tmp_path: Path) -> None:
    report = export_clicks(clicked, tmp_path / "out", name)
    assert sum(report.taken.values()) + sum(report.dropped.values()) == len(state_of(clicked))
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    files = [tmp_path / "out"] if name == "labelme" else files
    other = make_clips(2, "other", Cutting(every=3, max_side=64))
    for file in files:
        video = "video_" + file.parent.name[-1] if name == "deeplabcut" else None
        assert import_clicks(other, file, video=video).form == name  # auto
        assert not import_clicks(other, file, video=video).taken.total()  # again: nothing new
    wanted = {key: value for key, value in state_of(clicked).items() if value[0] in FORMATS[name].states}
    found = state_of(other)
    assert found.keys() == wanted.keys()
    for key, (state, place) in wanted.items():
        assert found[key][0] == state
        assert place is None or np.allclose(found[key][1], place, atol=0.01), key
    stored = [click for clip in other for click in other.log(clip).clicks]
    assert {(click.source, click.ms) for click in stored} == {("imported", None)}


CVAT = """<annotations><version>1.1</version><meta><task><source>video 0.mp4</source>
<original_size><width>128</width><height>96</height></original_size></task></meta>
<track id="0" label="cat"><points frame="0" outside="0" occluded="0" keyframe="1" points="10.5,20.25"/>
<points frame="1" outside="0" occluded="0" keyframe="0" points="11,21"/>
<points frame="2" outside="1" occluded="0" keyframe="1" points="12,22"/>
<points frame="3" outside="0" occluded="1" keyframe="1" points="13,23"/>
<points frame="4" outside="0" occluded="0" keyframe="1" points="1,2;3,4"/></track>
<track id="1" label="dog"><box frame="0" outside="0" keyframe="1" xtl="10" ytl="20" xbr="30" ybr="50"/></track>
<track id="2" label="dog"><box frame="0" outside="0" occluded="0" keyframe="1" xtl="0" ytl="0" xbr="10" ybr="10"/>
<box frame="99" outside="0" occluded="0" keyframe="1" xtl="0" ytl="0" xbr="10" ybr="10"/></track>
<track id="3" label="man"><skeleton frame="5" keyframe="1"><points label="head" outside="0" occluded="0" points="7,8"/>
</skeleton></track></annotations>"""


def test_cvat_key_frames_are_clicks_and_outside_is_absent(make_clips: MakeClips, tmp_path: Path) -> None:
    clips = make_clips(2)
    (tmp_path / "task.xml").write_text(CVAT)
    report = import_clicks(clips, tmp_path / "task.xml")
    assert {(t, f): value for (_, t, f), value in state_of(clips).items()} == {
        ("cat", 0): ("visible", (10.5, 20.25)),
        ("cat", 2): ("absent", None),
        ("cat", 3): ("occluded", (13, 23)),
        ("dog 1", 0): ("visible", (20, 35)),  # two of one name
        ("dog 2", 0): ("visible", (5, 5)),
        ("man head", 5): ("visible", (7, 8)),
    }
    assert report.dropped == {
        "interpolated by CVAT (not a key frame)": 1,
        "several points in one shape": 1,
        "a frame that video_0 does not have (it has 24)": 1,
    }


def label_studio() -> Any:
    sequence = [
        {"frame": 1, "x": 25, "y": 50, "width": 50, "height": 10, "rotation": 0, "time": 0, "enabled": True},
        {"frame": 5, "x": 0, "y": 0, "width": 10, "height": 10, "rotation": 0, "time": 0.16, "enabled": False},
    ]
    value = {"framesCount": 24, "duration": 1, "sequence": sequence, "labels": ["cat"]}
    result = [{"id": "x", "type": "videorectangle", "value": value}]
    return [{"data": {"video": "/data/upload/video 0.mp4?d=1"}, "annotations": [{"result": result}]}]


COCO = {
    "images": [{"id": 7, "file_name": "video_0/frame_000003.png", "width": 128, "height": 96}],
    "categories": [{"id": 1, "name": "cat", "keypoints": ["nose", "tail"]}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 1, "keypoints": [5, 6, 2, 7, 8, 1], "attributes": {"track_id": 4}},
        {"id": 2, "image_id": 7, "category_id": 1, "keypoints": [0, 0, 0, 9, 9, 2]},
    ],
}
DLC = """scorer,,,me,me,me,me
individuals,,,a,a,b,b
bodyparts,,,nose,nose,nose,nose
coords,,,x,y,x,y
labeled-data,video_0,img0002.png,1.5,2.5,,
labeled-data,video_0,img0010.png,,,3.0,4.0
"""
SLEAP = "track,frame_idx,instance.score,nose.x,nose.y,nose.score\nm,4,1,9,8,1\n,5,1,7,6,1\n,6,1,,,\n"


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("task.json", label_studio(), {("cat", 0): (64.0, 52.8), ("cat", 4): (6.4, 4.8)}),
        ("coco.json", COCO, {("4 nose", 3): (5, 6), ("4 tail", 3): (7, 8), ("cat tail", 3): (9, 9)}),
        ("CollectedData_me.csv", DLC, {("a", 2): (1.5, 2.5), ("b", 10): (3, 4)}),
        ("video_0.csv", SLEAP, {("m", 4): (9, 8), ("nose", 5): (7, 6)}),
        ("video_0.csv", "frame,x,y\n1,2,3\n2,4,5\n", {("1", 1): (2, 3), ("1", 2): (4, 5)}),
        ("video_0.txt", "1,3,11,21,10,20,1,-1,-1,-1\n2,3,11,21,10,20,0,-1,-1,-1\n", {("3", 0): (15, 30)}),
    ],
)
def test_other_tools_files_are_known_by_what_they_hold(
    name: str, content: Any, wanted: Any, make_clips: MakeClips, tmp_path: Path
) -> None:
    clips = make_clips(2)
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    import_clicks(clips, tmp_path / name)
    assert {(t, f): place for (video, t, f), (_, place) in state_of(clips).items() if video == "video_0"} == {
        key: pytest.approx(place) for key, place in wanted.items()
    }


def test_of_a_sleap_project_what_a_person_placed_is_read(make_clips: MakeClips, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "labels.slp"
    with h5py.File(path, "w") as file:
        metadata = file.create_group("metadata")
        metadata.attrs["format_id"] = 1.0
        described = {"nodes": [{"name": "tail"}, {"name": "nose"}], "skeletons": [{"nodes": [{"id": 1}, {"id": 0}]}]}
        metadata.attrs["json"] = np.bytes_(json.dumps(described))
        file["videos_json"] = [np.bytes_(json.dumps({"backend": {"filename": "/x/video 0.mp4"}}))]
        file["tracks_json"] = [np.bytes_(json.dumps([0, "mouse"]))]
        frame = [
            ("frame_id", "u8"),
            ("video", "u4"),
            ("frame_idx", "u8"),
            ("instance_id_start", "u8"),
            ("instance_id_end", "u8"),
        ]
        file["frames"] = np.array([(0, 0, 3, 0, 2)], dtype=frame)
        instance = [("instance_type", "u1"), ("track", "i4"), ("point_id_start", "u8"), ("point_id_end", "u8")]
        file["instances"] = np.array([(0, 0, 0, 2), (1, 0, 0, 2)], dtype=instance)
        point = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
        file["points"] = np.array([(10.5, 20.5, True, True), (np.nan, np.nan, False, False)], dtype=point)
    clips = make_clips(1)
    report = import_clicks(clips, path)
    assert state_of(clips) == {("video_0", "mouse nose", 3): ("visible", (10, 20))}
    assert report.dropped == {"predicted by SLEAP, not placed by a person": 1}


def test_the_name_of_an_image_tells_its_video_and_frame() -> None:
    assert image_mark("video_0/00000001.jpg", 0) == ("video_0", 0, "clip")
    assert image_mark("labeled-data/walk/img0012.png", 0) == ("walk", 12, "source")
    assert image_mark("walk_000012.jpg", 1) == ("walk", 11, "source")
    assert image_mark("walk.jpg", 0) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.xml", '<!DOCTYPE x [<!ENTITY e "x">]><annotations><track id="0" label="&e;"/></annotations>', "DOCTYPE"),
        ("a.xml", "<annotations><track", "no whole XML"),
        ("a.xml", CVAT.replace("128", "640"), "640 x 96 pixels, but video_0 has 128 x 96"),
        ("a.xml", CVAT.replace("video 0.mp4", "film.mp4"), "'film' is not among these clips"),
        ("a.xml", CVAT.replace('points="10.5,20.25"', 'points="here"'), "x is 'here', not a number"),
        ("video_0.csv", "frame,x,y\n1,200,3\n", "1 x a place outside the frame"),
        ("video_0.csv", "frame,x,y\n", "it holds no marks"),
        ("video_0.csv", "frame,x,y\none,2,3\n", "line 2: frame is 'one', not a number"),
        ("video_0.csv", "frame,x,y\n0.04,2,3\n", "line 2: frame is '0.04', not a whole number"),
        ("video_0.csv", "frame,x,y,label\n1,2,3,cat\n", "unknown column 'label'; there are frame, x, y, target"),
        ("a.json", "{}", "of no format that is known here"),
        ("a.json", "[" * 10_000, "of no format that is known here"),
        ("a.txt", "hello", "of no format that is known here"),
        ("coco.json", '{"images": [{}], "annotations": []}', "not as COCO has it"),
    ],
)
def test_a_file_that_cannot_be_taken_stores_nothing(
    name: str, content: str, message: str, make_clips: MakeClips, tmp_path: Path
) -> None:
    clips = make_clips(2)
    (tmp_path / name).write_text(content)
    with pytest.raises(ExchangeError, match=message):
        import_clicks(clips, tmp_path / name)
    assert not state_of(clips)


def test_the_commands_say_what_was_taken(clicked: Clips, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(clicked.root), "--format", "coco", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "10 clicks of 2 videos" in said and "left out: 2 x absent" in said and "2 x skipped" in said
    assert main(["import", str(clicked.root), str(tmp_path / "out/coco.json")]) == 0
    assert "(coco): 10 clicks taken" in capsys.readouterr().out
    assert main(["import", str(clicked.root), str(tmp_path / "none.xml")]) == 1
    assert "error: there is no file or folder" in capsys.readouterr().err
    assert main(["export", str(clicked.root), "--format", "cocoa", "--out", str(tmp_path)]) == 1
    assert "Did you mean 'coco'" in capsys.readouterr().err
    assert set(FORMAT_NAMES) == set(FORMATS)
    open_clips(clicked.root)
    assert find_format("auto", tmp_path / "out/coco.json")[0] == "coco"
