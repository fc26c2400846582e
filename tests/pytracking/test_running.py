"""Results are complete, belong to the parameters that made them, and survive failures and kills."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import ltr.registry
from ltr.registry import RegistryError, load_plugins
from pytracking.evaluation import ResultError, Sequence, SequenceList, Tracker, load_result, run_dataset, trackerlist
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
    assert len((directory / "Car_time.txt").read_text().splitlines()) == 5
    assert len((directory / "Car_score.txt").read_text().splitlines()) == 5
    assert (workspace / "tracking_results" / "drift" / "slow_000" / "Dog.txt").is_file()
    result = load_result(Tracker("drift", "slow", 1), sequences[0])
    np.testing.assert_allclose(result.boxes, sequences[0].ground_truth_rect)
    assert result.scores is not None and np.isnan(result.scores[0]) and np.isfinite(result.scores[1:]).all()


def test_an_interrupted_run_goes_on_and_half_written_results_are_made_again(workspace: Path) -> None:
    tracker = Tracker("drift", "slow")
    sequences = SequenceList([video("A"), video("B"), video("C")])
    run_dataset(sequences, [tracker])
    (tracker.results_dir / "A_time.txt").unlink()  # as if written by another program
    (tracker.results_dir / "B.txt").write_text("10\t20.25\t30\t40\n")
    said: list[str] = []
    report = run_dataset(sequences, [tracker], say=said.append)
    assert (report.tracked, report.skipped) == (2, 1)
    assert said[0] == "1 results are there already; 2 are left to make"
    assert "[1/2] drift/slow A: 5 frames" in said[1] and "left" in said[1]
    assert run_dataset(sequences, [tracker], overwrite=True).tracked == 3


def test_changed_parameters_never_mix_with_earlier_results(workspace: Path) -> None:
    sequences = SequenceList([video("A"), video("B")])
    run_dataset(sequences, [Tracker("drift", "slow")])
    faster = Tracker("drift", "slow", overrides={"step": "3"})
    said: list[str] = []
    report = run_dataset(sequences[:1], [faster], say=said.append)
    assert report.tracked == 1 and "have changed; earlier results are now in" in said[0]
    assert load_result(faster, sequences[0]).boxes[1, 0] == 13
    with pytest.raises(ResultError, match="run it first"):
        load_result(faster, sequences[1])
    [moved] = [path for path in faster.results_dir.parent.iterdir() if path != faster.results_dir]
    assert (moved / "B.txt").is_file() and moved.name.startswith("slow.")
    assert json.loads((faster.results_dir / "run.json").read_text())["parameters"]["step"] == 3


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


def test_many_processes_give_the_results_of_one(workspace: Path) -> None:
    sequences = SequenceList([video(name, 4 + k) for k, name in enumerate("ABC")] + [video("Black", value=0)])
    tracker = Tracker("drift", "slow", 0)
    files = [f"{sequence.name}{kind}.txt" for sequence in sequences[:3] for kind in ("", "_score")]
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
