"""Each benchmark is read in its real layout, here in miniature, and what is wrong with its files is named."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.data.image_loader import ImageError
from ltr.dataset import DatasetError
from pytracking.analysis.render import write_video
from pytracking.analysis.scoring import score_got10k, score_sequence
from pytracking.evaluation import SequenceError, SequenceList, get_dataset
from pytracking.evaluation.benchmarks import (
    got10k_test,
    got10k_val,
    lasot,
    nfs,
    trackingnet,
    uav,
    uav20l_entries,
    uav_entries,
    vot,
)
from pytracking.evaluation.own_videos import own_videos
from pytracking.evaluation.video_files import VideoError
from pytracking.metrics import MetricError
from pytracking.registry import BENCHMARKS

BOX = "10,8,12,9"
POLYGON = "10,8,20,10,18,20,8,18"


def write_images(folder: Path, numbers: range, digits: int = 8) -> None:
    """Frame k is painted with the grey value k."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{number:0{digits}d}.jpg").write_bytes(grey_jpeg(number % 256))


@functools.cache
def grey_jpeg(value: int) -> bytes:
    return cv2.imencode(".jpg", np.full((32, 48, 3), value, np.uint8))[1].tobytes()


def write_lines(file: Path, *lines: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def make_uav(root: Path) -> Path:
    """UAV123's shortest video, two parts of another, and a folder of boxes for UAV20L."""
    write_images(root / "data_seq/UAV123/uav6", range(1, 110), 6)
    write_lines(root / "anno/UAV123/uav6.txt", BOX, "NaN,NaN,NaN,NaN", *[BOX] * 107)
    write_images(root / "data_seq/UAV123/truck4", range(1, 1262), 6)
    write_lines(root / "anno/UAV123/truck4_1.txt", *[BOX] * 577)
    write_lines(root / "anno/UAV123/truck4_2.txt", *[BOX] * 685)
    return root


def make_lasot(root: Path) -> Path:
    folder = root / "airplane" / "airplane-13"
    write_images(folder / "img", range(1, 4))
    write_lines(folder / "groundtruth.txt", *[BOX] * 3)
    write_lines(folder / "full_occlusion.txt", "0,1,0")
    write_lines(folder / "out_of_view.txt", "0,0,0")
    write_images(root / "airplane" / "airplane-2" / "img", range(1, 4))  # of the training split
    return root


def make_got10k(root: Path, split: str, boxes: int) -> Path:
    name = f"GOT-10k_{split.capitalize()}_000001"
    write_lines(root / split / "list.txt", name)
    write_images(root / split / name, range(1, 5))
    write_lines(root / split / name / "groundtruth.txt", *[BOX] * boxes)
    if split == "val":
        write_lines(root / split / name / "cover.label", "8", "8", "0", "5")
    return root


def make_vot(root: Path, color: bool) -> Path:
    write_lines(root / "list.txt", "ants1", "bag")
    for name, line in (("ants1", POLYGON), ("bag", BOX)):
        write_images(root / name / "color" if color else root / name, range(1, 4))
        write_lines(root / name / "groundtruth.txt", *[line] * 3)
    return root


def names(sequences: SequenceList) -> list[str]:
    return [sequence.name for sequence in sequences]


def test_uav123_cuts_its_long_videos_and_keeps_lines_of_nan(tmp_path: Path) -> None:
    sequences = uav(make_uav(tmp_path))
    assert names(sequences) == ["uav_truck4_1", "uav_truck4_2", "uav_uav6"]
    second = sequences["uav_truck4_2"]
    assert [Path(str(second.frames[index])).stem for index in (0, 1, -1)] == ["000577", "000578", "001261"]
    assert np.isnan(sequences["uav_uav6"].ground_truth_rect[1]).all()


def test_uav123_knows_where_each_sequence_ends(tmp_path: Path) -> None:
    boxes = make_uav(tmp_path) / "anno/UAV123/truck4_1.txt"
    write_lines(boxes, *[BOX] * 300, "", *[BOX] * 276)  # else all later boxes would be shifted
    with pytest.raises(DatasetError, match=r"truck4_1.txt, line 301: expected 4 numbers"):
        uav(tmp_path)
    write_lines(boxes, *[BOX] * 500)
    with pytest.raises(SequenceError, match="truck4_1.txt has 500 boxes for the 577 images of uav_truck4_1"):
        uav(tmp_path)
    write_lines(boxes, *[BOX] * 577)
    (tmp_path / "data_seq/UAV123/uav6/000109.jpg").unlink()
    with pytest.raises(
        FileNotFoundError, match="uav6: 1 of the images 1 to 109 are missing, first number 109.* uav_shortened"
    ):
        uav(tmp_path)


def test_a_shortened_copy_is_read_on_purpose_under_a_name_of_its_own(tmp_path: Path) -> None:
    make_uav(tmp_path)
    for number in range(600, 1262):
        (tmp_path / f"data_seq/UAV123/truck4/{number:06d}.jpg").unlink()
    sequences = uav(tmp_path, shortened=True)
    assert [(sequence.name, len(sequence), sequence.dataset) for sequence in sequences] == [
        ("uav_truck4_1", 577, "uav_shortened"),
        ("uav_truck4_2", 23, "uav_shortened"),
        ("uav_uav6", 109, "uav_shortened"),
    ]
    write_lines(tmp_path / "anno/UAV123/truck4_2.txt", *[BOX] * 22)
    with pytest.raises(SequenceError, match="truck4_2.txt has 22 boxes for the 23 images"):
        uav(tmp_path, shortened=True)
    for number in range(500, 600):
        (tmp_path / f"data_seq/UAV123/truck4/{number:06d}.jpg").unlink()
    assert names(uav(tmp_path, shortened=True)) == ["uav_truck4_1", "uav_uav6"], "the second part has not begun"


def test_uav123_has_123_sequences_and_20_long_ones() -> None:
    entries = uav_entries()
    assert len({entry.name for entry in entries}) == 123
    assert all(entry.first and entry.last and entry.first < entry.last for entry in entries)
    long = uav20l_entries()
    assert len({entry.images for entry in long}) == 20
    # The numbers of frames that the paper gives.
    assert sum(entry.last - entry.first + 1 for entry in entries if entry.first and entry.last) == 112_578
    assert sum(entry.last for entry in long if entry.last) == 58_670


def test_nfs_takes_its_names_from_its_boxes(tmp_path: Path) -> None:
    write_images(tmp_path / "sequences" / "Gymnastics", range(1, 4), 5)
    write_lines(tmp_path / "anno" / "nfs_Gymnastics.txt", *[BOX.replace(",", "\t")] * 3)
    assert names(nfs(tmp_path)) == ["nfs_Gymnastics"]
    with pytest.raises(FileNotFoundError, match="check nfs_dir"):
        nfs(tmp_path / "sequences")


def test_lasot_reads_its_test_split_and_does_not_score_hidden_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequences = lasot(make_lasot(tmp_path))
    assert names(sequences) == ["airplane-13"]
    assert sequences[0].object_class == "airplane"
    assert sequences[0].target_visible is not None and sequences[0].target_visible.tolist() == [True, False, True]
    assert "holds 1 of the 280 runs of lasot" in capsys.readouterr().err
    write_lines(tmp_path / "airplane/airplane-13/out_of_view.txt", "0,0")
    with pytest.raises(DatasetError, match=r"out_of_view.txt has 2 numbers for 3 images"):
        lasot(tmp_path)


def test_trackingnet_and_got10k_test_know_the_first_box_only(tmp_path: Path) -> None:
    write_images(tmp_path / "TEST/frames/abc_1", range(4), 1)
    write_lines(tmp_path / "TEST/anno/abc_1.txt", BOX)
    make_got10k(tmp_path, "test", 1)
    for sequences in (trackingnet(tmp_path), trackingnet(tmp_path / "TEST"), got10k_test(tmp_path)):
        sequence = sequences[0]
        assert len(sequence) == 4 and np.isnan(sequence.ground_truth_rect[1:]).all()
        with pytest.raises(MetricError, match="publishes only the first box.*pack_results"):
            score_sequence(np.ones((4, 4)), sequence)
        with pytest.raises(MetricError, match="publishes only the first box"):
            score_got10k(np.ones((4, 4)), sequence)


def test_got10k_is_scored_without_its_first_and_its_covered_frames(tmp_path: Path) -> None:
    sequences = got10k_val(make_got10k(tmp_path, "val", 4))
    boxes = sequences[0].ground_truth_rect.copy()
    assert score_got10k(boxes, sequences[0]).tolist() == [1, 1]
    boxes[[0, 2]] += 100  # neither counts
    assert score_got10k(boxes, sequences[0]).tolist() == [1, 1]
    boxes[3] += 100
    assert score_got10k(boxes, sequences[0]).tolist() == [1, 0]
    assert got10k_val(tmp_path / "val")[0].name == sequences[0].name
    np.testing.assert_array_equal(sequences[0].shortened(2).meta["cover"], [8, 8])


@pytest.mark.parametrize("color", [False, True])
def test_vot_is_read_with_polygons_in_both_its_layouts(tmp_path: Path, color: bool) -> None:
    sequences = vot(make_vot(tmp_path / "VOT2018", color))
    assert names(sequences) == ["ants1", "bag"]
    assert sequences["ants1"].ground_truth_rect[0].tolist() == [8, 8, 12, 12]
    assert sequences["ants1"].meta["polygons"].shape == (3, 8)
    assert sequences["bag"].ground_truth_rect[0].tolist() == [10, 8, 12, 9]
    for root in (tmp_path, tmp_path / "VOT2018"):
        assert [sequence.dataset for sequence in vot(root, year=2018)] == ["vot2018"] * 2
    with pytest.raises(FileNotFoundError, match="holds no folder vot2016"):
        vot(tmp_path, year=2016)


def test_vot_masks_are_refused_by_name(tmp_path: Path) -> None:
    write_lines(make_vot(tmp_path, True) / "bag" / "groundtruth.txt", *["m10,12,5,5,0,3"] * 3)
    with pytest.raises(DatasetError, match="bag/groundtruth.txt, line 1: expected 4 numbers or 8 numbers, not"):
        vot(tmp_path)


@pytest.mark.parametrize(
    ("name", "path", "make"),
    [
        ("uav", "PYTRACKING_UAV_DIR", make_uav),
        ("lasot", "PYTRACKING_LASOT_DIR", make_lasot),
        ("got10k_val", "PYTRACKING_GOT10K_DIR", lambda root: make_got10k(root, "val", 4)),
        ("got10k_test", "PYTRACKING_GOT10K_DIR", lambda root: make_got10k(root, "test", 1)),
        ("vot2019", "PYTRACKING_VOT_DIR", lambda root: make_vot(root / "vot2019", True).parent),
    ],
)
def test_benchmarks_come_by_name_from_their_path(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, path: str, make: Callable[[Path], Path]
) -> None:
    monkeypatch.delenv("PYTRACKING_GOT10K_VAL_DIR")  # empty, it would hide the folder beside train/
    monkeypatch.setenv(path, str(make(tmp_path / "data")))
    sequences = get_dataset(name)
    assert {sequence.dataset for sequence in sequences} == {name}
    assert all(sequence.frame(0).shape == (32, 48, 3) for sequence in sequences)


def test_every_benchmark_that_papers_name_is_there() -> None:
    years = [f"vot{year}" for year in range(2013, 2020)]
    known = {"otb", "otb13", "uav", "nfs", "lasot", "trackingnet", "got10k_val", "got10k_test", "vot", "synthetic"}
    assert set(BENCHMARKS.names()) >= {*known, *years}


def test_what_is_wrong_with_a_benchmark_folder_is_named(tmp_path: Path) -> None:
    root = make_vot(tmp_path / "vot", False)
    write_lines(root / "bag" / "groundtruth.txt", BOX, BOX)
    with pytest.raises(SequenceError, match="bag/groundtruth.txt has 2 boxes for the 3 images of bag"):
        vot(root)
    write_lines(root / "bag" / "groundtruth.txt", BOX, BOX, "10,8,1")  # an interrupted copy
    with pytest.raises(DatasetError, match="groundtruth.txt, line 3: expected 4 numbers or 8 numbers, not '10,8,1'"):
        vot(root)
    write_lines(root / "bag" / "groundtruth.txt", *[BOX] * 3)
    (root / "bag" / "00000002.jpg").unlink()
    with pytest.raises(FileNotFoundError, match="1 of the images 1 to 3 are missing, first number 2"):
        vot(root)
    write_images(root / "bag", range(2, 3))
    write_images(root / "bag", range(2, 3), digits=4)
    with pytest.raises(DatasetError, match="00000002.jpg and 0002.jpg are one frame|0002.jpg and 00000002.jpg"):
        vot(root)
    write_lines(root / "list.txt", "ants1", "ants1")
    with pytest.raises(DatasetError, match="list.txt has 'ants1' twice, in lines 1 and 2"):
        vot(root)
    with pytest.raises(FileNotFoundError, match="holds neither a list.txt"):
        vot(root / "ants1")
    with pytest.raises(FileNotFoundError, match="nowhere does not exist; set uav_dir"):
        uav(tmp_path / "nowhere")


def test_a_folder_of_frames_is_a_data_set_and_frames_without_target_count_as_absent(tmp_path: Path) -> None:
    write_images(tmp_path / "mine" / "cat", range(0, 40, 10), 3)
    write_lines(tmp_path / "mine" / "cat" / "groundtruth.txt", POLYGON, "nan nan nan nan", "0 0 0 0", BOX)
    write_images(tmp_path / "mine" / "dog" / "img", range(1, 3))
    write_lines(tmp_path / "mine" / "dog.txt", BOX, BOX)
    sequences = get_dataset(str(tmp_path / "mine"))
    assert names(sequences) == ["cat", "dog"]
    visible = sequences["cat"].target_visible
    assert visible is not None and visible.tolist() == [True, False, False, True]
    assert sequences["cat"].frame(3)[0, 0, 0] == 30
    boxes = np.nan_to_num(sequences["cat"].ground_truth_rect)
    assert score_sequence(boxes, sequences["cat"]).auc == pytest.approx(10 / 21)
    assert names(own_videos(tmp_path / "mine" / "dog")) == ["dog"]


def test_a_video_file_is_a_data_set(tmp_path: Path) -> None:
    file = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no video")
    for index in range(6):
        writer.write(np.full((48, 64, 3), (0, 0, 40 * index), np.uint8))
    writer.release()
    write_lines(tmp_path / "clip.txt", *[BOX] * 6)
    sequence = get_dataset(str(file))["clip"]
    for index in (0, 1, 5, 3, 3):  # in order, ahead, back, again
        np.testing.assert_allclose(sequence.frame(index)[20, 30], [40 * index, 0, 0], atol=6)
    other = write_lines(tmp_path / "other.txt", *[BOX] * 5)
    with pytest.raises(SequenceError, match="other.txt has 5 boxes for the 6 frames of clip"):
        own_videos(file, other)
    file.write_bytes(b"no video")
    with pytest.raises(VideoError, match="cannot be read as a video"):
        own_videos(file)


@pytest.mark.parametrize("name", ["two words", "Zoë 鳥", "50% %04d", "#1", "http: 1", "clip.v2"])
def test_videos_may_have_any_name_and_what_macos_leaves_is_none(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write_video(folder / f"{name}.mp4", [np.full((48, 64, 3), 40 * index, np.uint8) for index in range(5)], (64, 48))
    write_lines(folder / f"{name}.txt", *[BOX] * 5)
    (folder / f"._{name}.mp4").write_bytes(b"\0\5\x16\7")
    (folder / ".DS_Store").write_bytes(b"x")
    write_images(folder / ".cache", range(1, 3))
    monkeypatch.chdir(folder)
    for sequences in (get_dataset(str(folder)), get_dataset("."), get_dataset(f"{name}.mp4")):
        assert names(sequences) == [name]
        np.testing.assert_allclose(sequences[0].frame(3).mean(), 120, atol=4)
    assert get_dataset(".")[0].dataset == "mine"
    monkeypatch.setenv("PYTRACKING_MAX_PIXELS", "3000")
    with pytest.raises(ImageError, match="declares 64 x 48 pixels, more than the 3,000"):
        get_dataset(str(folder))


def test_videos_without_ground_truth_or_frames_are_named(tmp_path: Path) -> None:
    write_images(tmp_path / "cat", range(3), 3)
    with pytest.raises(FileNotFoundError, match="cat has no ground truth; looked for .*groundtruth.txt"):
        own_videos(tmp_path / "cat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="is no video file .*, and holds no frames"):
        own_videos(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="neither a video nor a folder"):
        own_videos(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["./nothing", "nothing/here", "/nothing", "~/nothing"])
def test_what_is_written_as_a_path_is_said_to_be_no_folder(name: str) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder or video .*nothing"):
        get_dataset(name)
