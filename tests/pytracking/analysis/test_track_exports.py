"""Tracked boxes in other tools' formats: the same boxes, frames and pixels of the source, in all of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from pytracking import run_tracker
from pytracking.analysis import __main__ as analysis
from pytracking.analysis.track_exports import (
    FILE_PER_VIDEO,
    ONE_FILE,
    ExportedTrack,
    ExportError,
    TrackedVideo,
    exported,
    write_exports,
)
from pytracking.command_line import EXPORT_NAMES
from pytracking.evaluation import Judgement

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


def test_supervision_s_sink_writes_the_same(videos: list[TrackedVideo], tmp_path: Path) -> None:
    sv = pytest.importorskip("supervision")
    rows = json.loads(exported("supervision", videos)["two.json"])
    with sv.JSONSink(str(tmp_path / "sink.json")) as sink:
        for row in rows:
            sides = np.array([[row[name] for name in ("x_min", "y_min", "x_max", "y_max")]])
            detections = sv.Detections(
                xyxy=sides,
                class_id=np.array([row["class_id"]]),
                confidence=np.array([row["confidence"]]),
                tracker_id=np.array([row["tracker_id"]]),
            )
            assert detections.area == (row["x_max"] - row["x_min"]) * (row["y_max"] - row["y_min"])
            sink.append(detections, {"frame_index": row["frame_index"], "class_name": row["class_name"]})
    assert json.loads((tmp_path / "sink.json").read_text()) == rows


def test_py_motmetrics_reads_mot_files(videos: list[TrackedVideo], tmp_path: Path) -> None:
    mm = pytest.importorskip("motmetrics")
    (tmp_path / "two.txt").write_bytes(exported("mot", videos)["two.txt"])
    table = mm.io.loadtxt(str(tmp_path / "two.txt"), fmt="mot15-2D")
    found = {(frame, target): row[["X", "Y", "Width", "Height"]].tolist() for (frame, target), row in table.iterrows()}
    # Its reader takes one off the corner, since MOTChallenge counts pixels from 1.
    assert found == {
        (1, 1): BOXES[0].tolist(),
        (3, 1): BOXES[1].tolist(),
        (3, 2): (BOXES[0] + 5).tolist(),
        (5, 2): (BOXES[1] + 5).tolist(),
    }
    assert table["Confidence"].tolist() == [1, 1, 0.5, 1]


def test_pycocotools_reads_coco_video(videos: list[TrackedVideo], tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    (tmp_path / "all.json").write_bytes(exported("coco-video", videos)["coco-video.json"])
    read = coco.COCO(str(tmp_path / "all.json"))
    (frame,) = (image for image in read.imgs.values() if image["video_id"] == 2 and image["frame_id"] == 2)
    boxes = [each["bbox"] for each in read.loadAnns(read.getAnnIds(imgIds=[frame["id"]]))]
    assert boxes == [BOXES[1].tolist(), (BOXES[0] + 5).tolist()]
    evaluated = pytest.importorskip("pycocotools.cocoeval").COCOeval(
        read, read.loadRes(read.loadAnns(read.getAnnIds()))
    )
    evaluated.params.iouType = "bbox"
    evaluated.evaluate()
    evaluated.accumulate()
    evaluated.summarize()
    assert evaluated.stats[0] == 1


def test_flat_csv_quotes_names_and_leaves_what_is_not_known_empty() -> None:
    judged = Judgement(np.array([0.75, 0.125]), np.array([False, True]))
    tracks = [ExportedTrack("cat, grey", 0, BOXES, np.array([0.5, np.nan]), judged), ExportedTrack("dog", 1, BOXES)]
    content = exported("csv", [TrackedVideo("one", 3, 128, 96, 0.0, 1, tracks)])["one.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    names = ["frame", "time_s", "target", "x", "y", "w", "h", "cx", "cy", "score", "confidence", "lost"]
    assert list(rows[0]) == names and [row["target"] for row in rows] == ["cat, grey"] * 2 + ["dog"] * 2
    assert [(row["time_s"], row["score"], row["confidence"], row["lost"]) for row in rows] == [
        ("", "0.5", "0.7500", "0"),
        ("", "", "0.1250", "1"),
        ("", "", "", ""),
        ("", "", "", ""),
    ]


def test_bare_boxes_hold_one_target_from_the_first_frame_on(videos: list[TrackedVideo]) -> None:
    whole = TrackedVideo("one", 2, 128, 96, 25.0, 1, [ExportedTrack("cat", 0, BOXES)])
    assert exported("boxes", [whole])["one.txt"] == b"10\t20\t30\t40\n11.5\t20\t30\t40\n"
    for wrong, message in (
        (videos[1], r"holds one target, and two has 2 \(cat, dog\): csv holds it"),
        (videos[0], "not every frame from the first on was tracked"),
    ):
        with pytest.raises(ExportError, match=message):
            exported("boxes", [wrong])


def test_a_format_that_cannot_hold_the_tracks_leaves_nothing_written(
    videos: list[TrackedVideo], tmp_path: Path
) -> None:
    with pytest.raises(ExportError):
        write_exports(["csv", "boxes"], videos, tmp_path)
    with pytest.raises(ExportError, match="Did you mean 'mot'"):
        write_exports(["csv", "mott"], videos, tmp_path)
    assert not list(tmp_path.iterdir())
    assert write_exports(["csv", "tao"], videos, tmp_path) == [tmp_path / "csv", tmp_path / "tao"]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


def test_results_of_benchmarks_are_exported_when_they_are_made_and_later(workspace: Path) -> None:
    first = ["opencv", "kcf", "--sequence", "0", "--export", "mot"]
    assert run_tracker.main(first) == 0
    folder = workspace / "tracking_results" / "opencv" / "kcf"
    (file,) = (folder / "exports" / "mot").iterdir()
    boxes = np.loadtxt(folder / file.name, delimiter="\t")
    rows = np.loadtxt(file, delimiter=",")
    assert np.allclose(rows[:, 2:6] - [1, 1, 0, 0], boxes, atol=0.006) and rows[:, 0].tolist() == [
        *range(1, len(boxes) + 1)
    ]
    assert analysis.main(["opencv/kcf", "--export", "coco-video", "--export", "cvat"]) == 0
    content = json.loads((folder / "exports" / "coco-video" / "coco-video.json").read_text())
    assert [video["name"] for video in content["videos"]] == [file.stem]
    assert len(content["images"]) == len(content["annotations"]) == len(boxes)
    assert (folder / "exports" / "cvat" / f"{file.stem}.xml").is_file()


@pytest.mark.parametrize("form", [form for form in EXPORT_NAMES if form != "boxes"])
def test_each_format_writes_a_file_a_video_or_one_of_all(form: str, videos: list[TrackedVideo]) -> None:
    names = sorted(name.partition(".")[0] for name in exported(form, videos))
    assert names in (["one", "two"], [form])
