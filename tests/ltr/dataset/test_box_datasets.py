"""LaSOT, TrackingNet and COCO in their own layouts, small."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr import run_training
from ltr.admin.environment import Environment
from ltr.config import Data
from ltr.config.data import choose_schedule, open_videos
from ltr.config.errors import SettingsError
from ltr.dataset import Coco, ImageNetVid, Lasot, TrackingNet
from ltr.dataset.export import export_got10k
from ltr.dataset.held_out import held_out_videos
from ltr.dataset.lasot import lasot_test_split
from ltr.dataset.named import open_dataset
from ltr.dataset.synthetic import SyntheticVideo
from ltr.dataset.text import DatasetError
from ltr.registry import RegistryError
from tests.recipes import SMALL_DIMP, assembled

OTHERS = ("lasot", "trackingnet", "coco")


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
    four = open_dataset("trackingnet_parts0to3", Environment(trackingnet_dir=trackingnet))
    assert [four.sequence_name(number) for number in range(len(four))] == ["aBc_0", "xyz_1"]
    info = dataset.get_sequence_info(0)
    assert info["bbox"].shape == (12, 4) and info["bbox"][10].tolist() == [10.5, 1, 8, 6] and info["visible"].all()
    assert abs(int(dataset.load_frame(0, 10).mean()) - 200) < 2


OBJECT = """<object><trackid>{track}</trackid><name>n02691156</name>
<bndbox><xmax>{right}</xmax><xmin>4</xmin><ymax>20</ymax><ymin>5</ymin></bndbox><occluded>{occluded}</occluded></object>
"""


@pytest.fixture
def imagenet(tmp_path: Path) -> Path:
    """A video of four frames with two objects: the second is in three of them, and occluded in one."""
    video = Path("VID/train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000")
    for number, objects in enumerate([[("0", 9, 0), ("1", 14, 0)], [("1", 15, 1)], [("1", 16, 0)], []]):
        write_image(tmp_path / "imagenet" / "Data" / video / f"{number:06d}.JPEG", 40 * number)
        file = tmp_path / "imagenet" / "Annotations" / video / f"{number:06d}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        found = "".join(OBJECT.format(track=track, right=right, occluded=hid) for track, right, hid in objects)
        file.write_text(f"<annotation><folder>x</folder>{found}</annotation>")
    return tmp_path / "imagenet"


def test_imagenets_target_is_the_object_that_is_in_most_frames(imagenet: Path, tmp_path: Path) -> None:
    dataset = open_dataset("imagenet_train", Environment(imagenet_dir=imagenet))
    assert len(dataset) == 1 and dataset.sequence_name(0) == "ILSVRC2015_train_00000000"
    info = dataset.get_sequence_info(0)
    assert info["bbox"].tolist() == [[4, 5, 10, 15], [4, 5, 11, 15], [4, 5, 12, 15], [0, 0, 0, 0]]
    assert info["valid"].tolist() == [True, True, True, False] and info["visible"].tolist() == [
        True,
        False,
        True,
        False,
    ]
    assert abs(int(dataset.load_frame(0, 2).mean()) - 80) < 2
    file = next(imagenet.rglob("000002.xml"))
    for text, message in (
        ("<!DOCTYPE x><annotation/>", "has a DOCTYPE"),
        ("<annotation>", "is no whole XML file"),
        (OBJECT.format(track="1", right="wide", occluded=0), "trackid '1' is .*'xmax': 'wide'.*a number"),
    ):
        file.write_text(text)
        with pytest.raises(DatasetError, match=rf"000002\.xml.*{message}"):
            ImageNetVid(imagenet).get_sequence_info(0)
    with pytest.raises(DatasetError, match="holds no videos; set imagenet_dir"):
        ImageNetVid(tmp_path)


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
    videos = open_videos(Data(sets=("got10k_train", *OTHERS), weights=(1, 0.25, 1, 1)), env)
    assert [each.get_name() for each in videos.datasets] == ["lasot", "trackingnet"] and videos.weights == [0.25, 1]
    assert capsys.readouterr().out == "not set on this machine, so not learned from: got10k_train, coco\n"
    env.coco_dir = coco
    still = open_videos(Data(sets=("coco",)), env).datasets
    two = {"sampler.num_train_frames": 2, "sampler.num_test_frames": 2}
    batch = next(iter(assembled("dimp/dimp18", {**SMALL_DIMP, **two}, still).loader))
    assert tuple(batch["train_images"].shape) == (2, 2, 3, 96, 96), "a still image stands for all frames"
    assert pickle.loads(pickle.dumps(open_dataset("lasot_test", env))).sequence_name(0) == "airplane-1"


@pytest.mark.parametrize(
    ("name", "near"), [("got10k_trian", "got10k_train"), ("lasot_tets", "lasot_test"), ("coco_test", "coco_train")]
)
def test_a_split_that_there_is_not_is_named_before_a_path_is_asked_for(
    name: str, near: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_training.main(["siamfc", "box_siam_res18", "--device", "cpu", "--set", f"data.sets={name}"]) == 1
    error = capsys.readouterr().err
    assert f"no data set '{name}'" in error and near in error and "not set" not in error


def test_embedded_videos_take_the_place_of_all_data_sets(
    tmp_path: Path, lasot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(open_videos(Data(embedded_videos=3), Environment())) == 3
    assert capsys.readouterr().out.startswith("no data set is configured: learning from embedded")
    both = open_videos(Data(sets=("lasot", "coco"), embedded_videos=3), Environment())
    assert len(both) == 3 and both.embedded
    assert capsys.readouterr().out.startswith("none of lasot, coco is configured: learning from embedded")
    with pytest.raises(ValueError, match="coco_dir is not set"):
        open_videos(Data(sets=("coco",)), Environment(), required=True)
    env = replace(Environment(), lasot_dir=lasot)
    assert len(held_out_videos(env, 2, 5)) == 2
    assert capsys.readouterr().out.startswith("got10k_val_dir is not set: the held-out score is that of embedded")


def test_a_share_of_the_videos_is_the_seeds_choice_and_part_of_a_larger_one(tmp_path: Path) -> None:
    export_got10k(SyntheticVideo(10, num_frames=2, size=(48, 64)), tmp_path / "got", "train")
    env = replace(Environment(), got10k_dir=tmp_path / "got")

    def names(share: float, seed: int) -> list[str]:
        (dataset,) = open_videos(Data(share=share), env, seed=seed).datasets
        return [dataset.sequence_name(video) for video in range(len(dataset))]

    everything = names(1, 0)
    assert [len(names(share, 0)) for share in (0.01, 0.3, 1)] == [1, 3, 10]
    assert set(names(0.3, 0)) < set(names(0.6, 0)) < set(everything)
    assert names(0.3, 0) == names(0.3, 0) == sorted(names(0.3, 0)) and names(0.3, 0) != names(0.3, 1)
    (three,) = open_videos(Data(share=0.3), env).datasets
    (whole,) = open_videos(Data(), env).datasets
    number = everything.index(names(0.3, 0)[2])
    assert np.array_equal(three.load_frame(2, 1), whole.load_frame(number, 1))
    assert len(open_videos(Data(share=0.5, embedded_videos=4), Environment())) == 2
    with pytest.raises(SettingsError, match=r"data.share is 0; it is a part"):
        Data(share=0)


def test_the_schedule_is_the_papers_from_1000_videos_on_or_as_asked_for(tmp_path: Path) -> None:
    export_got10k(SyntheticVideo(6, num_frames=2, size=(48, 64)), tmp_path / "got", "train")
    six = open_videos(Data(), replace(Environment(), got10k_dir=tmp_path / "got"))
    assert len(six) == 6 and choose_schedule("auto", six) == "short" and choose_schedule("paper", six) == "paper"
    many = replace(six, datasets=list(six.datasets) * 167)
    assert len(many) == 1002 and choose_schedule("auto", many) == "paper" and choose_schedule("short", many) == "short"
    with pytest.raises(SettingsError, match="no schedule 'long'"):
        choose_schedule("long", six)


@pytest.mark.parametrize("name", ["lasto", "got11k_train"])
def test_a_data_set_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(RegistryError, match=f"unknown training data set '{name}'"):
        open_videos(Data(sets=("coco", name)), Environment())
