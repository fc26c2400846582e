"""LaSOT, TrackingNet and COCO in their own layouts, small."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.admin.environment import Environment
from ltr.admin.settings import SettingsError
from ltr.dataset import Coco, Lasot, TrackingNet
from ltr.dataset.defaults import PAPER_SETS, held_out_videos, training_sets, training_videos
from ltr.dataset.export import export_got10k
from ltr.dataset.lasot import lasot_test_split
from ltr.dataset.named import open_dataset
from ltr.dataset.synthetic import SyntheticVideo
from ltr.dataset.text import DatasetError
from ltr.train_settings.dimp import dimp18


def write_image(path: Path, grey: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((24, 32, 3), grey, np.uint8))


@pytest.fixture
def lasot(tmp_path: Path) -> Path:
    root = tmp_path / "lasot"
    for name in ("airplane-1", "airplane-2", "kite-3"):  # airplane-1 is one that LaSOT tests on
        folder = root / name.rpartition("-")[0] / name
        for frame in range(4):
            write_image(folder / "img" / f"{frame + 1:08d}.jpg", 40 * frame)
        (folder / "groundtruth.txt").write_text("1,2,10,8\n2,2,10,8\n3,2,10,8\n0,0,0,0\n")
        (folder / "full_occlusion.txt").write_text("0,1,0,0")
        (folder / "out_of_view.txt").write_text("0,0,0,1\n")
    return root


@pytest.fixture
def trackingnet(tmp_path: Path) -> Path:
    root = tmp_path / "trackingnet"
    for part, name, frames in ((0, "aBc_0", 12), (0, "xyz_1", 2), (11, "last_2", 2)):
        for frame in range(frames):
            write_image(root / f"TRAIN_{part}" / "frames" / name / f"{frame}.jpg", 20 * frame)
        anno = root / f"TRAIN_{part}" / "anno" / f"{name}.txt"
        anno.parent.mkdir(parents=True, exist_ok=True)
        anno.write_text("".join(f"{frame}.5,1,8,6\n" for frame in range(frames)))
    return root


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    root = tmp_path / "coco"
    for number in (9, 25):
        write_image(root / "train2017" / f"{number:012d}.jpg", 4 * number)
    content = {
        "images": [{"id": number, "file_name": f"{number:012d}.jpg"} for number in (9, 25)],
        "categories": [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}],
        "annotations": [
            {"id": 7, "image_id": 25, "category_id": 90, "bbox": [3.5, 4, 10, 12], "iscrowd": 0, "area": 60},
            {"id": 8, "image_id": 9, "category_id": 1, "bbox": [0, 0, 30, 20], "iscrowd": 1, "area": 60},
            {"id": 9, "image_id": 9, "category_id": 1, "bbox": [5, 5, 0, 3], "iscrowd": 0, "area": 0},
            {"id": 10, "image_id": 9, "category_id": 1, "bbox": [5, 5, 6, 3], "iscrowd": 0, "area": 18},
        ],
    }
    (root / "annotations").mkdir()
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(content))
    return root


def test_lasot_hides_what_it_tests_on_and_what_is_not_seen(lasot: Path) -> None:
    dataset = Lasot(lasot)
    assert [dataset.sequence_name(number) for number in range(len(dataset))] == ["airplane-2", "kite-3"]
    assert [Lasot(lasot, "test").sequence_name(number) for number in range(1)] == ["airplane-1"]
    assert sum(map(len, lasot_test_split().values())) == 280 and len(lasot_test_split()) == 70
    info = dataset.get_sequence_info(1)
    assert info["bbox"][2].tolist() == [3, 2, 10, 8]
    assert info["valid"].tolist() == [True, True, True, False]
    assert info["visible"].tolist() == [True, False, True, False]
    assert abs(int(dataset.load_frame(1, 2).mean()) - 80) < 2
    assert dataset.get_class_list() == ["airplane", "kite"]
    (lasot / "kite" / "kite-3" / "out_of_view.txt").write_text("0,0,1")
    with pytest.raises(DatasetError, match=r"out_of_view\.txt has 3 numbers for 4 images"):
        Lasot(lasot).get_sequence_info(1)


def test_trackingnet_counts_its_frames_from_0_and_reads_the_parts_that_are_there(trackingnet: Path) -> None:
    dataset = TrackingNet(trackingnet)
    assert [dataset.sequence_name(number) for number in range(3)] == ["aBc_0", "xyz_1", "last_2"]
    assert len(TrackingNet(trackingnet, parts=[11])) == 1
    info = dataset.get_sequence_info(0)
    assert info["bbox"].shape == (12, 4) and info["bbox"][10].tolist() == [10.5, 1, 8, 6] and info["visible"].all()
    assert abs(int(dataset.load_frame(0, 10).mean()) - 200) < 2


def test_what_macos_leaves_does_not_count_and_lost_frames_are_named(lasot: Path, trackingnet: Path) -> None:
    for file in (
        lasot / "kite" / "._kite-3" / "groundtruth.txt",
        lasot / "kite" / "kite-3" / "img" / "._00000001.jpg",
        trackingnet / "TRAIN_0" / "anno" / "._aBc_0.txt",
        trackingnet / "TRAIN_0" / "frames" / "aBc_0" / "._0.jpg",
    ):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"\0\5\x16\7")
    for dataset, video, images in (
        (Lasot(lasot), 1, lasot / "kite" / "kite-3" / "img"),
        (TrackingNet(trackingnet), 0, trackingnet / "TRAIN_0" / "frames" / "aBc_0"),
    ):
        assert len(dataset) == len(pickle.loads(pickle.dumps(dataset))) in (2, 3)
        boxes = len(dataset.get_sequence_info(video)["bbox"])
        next(images.glob("[!.]*.jpg")).unlink()
        with pytest.raises(DatasetError, match=rf"txt has {boxes} (lines|numbers) for {boxes - 1} images"):
            type(dataset)(dataset.root).get_sequence_info(video)  # type: ignore[call-arg, arg-type]


def test_coco_is_objects_in_still_images(coco: Path) -> None:
    dataset = Coco(coco)
    assert len(dataset) == 2 and not dataset.is_video_sequence()
    assert [dataset.get_class_name(number) for number in range(2)] == ["toothbrush", "person"]
    assert dataset.get_sequence_info(0)["bbox"].tolist() == [[3.5, 4, 10, 12]]
    assert dataset.frame_name(0, 0) == "000000000007/000000000025"
    assert abs(int(dataset.load_frame(1, 0).mean()) - 36) < 2
    (coco / "annotations" / "instances_train2017.json").write_text('{"images": []}')
    with pytest.raises(DatasetError, match="names 'categories' somewhere, but has no such key"):
        Coco(coco)


def test_a_folder_that_holds_something_else_is_named(tmp_path: Path) -> None:
    for kind, setting in ((Lasot, "lasot_dir"), (TrackingNet, "trackingnet_dir"), (Coco, "coco_dir")):
        with pytest.raises(DatasetError, match=setting):
            kind(tmp_path)
        with pytest.raises(DatasetError, match="unknown split 'all'"):
            kind(tmp_path, split="all")


def test_recipes_learn_from_what_is_set_and_say_what_is_not(
    lasot: Path, trackingnet: Path, coco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = replace(Environment(), lasot_dir=lasot, trackingnet_dir=trackingnet)
    sets = training_sets(env, 2, PAPER_SETS)
    assert [each.get_name() for each in sets] == ["lasot", "trackingnet"]
    assert capsys.readouterr().out == "not set on this machine, so not learned from: got10k, coco\n"
    env.coco_dir = coco
    crop = replace(dimp18.DiMPConfig().train_crop, size=96)
    config = dimp18.DiMPConfig(batch_size=2, samples_per_epoch=2, frames=2, train_crop=crop, test_crop=crop)
    batch = next(iter(dimp18.training_loader(training_sets(env, 2, ("coco",)), config)))
    assert tuple(batch["train_images"].shape) == (2, 2, 3, 96, 96), "a still image stands for all frames"
    assert pickle.loads(pickle.dumps(open_dataset("lasot_test", env))).sequence_name(0) == "airplane-1"


def test_embedded_videos_take_the_place_of_all_data_sets_or_of_none(
    tmp_path: Path, lasot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [len(each) for each in training_sets(Environment(), 3, ())] == [3]
    assert capsys.readouterr().out.startswith("no data set is configured: learning from embedded")
    assert [len(each) for each in training_sets(Environment(), 3, ("lasot", "coco"))] == [3]
    assert capsys.readouterr().out.startswith("not set on this machine, so not learned from: lasot, coco\nno data set")
    export_got10k(SyntheticVideo(1, num_frames=2, size=(48, 64)), tmp_path / "got", "train")
    env = replace(Environment(), got10k_dir=tmp_path / "got", lasot_dir=lasot)
    both = training_sets(env, 3, ("lasot", "got10k", "lasot"))
    assert [each.get_name() for each in both] == ["got10k", "lasot"] and not capsys.readouterr().out
    env.got10k_dir = None
    assert len(training_videos(env, 3)) == 3, "a recipe that learns from GOT-10k alone"
    assert capsys.readouterr().out.startswith("GOT-10k is not set: learning from embedded")
    assert len(held_out_videos(env, 2, 5)) == 2
    assert capsys.readouterr().out.startswith("got10k_val_dir is not set: the held-out score is that of embedded")


@pytest.mark.parametrize("name", ["lasto", "lasot_test", "synthetic"])
def test_a_data_set_that_cannot_be_set_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"other_sets names '{name}'.*Known: coco, got10k, lasot, trackingnet"):
        training_sets(Environment(), 2, ("coco", name))
