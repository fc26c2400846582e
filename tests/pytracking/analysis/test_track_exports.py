"""Tracked boxes in other tools' formats: the same boxes, frames and pixels of the source, in all of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytracking.analysis.track_exports import FILE_PER_VIDEO, ONE_FILE, ExportedTrack, TrackedVideo, exported
from pytracking.command_line import EXPORT_NAMES

BOXES = np.array([[10.0, 20, 30, 40], [11.5, 20, 30, 40]])


@pytest.fixture
def videos() -> list[TrackedVideo]:
    """Two videos of which each second frame was tracked; the second has two targets, one without scores."""
    scores = np.array([0.5, np.nan])
    tracks = (
        [ExportedTrack("cat", 2, BOXES, scores)],
        [ExportedTrack("cat", 0, BOXES), ExportedTrack("dog", 1, BOXES + 5, scores)],
    )
    return [TrackedVideo(name, 10, 128, 96, 25.0, 2, each) for name, each in zip(("one", "two"), tracks)]


def test_help_names_the_formats_that_there_are() -> None:
    assert set(EXPORT_NAMES) == {*FILE_PER_VIDEO, *ONE_FILE}


def test_coco_video_numbers_images_tracks_and_annotations(videos: list[TrackedVideo]) -> None:
    content = json.loads(exported("coco-video", videos)["coco-video.json"])
    assert [(video["id"], video["name"], video["fps"]) for video in content["videos"]] == [
        (1, "one", 25.0),
        (2, "two", 25.0),
    ]
    images = {image["id"]: image for image in content["images"]}
    assert len(images) == 20 and len({annotation["id"] for annotation in content["annotations"]}) == 6
    found = {
        (a["instance_id"], images[a["image_id"]]["video_id"], images[a["image_id"]]["frame_id"]): a
        for a in content["annotations"]
    }
    assert set(found) == {(1, 1, 4), (1, 1, 6), (2, 2, 0), (2, 2, 2), (3, 2, 2), (3, 2, 4)}
    assert found[1, 1, 4]["bbox"] == [10, 20, 30, 40] and found[1, 1, 4]["area"] == 1200
    assert all(images[a["image_id"]]["video_id"] == a["video_id"] for a in content["annotations"])
    assert images[11]["file_name"] == "two/00000001.jpg" and (images[11]["width"], images[11]["height"]) == (128, 96)


def test_tao_s_results_name_the_images_of_coco_video(videos: list[TrackedVideo]) -> None:
    results = json.loads(exported("tao", videos)["tao.json"])
    annotations = json.loads(exported("coco-video", videos)["coco-video.json"])["annotations"]
    assert {frozenset(row) for row in results} == {
        frozenset(("image_id", "category_id", "bbox", "score", "track_id", "video_id"))
    }
    wanted = [(a["image_id"], a["video_id"], a["instance_id"], a["bbox"]) for a in annotations]
    assert [(row["image_id"], row["video_id"], row["track_id"], row["bbox"]) for row in results] == wanted
    assert [row["score"] for row in results] == [0.5, 1, 1, 1, 0.5, 1]  # 1 where the tracker gives none


def test_supervision_s_rows_are_those_of_its_json_sink(videos: list[TrackedVideo]) -> None:
    rows = json.loads(exported("supervision", videos)["two.json"])
    assert [(row["frame_index"], row["tracker_id"]) for row in rows] == [(0, 1), (2, 1), (2, 2), (4, 2)]
    names = ("x_min", "y_min", "x_max", "y_max", "class_id", "confidence", "tracker_id", "frame_index", "class_name")
    assert tuple(rows[0]) == names
    assert [rows[1][name] for name in names[:4]] == [11.5, 20, 41.5, 60]


def test_supervision_reads_them_back(videos: list[TrackedVideo]) -> None:
    sv = pytest.importorskip("supervision")
    row = json.loads(exported("supervision", videos)["two.json"])[1]
    box = np.array([[row[name] for name in ("x_min", "y_min", "x_max", "y_max")]])
    detections = sv.Detections(xyxy=box, tracker_id=np.array([row["tracker_id"]]))
    assert np.allclose(detections.area, 1200)


@pytest.mark.parametrize("form", [form for form in EXPORT_NAMES if form != "boxes"])
def test_each_format_writes_a_file_a_video_or_one_of_all(form: str, videos: list[TrackedVideo]) -> None:
    names = sorted(name.partition(".")[0] for name in exported(form, videos))
    assert names in (["one", "two"], [form])
