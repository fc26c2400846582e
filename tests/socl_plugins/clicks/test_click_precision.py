from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.builder import build_network
from ltr.registry import HELD_OUT_SCORES, load_plugins
from pytracking.command_line import EXPORT_NAMES
from pytracking.evaluation import SequenceError
from pytracking.metrics import ope
from pytracking.tracker.siamfc import SiamFCParams
from socl_plugins import command
from socl_plugins.clicks import PointAnnotated
from socl_plugins.clicks.click_precision import (
    TRUE_BOXES,
    click_precision,
    click_score,
    clicked_sequences,
)
from socl_plugins.clicks.clips import Clips
from socl_plugins.clicks.compiled import compile_clips
from socl_plugins.clicks.log import Click
from socl_plugins.clicks.points import write_points
from socl_plugins.clicks.prepare import Cutting
from tests.recipes import FEW_PROPOSALS, SMALL, as_words

from .conftest import FRAMES, MakeClips

SIZE = (100, 100)  # height, width: a distance of 10 is 0.1


def boxes_at(*centers: tuple[float, float]) -> np.ndarray:
    return np.array([[x - 5, y - 5, 10, 10] for x, y in centers], np.float64)


def test_a_perfect_tracker_scores_one_and_the_first_click_does_not_count() -> None:
    clicks = np.array([[50, 50], [52.0, 50], [np.nan, np.nan], [60, 40]])
    score = click_score(boxes_at((0, 0), (52, 50), (9, 9), (60, 40)), clicks, SIZE)
    assert (score.clicks, score.dp20, score.precision, score.until_lost) == (2, 1, 1, 4)


def test_distances_count_as_parts_of_the_frame_and_to_the_first_that_is_too_far() -> None:
    clicks = np.array([[50.0, 50]] * 5)
    boxes = boxes_at((50, 50), (55, 50), (50, 61), (50, 50), (75, 50))
    score = click_score(boxes, clicks, SIZE)
    # 5 of 100 is at 26 of 51 thresholds near enough, 11 and 25 at none, 0 at all.
    assert score.precision == pytest.approx((26 + 0 + 51 + 0) / 51 / 4)
    assert score.dp20 == 0.75 and score.until_lost == 2
    larger = click_score(boxes * 4, clicks * 4, (400, 400))
    assert larger.precision == score.precision and larger.dp20 < score.dp20


def test_without_a_later_click_there_is_no_score() -> None:
    clicks = np.array([[50, 50], [np.nan, np.nan]])
    with pytest.raises(ValueError, match="no click after the first frame"):
        click_score(boxes_at((50, 50), (50, 50)), clicks, SIZE)


@pytest.fixture(params=[True, False], ids=["cut", "uncut"])
def clicked(make_clips: MakeClips, synthetic: SyntheticVideo, request: pytest.FixtureRequest) -> Clips:
    """The target's true centre on every third visible frame of the held-out video, from frame 3 on."""
    clips = make_clips(3, cutting=Cutting(cut=request.param))
    info = synthetic.get_sequence_info(2)
    centers = info["bbox"][:, :2] + info["bbox"][:, 2:] / 2
    seen = [frame for frame in range(3, FRAMES, 3) if info["visible"][frame]]
    log = clips.log(clips.videos[2])
    log.append([Click("video_2", frame, x=float(centers[frame, 0]), y=float(centers[frame, 1])) for frame in seen])
    compile_clips(clips)
    return clips


@pytest.mark.long
def test_videos_without_boxes_are_tracked_from_the_box_of_their_first_click(clicked: Clips) -> None:
    load_plugins(["socl_plugins.plugin"])
    dataset = Got10k(clicked.root, "val")
    (sequence,) = clicked_sequences(PointAnnotated(dataset))
    first = clicked.log(clicked.videos[2]).clicks[0]
    x, y, w, h = sequence.ground_truth_rect[0]
    assert len(sequence) == FRAMES - first.frame and first.place is not None
    assert abs(x + w / 2 - first.place[0]) < 15 and abs(y + h / 2 - first.place[1]) < 15
    score = HELD_OUT_SCORES["click_precision"](dataset, max_frames=12, params=SiamFCParams(network="", search_size=207))
    torch.manual_seed(0)
    net = build_network("siamfc_resnet18", output_layer="layer1")
    (value,) = score(net).values()
    assert 0 <= value <= 1 and [value] == list(score(net).values())
    (each,) = score.per_click(net).values()
    assert each.frames == 12 and each.precision == value


def test_tracking_starts_with_the_size_that_a_second_click_told(clicked: Clips) -> None:
    log = clicked.log(clicked.videos[2])
    first, second = log.clicks[:2]
    log.append([replace(second, w=20.0, h=44.0)])
    compile_clips(clicked)
    (sequence,) = clicked_sequences(PointAnnotated(Got10k(clicked.root, "val")))
    x, y, w, h = sequence.ground_truth_rect[0]
    assert (w, h) == (20, 44) and first.place == pytest.approx((x + w / 2, y + h / 2), abs=1e-4)


def test_held_out_videos_without_clicks_are_told(make_clips: MakeClips) -> None:
    clips = make_clips(2)
    with pytest.raises(SequenceError, match=r"no video of .*val has two clicks.*socl annotate"):
        click_precision(Got10k(clips.root, "val"))
    with pytest.raises(SequenceError, match="shows no clicks"):
        click_precision(SyntheticVideo(1, 2))


@pytest.mark.long
def test_what_was_clicked_is_tracked_and_written(
    clicked: Clips, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clicked.log(clicked.videos[0]).append([Click("video_0", FRAMES - 1, x=64.0, y=48.0)])
    words = ["track", str(clicked.root), "--tracker", "siamfc/untrained_res18", "--render"]
    exports = ["--export", "cvat", "--export", "mot", "--export", "csv", "--out", str(workspace / "out")]
    assert command.main([*words, *exports]) == 0
    said = capsys.readouterr().out
    assert "held-out videos" in said and "DP@20" in said
    assert re.search(r"video_0 +1 +- +- +- +1\n", said), "one click is enough to be tracked, and too little for a score"
    assert len((workspace / "out/csv/video_0.csv").read_text().splitlines()) == 2
    first = clicked.log(clicked.videos[2]).clicks[0].frame
    lines = (workspace / "out/mot/video_2.txt").read_text().splitlines()
    assert lines[0].startswith(f"{first + 1},1,") and len(lines) == FRAMES - first
    assert (workspace / "out/cvat/video_2.xml").read_text().count('outside="0"') == FRAMES - first
    assert len((workspace / "out/csv/video_2.csv").read_text().splitlines()) == FRAMES - first + 1
    assert (workspace / "out/video_2.mp4").stat().st_size > 1000
    later = ["export", str(clicked.root), "--tracker", "siamfc/untrained_res18", "--out", str(workspace / "later")]
    assert command.main([*later, *(f"--format={form}" for form in EXPORT_NAMES if form != "boxes")]) == 0
    for name in ("cvat/video_2.xml", "mot/video_2.txt", "csv/video_2.csv"):  # what the tracking run itself wrote
        assert (workspace / "later" / name).read_bytes() == (workspace / "out" / name).read_bytes()
    for name in ("supervision/video_2.json", "coco-video/coco-video.json", "tao/tao.json"):
        assert json.loads((workspace / "later" / name).read_text())
    assert command.main([*later[:3], "siamfc/imagenet_res18", "--format", "tao"]) == 1


@pytest.fixture
def clicked_to_train(clicked: Clips, synthetic: SyntheticVideo, monkeypatch: pytest.MonkeyPatch) -> Clips:
    """The same, with clicks on the videos to learn from, too."""
    for name in ("PYTRACKING_GOT10K_DIR", "PYTRACKING_GOT10K_VAL_DIR"):
        monkeypatch.setenv(name, "")
    for video in range(2):
        info = synthetic.get_sequence_info(video)
        centers = (info["bbox"][:, :2] + info["bbox"][:, 2:] / 2).tolist()
        frames = [frame for frame in range(0, FRAMES, 4) if info["visible"][frame]]
        places = [Click(f"video_{video}", f, x=centers[f][0], y=centers[f][1], ms=2000, author="ann") for f in frames]
        clicked.log(clicked.videos[video]).append(places)
    return clicked


def train_words(clips: Clips, epochs: int) -> list[str]:
    few = {"schedule.epochs": epochs, "schedule.samples_per_epoch": 4, "schedule.batch_size": 4}
    few |= {"runtime.num_workers": 0, "data.labels.prepare_frames": 0}  # no worker processes for a handful of frames
    words = [word for key, value in few.items() for word in ("--set", f"{key}={value}")]
    return ["train", "socl/socl_res18", "--data", str(clips.root), "--device", "cpu", *words]


@pytest.mark.long
def test_clicks_alone_are_learned_from_and_choose_the_weights(
    clicked_to_train: Clips, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(train_words(clicked_to_train, 1)) == 0
    said = capsys.readouterr().out
    assert "with a click's time as measured on" in said
    assert re.search(r"held-out click precision: 0\.\d+ -> 0\.\d+", said)
    python, *printed = printed_words("to use it: ", said)
    assert python == sys.executable and printed[:2] == ["-m", "socl_plugins.command"]
    assert command.main(printed[2:]) == 0
    assert "held-out videos" in capsys.readouterr().out


STOP = """
import signal
from pathlib import Path
from ltr.engine.hooks import Hook
from ltr.registry import RUN_HOOKS

@RUN_HOOKS.register("stop")
class Stop(Hook):
    def before_epoch(self, trainer):
        if trainer.epoch == 2 and Path(__file__).with_name("now").exists():
            signal.raise_signal(signal.SIGINT)
"""


@pytest.mark.long
@pytest.mark.parametrize("clicked", [True], ids=["cut"], indirect=True)
def test_after_an_interrupt_the_printed_command_goes_on_with_the_same_clips(
    clicked_to_train: Clips, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stop.py").write_text(STOP)
    (tmp_path / "now").touch()
    words = [*train_words(clicked_to_train, 2), "--plugin", str(tmp_path / "stop.py")]
    assert command.main(words) == 130
    printed = printed_words("to go on: ", capsys.readouterr().err)
    after = printed[printed.index("train") :]  # before it: paths, this interpreter, and the program that runs the tests
    assert after == [*words, "--resume"]
    (tmp_path / "now").unlink()
    assert command.main(after) == 0
    said = capsys.readouterr().out
    assert "epoch 2/2: " in said and "epoch 1/2: " not in said


def printed_words(before: str, said: str) -> list[str]:
    (line,) = [line.removeprefix(before) for line in said.splitlines() if line.startswith(before)]
    return shlex.split(line)


@pytest.mark.long
def test_where_boxes_are_known_too_they_stand_beside_and_choose_nothing(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for split, seed in (("train", 1), ("val", 2)):
        videos = SyntheticVideo(2, num_frames=8, size=(96, 128), seed=seed)
        write_points(PointAnnotated(videos), export_got10k(videos, tmp_path / "data", split))
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(tmp_path / "data"))
    score = click_precision(Got10k(tmp_path / "data", "val"))
    net = build_network("siamfc_resnet18")
    precise = score(net)
    boxes = score.boxes(net)
    by_hand = [ope(boxes[each.name], each.meta[TRUE_BOXES], "pysot").auc for each in score.sequences]
    assert len(precise) == 2 and score.beside == {"AUC by boxes": pytest.approx(np.mean(by_hand))}
    words = ["--set", "score.name=click_precision", "--set", "schedule.epochs=2", "--set", "score.videos=2"]
    small = {**SMALL, **FEW_PROPOSALS, "score.frames": 8, "score.interval": 1, "optimizer.learning_rate": 0.05}
    assert run_training.main(["socl", "socl_res18", "--device", "cpu", *as_words(small), *words]) == 0
    said = capsys.readouterr().out
    assert len(re.findall(r"held-out click precision.*: 0\.\d+.*, AUC by boxes 0\.\d+", said)) == 3
    assert re.search(r"held-out click precision and AUC by boxes of 3 weights: correlation -?[01]\.\d\d", said)
