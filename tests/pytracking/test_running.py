"""Results are complete, belong to the parameters that made them, and survive failures and kills."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import ltr.registry
from ltr.admin.devices import DeviceError
from ltr.registry import RegistryError, load_plugins
from pytracking.analysis import evaluate
from pytracking.evaluation import ResultError, Sequence, SequenceList, Tracker, load_result, run_dataset, trackerlist
from pytracking.evaluation.running import check_network
from pytracking.registry import PARAMETERS, TRACKERS

PLUGIN = '''
"""A tracker that moves the box by its parameter, and fails on sequences whose frames are black."""
import dataclasses, random
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@dataclasses.dataclass(kw_only=True)
class DriftParams(TrackerParams):
    step: float = 1.0
    bad_output: bool = False

@TRACKERS.register("drift", override=True)
class Drift(BaseTracker):
    """Moves the box."""
    uses_torch = False

    def initialize(self, image, info):
        if image.max() == 0:
            raise RuntimeError("the frame is black")
        self.box = list(info["init_bbox"])

    def track(self, image, info=None):
        self.box = [self.box[0] + self.params.step, *self.box[1:]]
        if self.params.bad_output:
            return {"target_bbox": [1, 2, float("nan"), 4]}
        return {"target_bbox": self.box, "score": random.random()}

@PARAMETERS.register("drift/slow", override=True)
def slow():
    """A pixel a frame."""
    return DriftParams()
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brings the tracker above in for the length of a test."""
    for registry in (PARAMETERS, TRACKERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))
    file = tmp_path / "drift.py"
    file.write_text(PLUGIN)
    load_plugins([str(file)])


def video(name: str, frames: int = 5, value: int = 9) -> Sequence:
    boxes = np.array([[10 + t, 20.25, 30, 40] for t in range(frames)], float)
    return Sequence(name, [np.full((80, 90, 3), value, np.uint8)] * frames, "mine", boxes)


def test_results_lie_where_pytracking_users_look_for_them(workspace: Path) -> None:
    sequences = SequenceList([video("Car"), video("Dog")])
    report = run_dataset(sequences, trackerlist("drift", "slow", run_ids=range(2)), say=print)
    assert (report.tracked, report.skipped, report.failures) == (4, 0, [])
    directory = workspace / "tracking_results" / "drift" / "slow_001"
    lines = (directory / "Car.txt").read_text().splitlines()
    assert lines[0] == "10\t20.25\t30\t40" and lines[4] == "14\t20.25\t30\t40"
    assert len((directory / "time" / "Car.txt").read_text().splitlines()) == 5
    assert len((directory / "score" / "Car.txt").read_text().splitlines()) == 5
    assert (workspace / "tracking_results" / "drift" / "slow_000" / "Dog.txt").is_file()
    result = load_result(Tracker("drift", "slow", 1), sequences[0])
    np.testing.assert_allclose(result.boxes, sequences[0].ground_truth_rect)
    assert result.scores is not None and np.isnan(result.scores[0]) and np.isfinite(result.scores[1:]).all()


def test_an_interrupted_run_goes_on_and_half_written_results_are_made_again(workspace: Path) -> None:
    tracker = Tracker("drift", "slow")
    sequences = SequenceList([video("A"), video("B"), video("C")])
    run_dataset(sequences, [tracker])
    (tracker.results_dir / "time" / "A.txt").unlink()  # as if written by another program
    (tracker.results_dir / "B.txt").write_text("10\t20.25\t30\t40\n")
    said: list[str] = []
    report = run_dataset(sequences, [tracker], say=said.append)
    assert (report.tracked, report.skipped) == (2, 1)
    assert "made again" in said[0] and "there is no" in said[0] and "B.txt has 1 boxes, but B has 5" in said[1]
    assert said[2] == "1 results are there already; 2 are left to make"
    assert "[1/2] drift/slow A: 5 frames" in said[3] and "left" in said[3]
    assert run_dataset(sequences, [tracker], overwrite=True).tracked == 3


def test_other_settings_have_a_place_of_their_own_that_has_a_name(workspace: Path) -> None:
    usual, faster = Tracker("drift", "slow"), Tracker("drift", "slow", 2, overrides={"step": "3"})
    run_dataset([video("A")], [usual, faster])
    assert load_result(usual, video("A")).boxes[1, 0] == 11 and load_result(faster, video("A")).boxes[1, 0] == 13
    name, _, digest = faster.merged_name.partition("+")
    assert name == usual.run_name == "drift/slow" and len(digest) == 8
    assert faster.run_name == f"drift/slow+{digest}_002"
    named = Tracker("drift", f"slow+{digest}", 2)  # as analysis names it
    assert load_result(named, video("A")).boxes[1, 0] == 13
    assert json.loads((faster.results_dir / "run.json").read_text())["settings"] == {"step": 3.0}
    same = Tracker("drift", "slow", overrides={"step": "1.0"})
    assert same.run_name == "drift/slow", "the parameter set's own value changes nothing"


def test_a_parameter_set_that_was_changed_never_mixes_with_earlier_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences = SequenceList([video("A"), video("B")])
    tracker = Tracker("drift", "slow")
    run_dataset(sequences, [tracker])
    before = PARAMETERS["drift/slow"]
    PARAMETERS.register("drift/slow", override=True)(lambda: replace(before(), step=3.0))
    said: list[str] = []
    report = run_dataset(sequences[:1], [tracker], say=said.append)
    assert report.tracked == 1 and "have changed; earlier results are now in" in said[0]
    assert load_result(tracker, sequences[0]).boxes[1, 0] == 13
    with pytest.raises(ResultError, match="run it first"):
        load_result(tracker, sequences[1])
    [moved] = [path for path in tracker.results_dir.parent.iterdir() if path != tracker.results_dir]
    assert (moved / "B.txt").is_file() and (moved / "time" / "B.txt").is_file() and moved.name.startswith("slow.")
    assert json.loads((tracker.results_dir / "run.json").read_text())["parameters"]["step"] == 3


def test_no_name_of_a_sequence_is_a_file_of_another(workspace: Path) -> None:
    tracker = Tracker("drift", "slow")
    names = ["a", "a_time", "a_score", "a_error", "time", "run"]
    sequences = SequenceList([video(name, 4 + number) for number, name in enumerate(names)])
    assert run_dataset(sequences, [tracker]).tracked == len(names)
    for sequence in sequences:
        np.testing.assert_allclose(load_result(tracker, sequence).boxes, sequence.ground_truth_rect)
    assert run_dataset(sequences, [tracker]).skipped == len(names)


def test_results_in_pytrackings_layout_are_read(workspace: Path) -> None:
    tracker = Tracker("drift", "slow")
    tracker.results_dir.mkdir(parents=True)
    np.savetxt(tracker.results_dir / "A.txt", video("A").ground_truth_rect, delimiter="\t", fmt="%.2f")
    np.savetxt(tracker.results_dir / "A_time.txt", np.full(5, 0.25))
    result = load_result(tracker, video("A"))
    np.testing.assert_allclose(result.boxes, video("A").ground_truth_rect)
    assert result.times.tolist() == [0.25] * 5 and result.scores is None
    np.savetxt(tracker.results_dir / "A_time.txt", [0.25, 0.25, -1, 0.25, 0.25])
    with pytest.raises(ResultError, match="line 3: a time is negative"):
        load_result(tracker, video("A"))
    (tracker.results_dir / "A_time.txt").unlink()
    assert np.isnan(load_result(tracker, video("A")).times).all(), "published results may have no times"
    (scores,) = evaluate([tracker], [video("A")])
    assert scores.overall.values["auc"] == pytest.approx(20 / 21) and np.isnan(scores.frames_per_second)


FLIPS = 60


def test_no_flipped_bit_of_a_result_goes_unnoticed(workspace: Path) -> None:
    assert flipped_results(workspace, FLIPS, seed=0) == []


def flipped_results(workspace: Path, count: int, seed: int) -> list[str]:
    """Flips one bit in a result's files, many times over; returns what then was another result or an unnamed error."""
    tracker, sequence = Tracker("drift", "slow"), video("A")
    run_dataset([sequence], [tracker])
    true = load_result(tracker, sequence)
    files = [tracker.results_dir / name for name in ("A.txt", "time/A.txt", "score/A.txt", "sum/A.sha256")]
    rng = np.random.default_rng(seed)
    wrong = []
    for _ in range(count):
        file = files[rng.integers(len(files))]
        whole = file.read_bytes()
        damaged = bytearray(whole)
        place = int(rng.integers(8 * len(whole)))
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(bytes(damaged))
        try:
            found = load_result(tracker, sequence)
            parts = ((found.boxes, true.boxes), (found.times, true.times), (found.scores, true.scores))
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in parts):  # type: ignore[arg-type]
                wrong.append(f"bit {place} of {file}: another result")
        except ResultError as error:
            if "A" not in str(error):
                wrong.append(f"bit {place} of {file}: {error}")
        file.write_bytes(whole)
    return wrong


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"nan\tnan\tnan\tnan\n" * 5, b"9" * 5000, b""])
def test_a_damaged_result_is_named_set_aside_and_made_again(workspace: Path, content: bytes) -> None:
    tracker, sequence = Tracker("drift", "slow"), video("A")
    run_dataset([sequence], [tracker])
    (tracker.results_dir / "A.txt").write_bytes(content)
    with pytest.raises(ResultError, match=r"A\.txt"):
        load_result(tracker, sequence)
    said: list[str] = []
    assert run_dataset([sequence], [tracker], say=said.append).tracked == 1
    assert "A.txt" in said[0] and "made again" in said[0]
    assert (tracker.results_dir / "damaged" / "A.txt").read_bytes() == content
    assert load_result(tracker, sequence).boxes[1, 0] == 11


def test_a_result_is_not_taken_for_other_frames_and_none_that_is_set_aside_is_lost(
    workspace: Path, tmp_path: Path
) -> None:
    def filmed(folder: str, value: int) -> Sequence:
        files = [tmp_path / folder / f"{number}.png" for number in range(5)]
        files[0].parent.mkdir()
        for file in files:
            cv2.imwrite(str(file), np.full((80, 90, 3), value, np.uint8))
        return Sequence("A", list(files), folder, video("A").ground_truth_rect)

    tracker, light, dark = Tracker("drift", "slow"), filmed("light", 200), filmed("dark", 9)
    assert run_dataset([light], [tracker]).tracked == 1
    moved = tmp_path / "elsewhere"
    (tmp_path / "light").rename(moved)
    light.frames = [moved / f"{number}.png" for number in range(5)]
    assert run_dataset([light], [tracker]).skipped == 1, "the same frames, wherever they lie"
    with pytest.raises(ResultError, match="other frames than A of 'dark'"):
        load_result(tracker, dark)
    said: list[str] = []
    for sequence in (dark, light):
        assert run_dataset([sequence], [tracker], say=said.append).tracked == 1
    assert "Give each of two its own --workspace" in said[0]
    for folder in ("damaged", "damaged.2"):
        kept = {
            str(file.relative_to(tracker.results_dir / folder)) for file in (tracker.results_dir / folder).rglob("A*")
        }
        assert kept == {"A.txt", "time/A.txt", "score/A.txt", "frames/A.txt", "sum/A.sha256"}


@pytest.mark.parametrize(
    ("settings", "message"), [({"device": "cuda:99"}, "device=cuda:99"), ({"lost_below": "5"}, "lost_below is 5")]
)
def test_a_setting_that_the_tracker_cannot_have_is_told_once_and_before_work(
    workspace: Path, settings: dict[str, str], message: str
) -> None:
    tracker = Tracker("siamfc", "untrained_res18", overrides=settings)
    with pytest.raises(ValueError, match=message):
        run_dataset([video("A"), video("B")], [tracker])
    assert not (tracker.results_dir / "error").exists()


def test_a_device_that_other_machines_may_have_is_not_looked_for_here() -> None:
    tracker = Tracker("siamfc", "untrained_res18", overrides={"device": "cuda:99"})
    check_network(tracker, elsewhere=True)
    with pytest.raises(DeviceError, match="cuda:99"):
        check_network(tracker)


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"{", b'{"key": "../../outside"}'])
def test_results_beside_a_damaged_run_file_are_set_aside(workspace: Path, content: bytes) -> None:
    tracker = Tracker("drift", "slow")
    run_dataset([video("A")], [tracker])
    (tracker.results_dir / "run.json").write_bytes(content)
    said: list[str] = []
    assert run_dataset([video("A")], [tracker], say=said.append).tracked == 1
    assert "run.json" in said[0] and (tracker.results_dir.with_name("slow.unknown") / "A.txt").is_file()
    assert sorted(path.name for path in workspace.iterdir()) == ["tracking_results"]


def test_the_device_does_not_make_other_results(workspace: Path) -> None:
    run_dataset([video("A")], [Tracker("drift", "slow")])
    assert run_dataset([video("A")], [Tracker("drift", "slow", overrides={"device": "cpu"})]).skipped == 1


def test_another_checkpoint_of_the_same_name_is_noticed(workspace: Path) -> None:
    from ltr.admin.checkpoint import save_checkpoint
    from ltr.models.builder import build_network

    small = Sequence("S", [np.random.default_rng(t).integers(0, 255, (60, 60, 3), np.uint8) for t in range(2)], "mine",
                     np.full((2, 4), 20.0))  # fmt: skip
    name = "test_siamfc/from_file"

    @PARAMETERS.register(name)
    def parameters() -> object:
        from pytracking.tracker.siamfc import SiamFCParams

        return SiamFCParams(network="net.pth.tar", device="cpu")

    TRACKERS.register("test_siamfc")(TRACKERS["siamfc"])
    tracked = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        net = build_network("siamfc_resnet18", output_layer="layer1")
        state = {"net": net.state_dict(), "constructor": net.constructor}
        save_checkpoint(workspace / "networks" / "net.pth.tar", state)
        tracked.append(run_dataset([small], [Tracker(*name.split("/"))]).tracked)
    assert tracked == [1, 0, 1]


def test_a_failing_sequence_keeps_its_traceback_and_the_others_go_on(workspace: Path) -> None:
    tracker = Tracker("drift", "slow")
    black = video("Black", value=0)
    report = run_dataset([black, video("A")], [tracker])
    assert report.tracked == 1
    [failure] = report.failures
    assert failure.sequence == "Black" and failure.error == "RuntimeError: the frame is black"
    assert 'raise RuntimeError("the frame is black")' in Path(failure.file).read_text()
    with pytest.raises(ResultError, match="its last run failed, see"):
        load_result(tracker, black)
    assert run_dataset([video("Black")], [tracker]).tracked == 1  # mended: the traceback goes
    assert not Path(failure.file).exists()


def test_debugging_stops_at_the_first_failure(workspace: Path) -> None:
    with pytest.raises(RuntimeError, match="the frame is black"):
        run_dataset([video("Black", value=0), video("A")], [Tracker("drift", "slow")], debug=1)


def test_a_box_that_is_no_box_is_the_trackers_error(workspace: Path) -> None:
    report = run_dataset([video("A")], [Tracker("drift", "slow", overrides={"bad_output": "true"})])
    assert "four finite numbers; for frame 2 of A it gave [1, 2, nan, 4]" in report.failures[0].error


@pytest.mark.long
def test_many_processes_give_the_results_of_one(workspace: Path) -> None:
    sequences = SequenceList([video(name, 4 + k) for k, name in enumerate("ABC")] + [video("Black", value=0)])
    tracker = Tracker("drift", "slow", 0)
    files = [f"{kind}{sequence.name}.txt" for sequence in sequences[:3] for kind in ("", "score/")]
    texts = []
    for threads in (0, 2):
        report = run_dataset(sequences, [tracker], threads=threads, overwrite=True)
        assert report.tracked == 3 and [failure.sequence for failure in report.failures] == ["Black"]
        texts.append([(tracker.results_dir / file).read_text() for file in files])
    assert texts[0] == texts[1]


def test_repetitions_draw_other_random_numbers(workspace: Path) -> None:
    trackers = trackerlist("drift", "slow", run_ids=[0, 1])
    run_dataset([video("A")], trackers)
    scores = [load_result(tracker, video("A")).scores for tracker in trackers]
    assert not np.array_equal(scores[0], scores[1], equal_nan=True)  # type: ignore[arg-type]


def test_names_that_would_write_the_same_file_are_refused(workspace: Path) -> None:
    with pytest.raises(ValueError, match="1 sequences are named twice"):
        run_dataset([video("A"), video("A")], [Tracker("drift", "slow")])
    with pytest.raises(ValueError, match="1 trackers are named twice"):
        run_dataset([video("A")], [Tracker("drift", "slow")] * 2)


def test_unknown_trackers_and_parameter_sets_bring_near_names() -> None:
    with pytest.raises(RegistryError, match="unknown tracker 'siamcf'. Did you mean 'siamfc'"):
        Tracker("siamcf", "untrained_res18").parameters()
    with pytest.raises(RegistryError, match="Did you mean 'siamfc/untrained_res18'"):
        Tracker("siamfc", "untraind_res18").parameters()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10\t20.25\t30\t40\n1\t2\t3\n", "A.txt, line 2: expected 4 numbers"),
        ("10\t20.25\t30\t40\n", "A.txt has 1 boxes, but A has 5 frames"),
        ("11\t20.25\t30\t40\n" * 5, "it is the result of another sequence"),
    ],
)
def test_a_broken_result_file_is_named(workspace: Path, text: str, message: str) -> None:
    tracker = Tracker("drift", "slow")
    run_dataset([video("A")], [tracker])
    (tracker.results_dir / "A.txt").write_text(text)
    with pytest.raises(ResultError, match=message):
        load_result(tracker, video("A"))
