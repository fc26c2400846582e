"""Trackers beside their originals: the table, the turns, the processes, and what goes wrong with them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from benchmarks.peers import weights
from benchmarks.peers.__main__ import check_weights, main
from benchmarks.peers.conversation import Answer, Conversation, PeerDied, worker_command
from benchmarks.peers.ours import About, built
from benchmarks.peers.pairs import CHECKOUTS, PAIRS, Checkout, PeerError
from benchmarks.peers.table import HEADER, iou, markdown, row
from benchmarks.peers.turns import Clip, Record, read_clip, take_turns
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import siamfc_alexnet
from pytracking.registry import PARAMETERS, TRACKERS

SIAMFC: dict[str, Any] = {"parameters": "siamfc/siamfc_pytorch", "network": "siamfc_alexnet"}


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A folder of six frames and the boxes of their target, in whole pixels."""
    video = SyntheticVideo(1, num_frames=6, size=(96, 128), seed=3)
    folder = tmp_path / "film"
    (folder / "img").mkdir(parents=True)
    for number in range(6):
        pixels = cv2.cvtColor(video.load_frame(0, number), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "img" / f"{number + 1:04d}.png"), pixels)
    x, y, width, height = np.round(video.get_sequence_info(0)["bbox"][0].numpy()).astype(int).tolist()
    (folder / "groundtruth_rect.txt").write_text(f"{x}\t{y}\t{width}\t{height}\n")
    return folder


# ---- the table ------------------------------------------------------------------------------------------------------


def test_a_row_has_medians_ratios_and_overlaps() -> None:
    ours = Record([10, 8, 9], [2, 4, 3], [(0, 0, 10, 10), (0, 0, 10, 10), (5, 5, 4, 4)])
    theirs = Record([90, 9, 27], [6, 9, 30], [(0, 0, 10, 10), (0, 0, 10, 20), (5, 5, 4, 4)])
    found = row("mine", "original", ours, theirs, 3.5)
    assert (found.ours, found.theirs, found.ratio) == (3, 9, 3)
    assert (found.mean_ratio, found.first_ratio) == (5, 3)
    assert found.iou == pytest.approx(2.5 / 3) and found.least_iou == 0.5
    assert found.met is False
    assert row("mine", "original", ours, theirs, 3.0).met is True
    head, line, cells = markdown([found]).splitlines()
    assert head.split(" | ")[0] == f"| {HEADER[0]}" and line.count("---") == len(HEADER)
    assert cells == "| mine | original | 3.0 | 9.0 | 3.00 | 5.00 | 3.00 | 0.833, 0.500 | 3.5, missed |"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((0, 0, 4, 4), (0, 0, 4, 4), 1), ((0, 0, 4, 4), (4, 0, 4, 4), 0), ((0, 0, 0, 0), (0, 0, 0, 0), 0)],
)
def test_overlaps(one: tuple[int, ...], other: tuple[int, ...], expected: float) -> None:
    assert iou((*map(float, one),), (*map(float, other),)) == expected  # type: ignore[arg-type]


# ---- the turns ------------------------------------------------------------------------------------------------------


class Noted:
    """A tracker that notes when it is asked."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name, self.notes = name, notes

    def start(self, frame: Path, box: Sequence[float]) -> Answer:
        self.notes.append(f"{self.name} starts")
        return Answer(1.0, (1.0, 2.0, 3.0, 4.0))

    def track(self, frame: Path) -> Answer:
        self.notes.append(f"{self.name} {frame.name}")
        return Answer(2.0, (0.0, 0.0, 1.0, 1.0))


def test_whoever_was_asked_first_is_asked_last_in_the_next_frame() -> None:
    notes: list[str] = []
    clip = Clip([Path(name) for name in ("0", "1", "2", "3")], (1.0, 2.0, 3.0, 4.0))
    records = take_turns([Noted("a", notes), Noted("b", notes)], clip, starts=2)
    assert notes == [*("a starts", "b starts", "b starts", "a starts"), *("a 1", "b 1", "b 2", "a 2", "a 3", "b 3")]
    assert [(len(one.starts), len(one.frames), len(one.boxes)) for one in records] == [(2, 3, 3)] * 2


@pytest.mark.long
def test_two_processes_of_ours_answer_as_the_tracker_does(frames: Path) -> None:
    clip = read_clip(frames, 4)
    about = {"parameters": "opencv/csrt"}
    with (
        Conversation("ours", worker_command("ours", about)) as ours,
        Conversation("CSRT", worker_command("originals", {"adapter": "opencv", "settings": {"name": "CSRT"}})) as other,
    ):
        mine, theirs = take_turns([ours, other], clip)
    tracker = TRACKERS["opencv"](PARAMETERS["opencv/csrt"]())
    pictures = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in clip.frames]
    tracker.initialize(pictures[0], {"init_bbox": clip.box})
    expected = [tracker.track(picture)["target_bbox"] for picture in pictures[1:]]
    np.testing.assert_allclose(mine.boxes, expected)
    assert mine.boxes == theirs.boxes and len(mine.boxes) == 3
    assert min(mine.frames + theirs.frames) > 0


def test_a_network_has_the_weights_that_its_names_and_the_seed_determine() -> None:
    one, other, third = siamfc_alexnet(), siamfc_alexnet(), siamfc_alexnet()
    for network, seed in ((one, 5), (other, 5), (third, 6)):
        weights.fill(network, seed)
    assert weights.checksums(one) == weights.checksums(other) != weights.checksums(third)
    _, sums = built(About(**SIAMFC, seed=5))
    assert sums == weights.checksums(one)


def test_published_weights_are_those_of_both_sides(tmp_path: Path) -> None:
    network, another = siamfc_alexnet(), siamfc_alexnet()
    weights.fill(network, 7)
    file = tmp_path / "siamfc_alexnet_e50.pth"
    torch.save(network.state_dict(), file)
    _, sums = built(About(**SIAMFC, weights=str(file)))
    weights.load_published(another, file)
    assert sums == weights.checksums(another) == weights.checksums(network)


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_process_that_dies_is_named_with_what_it_said(tmp_path: Path) -> None:
    frame = tmp_path / "0001.png"
    script = (
        "import sys; print('{\"ready\": true, \"weights\": {}}', flush=True); sys.stdin.readline(); sys.exit('no!')"
    )
    dying = Conversation("the peer", [sys.executable, "-c", script])
    with dying, pytest.raises(PeerDied, match="the process of the peer ended with status 1 in .*0001.png: no!"):
        dying.start(frame, (0, 0, 1, 1))
    with pytest.raises(PeerDied, match="ended with status 3 before its first frame: it said nothing"):
        Conversation("the peer", [sys.executable, "-c", "raise SystemExit(3)"]).__enter__()
    with pytest.raises(PeerDied, match="signal 9"):
        Conversation("the peer", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).__enter__()
    with pytest.raises(PeerError, match="the peer cannot be started: .*nowhere"):
        Conversation("the peer", ["/nowhere/python"]).__enter__()


@pytest.mark.long
def test_a_pair_whose_original_dies_fails_and_the_others_go_on(
    frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "siamfc-pytorch"
    (broken / "siamfc").mkdir(parents=True)
    (broken / "siamfc" / "siamfc.py").write_text("")
    (broken / "siamfc" / "__init__.py").write_text("raise RuntimeError('made for another Python')\n")
    out = tmp_path / "numbers.json"
    words = [str(frames), "--siamfc", str(broken), "--trackers", "siamfc", "kcf", "--count", "3", "--out", str(out)]
    assert main(words) == 1
    said = capsys.readouterr()
    assert "error: the process of siamfc-pytorch ended with status 1 before its first frame" in said.err
    assert "made for another Python" in said.err and "Traceback" not in said.err.partition("error:")[0]
    assert "| KCF | OpenCV, called directly |" in said.out and "SiamFC" not in said.out
    assert [one["tracker"] for one in json.loads(out.read_text())] == ["KCF"]
    assert sorted(os.listdir(broken / "siamfc")) == ["__init__.py", "siamfc.py"], "nothing is written to a checkout"


def test_different_weights_are_no_comparison() -> None:
    original, mine = Conversation("the peer", []), Conversation("ours", [])
    original.weights, mine.weights = {"conv.weight": 1, "unused.weight": 2}, {"conv.weight": 1}
    check_weights(original, mine)
    mine.weights = {"conv.weight": 3}
    with pytest.raises(PeerError, match="ours and the peer have different weights, such as conv.weight"):
        check_weights(original, mine)


@pytest.mark.parametrize("checkout", CHECKOUTS, ids=lambda checkout: checkout.option)
def test_a_folder_that_is_no_checkout_is_named(
    checkout: Checkout, frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option, mark = checkout.option, checkout.mark
    assert main([str(frames), f"--{option}", str(frames), "--trackers", "kcf"]) == 1
    said = capsys.readouterr().err
    assert f"--{option} {frames} is no checkout of https://github.com/" in said and mark in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--weights", "dimp=x"), "--weights dimp: no such tracker; there are dimp18"),
        (("--weights", "dimp18=nowhere.pth"), "--weights dimp18=nowhere.pth: there is no such file"),
        (("--count", "1"), "--count must be 2 or more"),
    ],
)
def test_options_that_cannot_be(
    words: Sequence[str], message: str, frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(frames), *words]) == 1
    assert message in capsys.readouterr().err


def test_what_is_not_given_is_left_out_with_a_line(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(frames), "--trackers", "dimp18", "transt"]) == 0
    said = capsys.readouterr().out
    assert "dimp18 is left out: it needs --pytracking, a clone of https://github.com/visionml/pytracking" in said
    assert "transt is left out: it needs --transt" in said


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "groundtruth_rect.txt").unlink(), "has no file groundtruth_rect.txt"),
        (
            lambda folder: (folder / "groundtruth_rect.txt").write_text("1,2,three\n"),
            "rect.txt, line 1: expected 4 numbers",
        ),
        (lambda folder: (folder / "groundtruth_rect.txt").write_text(""), "groundtruth_rect.txt is empty"),
        (lambda folder: [path.unlink() for path in (folder / "img").iterdir()], "has 0 pictures"),
    ],
)
def test_frames_that_are_none(spoil: Callable[[Path], Any], message: str, frames: Path) -> None:
    spoil(frames)
    with pytest.raises(PeerError, match=message):
        read_clip(frames, 10)
    with pytest.raises(PeerError, match="is no folder of frames"):
        read_clip(frames / "elsewhere", 10)


def test_every_pair_names_what_is_there() -> None:
    from benchmarks.peers.originals import ADAPTERS

    for pair in PAIRS.values():
        assert pair.adapter in ADAPTERS
        assert pair.parameters in PARAMETERS.names()
