from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr.admin.environment import Environment
from ltr.data.image_loader import ImageError
from ltr.data.sampler import TrackingSampler
from ltr.dataset import DatasetError, Got10k, folders
from ltr.dataset.got10k import TRAIN_VIDEOS, vot_split
from ltr.dataset.named import open_dataset

BOXES = "1,2,3,4\n2.5,2,3,4\n3,2,3,4\n"


def write_video(folder: Path, num_frames: int = 3, **files: str) -> Path:
    """Writes frames, and a text file for each argument: ``groundtruth`` and ``points`` as .txt, others as .label."""
    folder.mkdir(parents=True)
    for frame in range(num_frames):
        cv2.imwrite(str(folder / f"{frame + 1:08d}.jpg"), np.full((12, 16, 3), 20 * frame, np.uint8))
    for name, text in files.items():
        (folder / f"{name}.{'txt' if name in ('groundtruth', 'points') else 'label'}").write_text(text)
    return folder


def dataset_of(tmp_path: Path, num_frames: int = 3, **files: str) -> Got10k:
    """A data set of one video."""
    write_video(tmp_path / "train" / "video", num_frames, **files)
    (tmp_path / "train" / "list.txt").write_text("video\n")
    return Got10k(tmp_path)


def test_boxes_frames_class_and_names_are_read(tmp_path):
    dataset = dataset_of(tmp_path, groundtruth=BOXES)
    (tmp_path / "train" / "video" / "meta_info.ini").write_text("[METAINFO]\nurl: x\nobject_class: snow leopard\n")
    info = dataset.get_sequence_info(0)
    assert info["bbox"].dtype == torch.float32 and info["bbox"][1].tolist() == [2.5, 2, 3, 4]
    assert info["valid"].all() and info["visible"].all() and info["in_view"].all() and "point" not in info
    frames, anno, meta = dataset.get_frames(0, [2, 0])
    assert frames[0].shape == (12, 16, 3) and abs(int(frames[0][0, 0, 0]) - 40) <= 1
    assert anno["bbox"][0].tolist() == [3, 2, 3, 4]
    assert meta == {"object_class_name": "snow leopard", "sequence_name": "video"}
    assert dataset.frame_name(0, 2) == "video/00000003" and dataset.get_name() == "got10k"
    assert dataset.get_class_list() == ["snow leopard"] and dataset.get_sequences_in_class("snow leopard") == [0]


def test_a_target_is_visible_where_it_is_not_absent_is_not_covered_and_has_a_box(tmp_path):
    dataset = dataset_of(
        tmp_path, 5, groundtruth="1,1,5,5\n" * 4 + "1,1,0,5\n", absence="0\n1\n0\n0\n0\n", cover="8\n8\n0\n1\n8\n"
    )
    info = dataset.get_sequence_info(0)
    assert info["valid"].tolist() == [True, True, True, True, False]
    assert info["in_view"].tolist() == [True, False, False, True, True]
    assert info["visible"].tolist() == [True, False, False, True, False]


def test_boxes_without_size_or_of_nan_are_invalid_not_an_error(tmp_path):
    boxes = "1,1,5,5\n1,1,0,5\n1,1,5,-2\n0,0,0,0\nnan,nan,nan,nan\nNaN NaN NaN NaN\n"
    info = dataset_of(tmp_path, 6, groundtruth=boxes).get_sequence_info(0)
    assert info["valid"].tolist() == info["visible"].tolist() == [True] + [False] * 5


def test_clicks_alone_are_a_data_set_without_boxes(tmp_path):
    dataset = dataset_of(tmp_path, points="3,4\nnan,nan\n5.25,6\n", cover="8\n8\n0\n")
    info = dataset.get_sequence_info(0)
    assert "bbox" not in info
    assert info["point"][2].tolist() == [5.25, 6] and info["point"][1].isnan().all()
    assert info["valid"].tolist() == [True, False, True] and info["visible"].tolist() == [True, False, False]


def test_clicks_and_boxes_can_both_be_there(tmp_path):
    info = dataset_of(tmp_path, groundtruth=BOXES, points="3,4\nnan,nan\n5,6\n").get_sequence_info(0)
    assert info["valid"].all() and info["bbox"].shape == (3, 4) and info["point"].shape == (3, 2)


def test_separators_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path):
    info = dataset_of(tmp_path, groundtruth="\ufeff1,2,3,4\r\n1\t2\t3\t4\r\n1 2, 3 4\r\n\r\n").get_sequence_info(0)
    assert (info["bbox"] == torch.tensor([1.0, 2, 3, 4])).all()


def test_the_root_may_hold_the_splits_or_be_one(tmp_path):
    for split in ("train", "val"):
        write_video(tmp_path / split / f"{split}_video", groundtruth=BOXES)
        (tmp_path / split / "list.txt").write_text(f"{split}_video\n\n")
    assert Got10k(tmp_path).sequence_name(0) == "train_video"
    assert Got10k(tmp_path, "val").sequence_name(0) == "val_video"
    assert Got10k(tmp_path / "val").sequence_name(0) == "val_video"
    assert Got10k(str(tmp_path / "val"), "val").sequence_name(0) == "val_video"
    with pytest.raises(DatasetError, match="is the split 'train', not 'val'"):
        Got10k(tmp_path / "train", "val")
    with pytest.raises(DatasetError, match="unknown split 'valid'.*train, val, test"):
        Got10k(tmp_path, "valid")
    with pytest.raises(DatasetError, match="neither .*test.*list.txt"):
        Got10k(tmp_path, "test")


def test_some_videos_can_be_chosen(tmp_path):
    for name in "abc":
        write_video(tmp_path / "train" / name, groundtruth=BOXES)
    (tmp_path / "train" / "list.txt").write_text("a\nb\nc\n")
    assert [Got10k(tmp_path, seq_ids=[2, 0]).sequence_name(i) for i in range(2)] == ["c", "a"]
    with pytest.raises(DatasetError, match=r"seq_ids holds \[3\].*names 3 videos"):
        Got10k(tmp_path, seq_ids=[1, 3])


def test_a_missing_root_and_an_empty_or_missing_list_are_errors_that_name_the_fix(tmp_path):
    with pytest.raises(DatasetError, match="no folder .*nowhere.*got10k_dir"):
        Got10k(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"neither .*list.txt nor .*train.*list.txt"):
        Got10k(tmp_path)
    (tmp_path / "list.txt").write_text("\n \n")
    with pytest.raises(DatasetError, match="list.txt is empty.*one a line"):
        Got10k(tmp_path)


def test_a_listed_video_without_folder_images_or_annotation_is_an_error(tmp_path):
    (tmp_path / "list.txt").write_text("gone\nempty\nbare\n")
    (tmp_path / "empty").mkdir()
    write_video(tmp_path / "bare")
    dataset = Got10k(tmp_path)
    with pytest.raises(DatasetError, match="no folder .*gone, which .*list.txt names"):
        dataset.get_sequence_info(0)
    with pytest.raises(DatasetError, match="no images in .*empty"):
        dataset.get_sequence_info(1)
    with pytest.raises(DatasetError, match=r"neither .*bare.groundtruth.txt \(boxes.*points.txt \(clicks"):
        dataset.get_sequence_info(2)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"groundtruth": "1,2,3,4\n"}, "groundtruth.txt has 1 lines for 3 images"),
        ({"groundtruth": BOXES + "1,2,3,4\n"}, "groundtruth.txt has 4 lines for 3 images"),
        ({"groundtruth": ""}, "groundtruth.txt has 0 lines for 3 images"),
        (
            {"groundtruth": "1,2,3,4\n1,2,x,4\n1,2,3,4\n"},
            "txt, line 2: expected 4 numbers, or nan alone, not '1,2,x,4'",
        ),
        ({"groundtruth": "1,2,3,4\n1,2,3\n1,2,3,4\n"}, "groundtruth.txt, line 2: .* not '1,2,3'"),
        ({"groundtruth": "1,2,3,4\n\n1,2,3,4\n"}, "groundtruth.txt, line 2: .* not ''"),
        ({"groundtruth": "1,2,3,4\n1,2,3,nan\n1,2,3,4\n"}, "line 2: .*not '1,2,3,nan'"),
        ({"groundtruth": "1,2,3,4\n1,2,inf,4\n1,2,3,4\n"}, "line 2: .*not '1,2,inf,4'"),
        ({"points": "1,2\n1\n1,2\n"}, "points.txt, line 2: expected 2 numbers, or nan alone, not '1'"),
        ({"points": "1,2\nnan,2\n1,2\n"}, "points.txt, line 2: .*not 'nan,2'"),
        ({"groundtruth": BOXES, "absence": "0\n0\n"}, "absence.label has 2 numbers for 3 images"),
        (
            {"groundtruth": BOXES, "cover": "8\nmany\n8\n"},
            "line 2: expected a whole number from 0 to 8, .*not 'many'",
        ),
        ({"groundtruth": BOXES, "cover": "8\n9\n8\n"}, "cover.label, line 2: .*not '9'"),
        ({"groundtruth": BOXES, "absence": "0\n0.5\n1\n"}, "absence.label, line 2: .*not '0.5'"),
        ({"groundtruth": BOXES, "absence": "0,0\n1\n"}, "absence.label, line 1: .*or all numbers in one line"),
        ({"groundtruth": BOXES, "cover": "8\nnan\n8\n"}, "cover.label, line 2: .*not 'nan'"),
    ],
)
def test_a_damaged_annotation_is_an_error_that_names_file_and_line(tmp_path, files, message):
    dataset = dataset_of(tmp_path, **files)
    with pytest.raises(DatasetError, match=message):
        dataset.get_sequence_info(0)


def test_a_file_of_no_text_is_an_error_that_names_it(tmp_path):
    dataset = dataset_of(tmp_path, groundtruth=BOXES)
    (tmp_path / "train" / "video" / "groundtruth.txt").write_bytes(b"\xff\xfe\x00\x01\n" * 3)
    with pytest.raises(DatasetError, match="groundtruth.txt, line 1"):
        dataset.get_sequence_info(0)


def test_a_missing_or_cut_image_is_an_error_that_names_it(tmp_path):
    dataset = dataset_of(tmp_path, groundtruth=BOXES)
    dataset.get_sequence_info(0)
    image = tmp_path / "train" / "video" / "00000002.jpg"
    image.write_bytes(image.read_bytes()[:-40])
    with pytest.raises(ImageError, match="video.00000002.jpg is (cut off|damaged)"):
        dataset.get_frames(0, [0, 1])
    image.unlink()
    with pytest.raises(ImageError, match="no image .*video.00000002.jpg"):
        dataset.get_frames(0, [0, 1])
    with pytest.raises(DatasetError, match="3 lines for 2 images"):
        Got10k(tmp_path).get_sequence_info(0)


def test_a_video_of_one_frame_is_read_but_not_drawn(tmp_path):
    dataset = dataset_of(tmp_path, 1, groundtruth="1,2,3,4\n")
    assert dataset.get_sequence_info(0)["visible"].tolist() == [True]
    with pytest.raises(ValueError, match="no video of the data set 'got10k'.*longer videos"):
        TrackingSampler([dataset])[0]


def test_without_meta_info_the_class_is_unknown(tmp_path):
    dataset = dataset_of(tmp_path, groundtruth=BOXES)
    assert dataset.get_class_name(0) is None and dataset.get_class_list() == []


def test_an_image_loader_of_ones_own_gets_the_path(tmp_path):
    dataset_of(tmp_path, groundtruth=BOXES)
    asked: list[Path] = []

    def loader(path: Path) -> np.ndarray:
        asked.append(path)
        return np.zeros((1, 1, 3), np.uint8)

    Got10k(tmp_path, image_loader=loader).get_frames(0, [1])
    assert asked == [tmp_path / "train" / "video" / "00000002.jpg"]


def test_annotation_is_read_once_and_the_memory_of_it_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "CACHED_SEQUENCES", 2)
    for name in "abc":
        write_video(tmp_path / "train" / name, groundtruth=BOXES)
    (tmp_path / "train" / "list.txt").write_text("a\nb\nc\n")
    dataset = Got10k(tmp_path)
    for seq_id in range(3):
        dataset.get_sequence_info(seq_id)
    shutil.rmtree(tmp_path / "train")
    assert all(len(dataset.get_sequence_info(seq_id)["bbox"]) == 3 for seq_id in (1, 2))
    with pytest.raises(DatasetError, match="no folder .*a, which"):
        dataset.get_sequence_info(0)


@pytest.mark.parametrize(("split", "count"), [("train", 52), ("val", 9)])
def test_real_videos_are_read(shared_data, split, count):
    dataset = Got10k(shared_data / "real_got10k", split)
    assert len(dataset) == count
    for seq_id in range(0, count, 4):
        info = dataset.get_sequence_info(seq_id)
        frames, anno, meta = dataset.get_frames(seq_id, [0, len(info["bbox"]) - 1])
        assert 2 <= len(info["bbox"]) <= 56 and info["visible"][0] and meta["object_class_name"]
        height, width = frames[0].shape[:2]
        center = anno["bbox"][0][:2] + anno["bbox"][0][2:] / 2
        assert 0 < center[0] < width and 0 < center[1] < height, "the first box lies in the first frame"


def test_pairs_are_drawn_from_real_videos(shared_data):
    sampler = TrackingSampler([Got10k(shared_data / "real_got10k")], None, 10, 20, frame_sample_mode="interval")
    for k in range(10):
        data = sampler[k]
        assert 0 < abs(data.train_frame_ids[0] - data.test_frame_ids[0]) <= 20
        assert data.train_visible[0] and data.test_visible[0]
        assert data.train_images[0].shape == data.test_images[0].shape


def test_the_parts_that_dimps_release_trains_with(tmp_path: Path) -> None:
    train, val = vot_split("vottrain"), vot_split("votval")
    assert (len(train), len(val), TRAIN_VIDEOS - len(train) - len(val)) == (7086, 1249, 1000)
    assert not {*train} & {*val} and max(train) < TRAIN_VIDEOS and train == sorted(train)
    (tmp_path / "train").mkdir()
    names = [f"GOT-10k_Train_{number:06d}" for number in range(1, TRAIN_VIDEOS + 1)]
    (tmp_path / "train" / "list.txt").write_text("\n".join(names))
    videos = open_dataset("got10k_vottrain", Environment(got10k_dir=tmp_path))
    assert len(videos) == 7086 and videos.sequence_name(0) == names[train[0]]
    assert Got10k(tmp_path, "votval").sequence_name(0) == names[val[0]]
    (tmp_path / "train" / "list.txt").write_text("one\ntwo\n")
    with pytest.raises(DatasetError, match=r"votval is a part of the 9,335 videos .*list\.txt names 2"):
        Got10k(tmp_path, "votval")
