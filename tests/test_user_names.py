"""Names out of the files of a data set stay below its folder and below that of the results, or are refused."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

import ltr.registry
from ltr import run_training
from ltr.dataset import Coco, DatasetError, Got10k, SyntheticVideo, export_got10k
from ltr.dataset.names import path_below
from pytracking import pack_results, run_tracker
from pytracking.analysis.__main__ import main as analysis
from pytracking.evaluation import Sequence, get_dataset
from pytracking.evaluation.benchmarks import vot
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker
from socl_plugins.clicks import PointAnnotated
from socl_plugins.clicks.__main__ import main as clicks
from socl_plugins.clicks.points import write_points
from socl_plugins.pseudo_label.store import PseudoBoxStore
from tests.recipes import WITHOUT_SCORE, as_words

HOSTILE = [
    "../../outside",
    "..",
    ".",
    "../val",
    "/tmp/outside",
    "//outside",
    "a/../../outside",
    "a/b",
    "\\\\host\\share",
    "..\\outside",
    "C:outside",
    "C:\\outside",
    "nul\0byte",
    "bell\a",
    "escape\x1b[2J",
    "delete\x7f",
    "NUL",
    "con.txt",
    ".hidden",
    "long" * 60,
    "鳥" * 70,
]
NAMES = [
    "two words",
    "Zoë 鳥 🐦",
    "50% off %04d %s",
    "#1 of 2",
    "a,b;c",
    'it\'s "q" <b>&amp;',
    "clip.v2",
    "-x",
    "a_time",
]


@pytest.fixture
def still(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracker that says that nothing moves."""

    class Still(BaseTracker):
        def initialize(self, image, info):
            self.box = info["init_bbox"]

        def track(self, image, info=None):
            return {"target_bbox": self.box}

    ltr.registry.load_plugins()  # now, since what they register is taken back with the rest, and a module runs once
    for registry, entry, value in ((TRACKERS, "still", Still), (PARAMETERS, "still/plain", TrackerParams)):
        monkeypatch.setattr(registry, "_entries", {**registry._entries, entry: value})
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))


def write_video(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(1, 4):
        (folder / f"{number}.jpg").write_bytes(cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())
    (folder / "groundtruth.txt").write_text("10,8,20,16\n" * 3)


def everything(root: Path) -> set[Path]:
    return set(root.rglob("*"))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_that_leads_elsewhere_is_refused_with_file_and_line(
    name: str, tmp_path: Path, still: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "deep" / "data" / "val"
    write_video(root / "good")
    write_video(tmp_path / "deep" / "outside")  # something to be read there
    (root / "list.txt").write_text(f"good\n{name}\n", encoding="utf-8")
    before = everything(tmp_path)
    place = r"list\.txt, line 2: .* cannot be a name: "
    for read in (Got10k, vot, lambda root: get_dataset("got10k_val")):
        monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(root))
        with pytest.raises(DatasetError, match=place):
            read(root)
    for command, *arguments in (
        (run_tracker.main, "still", "plain", "--dataset_name", "got10k_val", "--render"),
        (pack_results.main, "still", "plain", "got10k_val"),
        (clicks, "cost", "--dataset", "got10k_val", "--root", str(root)),
    ):
        assert command(arguments) == 1
        error = capsys.readouterr().err
        assert "list.txt, line 2" in error and "Traceback" not in error
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_written_under_such_a_name(name: str, tmp_path: Path) -> None:
    class Named(SyntheticVideo):
        def sequence_name(self, seq_id: int) -> str:
            return name

    (tmp_path / "deep").mkdir()
    before = everything(tmp_path)
    videos = Named(1, num_frames=2, size=(48, 64))
    with pytest.raises(DatasetError, match="cannot be a name"):
        export_got10k(videos, tmp_path / "deep" / "export")
    with pytest.raises(DatasetError, match="cannot be a name"):
        write_points(PointAnnotated(videos), tmp_path / "deep" / "clicks")
    with pytest.raises(DatasetError, match="cannot be a name"):
        Sequence(name, [np.zeros((9, 9, 3), np.uint8)], "mine", np.ones((1, 4)))
    assert everything(tmp_path) == before


def test_pseudo_boxes_lie_in_their_store(tmp_path: Path) -> None:
    store = PseudoBoxStore(tmp_path / "store", about={})
    store.records.add({"one": b"1"})
    before = everything(tmp_path)
    store.records.add({name: name.encode() for name in HOSTILE})  # a name is a key in the file, and no path
    assert all(store.records.get(name) == name.encode() for name in HOSTILE)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("name", ["../outside.jpg", "/tmp/outside.jpg", "a//b.jpg", "", "train2017/../../x.jpg", 7])
def test_the_images_of_coco_lie_below_its_folder(name: object, tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": name}],
        "categories": [{"id": 1, "name": "bird"}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
    }
    write_coco(tmp_path, content)
    with pytest.raises(DatasetError, match="instances_train2017.json"):
        Coco(tmp_path)


def write_coco(root: Path, content: object, start: str = "") -> None:
    import json

    (root / "annotations").mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (root / "annotations" / "instances_train2017.json").write_text(start + text, encoding="utf-8")


def test_coco_without_iscrowd_and_with_a_byte_order_mark_is_read_and_a_box_that_is_none_is_named(
    tmp_path: Path,
) -> None:
    annotation = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}
    content = {
        "images": [{"id": 1, "file_name": "sub folder/bird #1.jpg"}],
        "categories": [{"id": 1, "name": "bird"}],
        "annotations": [annotation],
    }
    write_coco(tmp_path, content, start="\ufeff")
    dataset = Coco(tmp_path)
    assert dataset.get_sequence_info(0)["bbox"].tolist() == [[1, 2, 3, 4]]
    (tmp_path / "train2017" / "sub folder").mkdir(parents=True)
    (tmp_path / "train2017" / "sub folder" / "bird #1.jpg").write_bytes(
        cv2.imencode(".jpg", np.full((8, 9, 3), 90, np.uint8))[1].tobytes()
    )
    assert Coco(tmp_path).load_frame(0, 0).shape == (8, 9, 3)
    for box in ([], [1, 2, 3], [1, 2, "3", 4], [1, 2, float("nan"), 4], None, "box"):
        write_coco(tmp_path, {**content, "annotations": [annotation, {**annotation, "id": 6, "bbox": box}]})
        with pytest.raises(DatasetError, match="the annotation 6 has the bbox .*not four numbers x, y, w, h"):
            Coco(tmp_path)
    for text, message in (
        ('{"images": [\n{"id": 1,}]}', "line 2: this is no JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "not in COCO's form"),
        ('{"images": [], "categories": [], "annotations": []}', "names no object with a box"),
    ):
        write_coco(tmp_path, text)
        with pytest.raises(DatasetError, match=message):
            Coco(tmp_path)


def test_training_s_command_reads_coco_and_names_a_box_that_is_none(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {
        "images": [{"id": 1, "file_name": "bird.jpg"}],
        "categories": [{"id": 1, "name": "bird"}],
        "annotations": [{"id": 5, "image_id": 1, "category_id": 1, "bbox": [5, 6, 20, 16]}],
    }
    (tmp_path / "coco" / "train2017").mkdir(parents=True)
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    (tmp_path / "coco" / "train2017" / "bird.jpg").write_bytes(picture)
    monkeypatch.setenv("PYTRACKING_COCO_DIR", str(tmp_path / "coco"))
    command = ["siamfc", "box_siam_alexnet", "--device", "cpu", *as_words(WITHOUT_SCORE | {"data.sets": "coco"})]

    write_coco(tmp_path / "coco", content, start="\ufeff")
    assert run_training.main(command) == 0, capsys.readouterr().err
    capsys.readouterr()
    for text, message in (
        (content | {"annotations": [content["annotations"][0] | {"bbox": []}]}, "annotation 5 has the bbox .*not four"),
        ('{"images": [\n{"id": 1,}]}', "instances_train2017.json, line 2: this is no JSON"),
    ):
        write_coco(tmp_path / "coco", text)
        assert run_training.main(command) == 1
        error = capsys.readouterr().err
        assert re.search(message, error) and "Traceback" not in error and "damaged" not in error


def test_blanks_unicode_percent_and_hash_work_from_the_list_to_the_zip_file(
    tmp_path: Path, still: None, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data" / "val"
    for name in NAMES:
        write_video(root / name)
    (root / "list.txt").write_text("\ufeff" + "\r\n".join(NAMES) + "\r\n\r\n", encoding="utf-8")
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(root))
    learned = Got10k(root)
    assert [learned.sequence_name(number) for number in range(len(learned))] == NAMES
    assert [sequence.name for sequence in get_dataset("got10k_val")] == NAMES
    before = everything(tmp_path) - everything(workspace)
    assert run_tracker.main(["still", "plain", "--dataset_name", "got10k_val", "--render"]) == 0
    results = {path.name for path in (workspace / "tracking_results").rglob("*")}
    for name in NAMES:
        assert any(name in result and result.endswith(".mp4") for result in results), name
    for video in (workspace / "tracking_results").rglob("*.mp4"):
        assert cv2.VideoCapture(str(video)).read()[0], video
    out = tmp_path / "report.html"
    assert analysis(["still/plain", "--dataset_name", "got10k_val", "--html", str(out), "--per_sequence"]) == 0
    assert "Zoë 鳥 🐦" in out.read_text("utf-8") and "<b>&amp;</" not in out.read_text("utf-8")
    assert "50% off %04d %s" in capsys.readouterr().out
    assert pack_results.main(["still", "plain", "got10k_val"]) == 0
    with zipfile.ZipFile(next((workspace / "tracking_results").rglob("*.zip"))) as archive:
        assert {entry.split("/")[0] for entry in archive.namelist()} == set(NAMES)
    export_got10k(learned, tmp_path / "copy")
    assert [Got10k(tmp_path / "copy").sequence_name(number) for number in range(len(NAMES))] == NAMES
    new = everything(tmp_path) - everything(workspace) - everything(tmp_path / "copy") - before
    assert new == {out, tmp_path / "copy"}


def test_a_name_may_have_folders_only_where_that_is_asked_for(tmp_path: Path) -> None:
    assert path_below(tmp_path, "a/b c.jpg", "here", folders=True) == tmp_path / "a" / "b c.jpg"
    with pytest.raises(DatasetError, match="^here: 'a/b' cannot be a name: it leads to another folder"):
        path_below(tmp_path, "a/b", "here")


REPOSITORY = Path(__file__).resolve().parents[1]
THE_READER = REPOSITORY / "ltr" / "dataset" / "text.py"
READERS = {
    "loadtxt",
    "genfromtxt",
    "fromregex",
    "fromfile",
    "fromstring",
    "readlines",
    "read_csv",
    "read_table",
    "reader",
}
READERS |= {"DictReader"}
SPLITTERS = {"split", "rsplit", "splitlines", "partition", "readline"}


def reading_of_text(source: str) -> list[int]:
    """Lines where a program takes text files apart by itself: by numpy, csv, or by splitting what it has read."""
    found = []
    for scope in ast.walk(ast.parse(source)):
        if not isinstance(scope, (ast.FunctionDef, ast.Module)):
            continue
        texts = {
            target.id
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign) and reads_text(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(scope):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            module = owner.id if isinstance(owner, ast.Name) else ""
            if node.func.attr in READERS and module in {"np", "numpy", "csv", "pd", "pandas"}:
                found.append(node.lineno)
            if node.func.attr in SPLITTERS and (reads_text(owner) or module in texts):
                found.append(node.lineno)
    return sorted(set(found))


def reads_text(node: ast.AST) -> bool:
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    return any(isinstance(call.func, ast.Attribute) and call.func.attr in {"read_text", "read"} for call in calls)


@pytest.mark.long
def test_there_is_one_reader_of_text() -> None:
    assert reading_of_text("a = f.read_text()\nb = a.split()\nfor x in csv.reader(f): pass\nnp.loadtxt(f)") == [2, 3, 4]
    assert reading_of_text("def f(p):\n    return [x for x in p.open().read().splitlines()]") == [2]
    left = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for folder in ("ltr", "pytracking", "socl_plugins", "benchmarks")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if path != THE_READER
        for line in reading_of_text(path.read_text("utf-8"))
    ]
    assert not left, "these take text apart by themselves; use ltr.dataset.text: " + ", ".join(left)


@pytest.mark.long
def test_there_is_one_decoder_of_images_and_one_opener_of_videos() -> None:
    allowed = {
        "imdecode": {"ltr/data/image_loader.py"},
        "imread": set(),
        "VideoCapture": {
            "pytracking/evaluation/video_files.py",
            "pytracking/live/source.py",  # cameras
            "pytracking/analysis/render.py",  # counts the frames of a video that it has written
        },
    }
    for name, files in allowed.items():
        users = {
            path.relative_to(REPOSITORY).as_posix()
            for folder in ("ltr", "pytracking", "socl_plugins")
            for path in (REPOSITORY / folder).rglob("*.py")
            if any(
                isinstance(node, ast.Attribute) and node.attr == name
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
            )
        }
        assert users <= files, f"cv2.{name} is called in {users - files}"
