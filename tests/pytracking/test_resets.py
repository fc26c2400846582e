"""VOT's reset-based runs: restarts, repetitions, and an evaluation that goes on after a kill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ltr.registry
from ltr.registry import load_plugins
from pytracking import run_vot
from pytracking.analysis.benchmark_metrics import VOT
from pytracking.analysis.tables import evaluate
from pytracking.evaluation import ResultError, Sequence, SequenceList, Tracker
from pytracking.evaluation.resets import (
    initial_box,
    load_runs,
    read_run,
    run_file,
    run_with_resets,
    track_with_resets,
)
from pytracking.registry import BENCHMARKS, PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

PLUGIN = '''
"""A tracker that leaves the target for good after some frames, with or without chance."""
import dataclasses
import numpy as np
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@dataclasses.dataclass(kw_only=True)
class LeavingParams(TrackerParams):
    keep: int = 30
    chance: bool = False

@TRACKERS.register("leaving", override=True)
class Leaving(BaseTracker):
    """Stays where it was started, then leaves."""
    def initialize(self, image, info):
        if image.max() == 0:
            raise RuntimeError("the frame is black")
        self.box, self.left = list(info["init_bbox"]), self.params.keep
        if self.params.chance:
            self.left += int(np.random.randint(20))

    def track(self, image, info=None):
        self.left -= 1
        return {"target_bbox": self.box if self.left > 0 else [0, 0, 3, 3], "score": 0.5}

@PARAMETERS.register("leaving/soon", override=True)
def soon():
    """After 30 frames."""
    return LeavingParams()

@PARAMETERS.register("leaving/by_chance", override=True)
def by_chance():
    """After 30 to 49 frames."""
    return LeavingParams(chance=True)
'''
POLYGON = [40.0, 20, 80, 25, 75, 55, 35, 50]


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brings the tracker above in for the length of a test."""
    for registry in (PARAMETERS, TRACKERS, BENCHMARKS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))
    file = tmp_path / "leaving.py"
    file.write_text(PLUGIN)
    load_plugins([str(file)])


def video(name: str = "bag", frames: int = 120, value: int = 9) -> Sequence:
    polygons = np.array([POLYGON] * frames)
    boxes = np.array([[35.0, 20, 45, 35]] * frames)
    return Sequence(name, [np.full((90, 120, 3), value, np.uint8)] * frames, "vot", boxes, meta={"polygons": polygons})


def codes(run: list[list[float]]) -> list[int]:
    """1 a start, 2 a failure, 0 skipped, 3 a box."""
    return [int(region[0]) if len(region) == 1 else 3 for region in run]


def test_a_lost_tracker_is_started_again_five_frames_later() -> None:
    starts = []

    def create() -> BaseTracker:
        starts.append(1)
        return Tracker("leaving", "soon").create()

    run, seconds = track_with_resets(create, video(frames=73))
    part = [1, *[3] * 29, 2, 0, 0, 0, 0]
    assert codes(run) == [*part, *part, 1, 3, 3]  # 30 frames, failure, four skipped
    assert len(starts) == 3 and len(seconds) == 73 and (seconds[31:35] == 0).all()
    assert codes(track_with_resets(create, video(frames=32))[0]) == [1, *[3] * 29, 2, 0]  # the end cuts it short
    np.testing.assert_allclose(run[1], initial_box(np.array(POLYGON).reshape(4, 2)))


def test_the_first_box_has_the_polygons_centre_and_area() -> None:
    points = np.array(POLYGON).reshape(4, 2)
    x, y, w, h = initial_box(points)
    assert [x + w / 2, y + h / 2] == pytest.approx(points.mean(axis=0))
    assert w * h == pytest.approx(1225)  # 40 x 30 and 5 x 5 more, by hand
    assert initial_box(np.array([[2.0, 3], [12, 3], [12, 8], [2, 8]])) == pytest.approx([2, 3, 10, 5])


def test_equal_runs_are_made_three_times_and_others_fifteen(workspace: Path) -> None:
    equal, different = Tracker("leaving", "soon"), Tracker("leaving", "by_chance")
    sequence = video()
    run_with_resets([sequence], [equal, different])
    assert len(load_runs(equal, sequence)) == 3
    runs = load_runs(different, sequence)
    assert len(runs) == 15 and len({str(codes(run)) for run in runs}) > 3
    assert run_file(equal, sequence, 1) == workspace / "tracking_results/leaving/soon/baseline/bag/bag_001.txt"
    lines = run_file(equal, sequence, 1).read_text().splitlines()
    assert lines[0] == "1" and lines[1].count(",") == 3 and lines[30:36] == ["2", "0", "0", "0", "0", "1"]


def test_an_interrupted_evaluation_goes_on_and_repeats_what_was_there(workspace: Path) -> None:
    tracker, sequence = Tracker("leaving", "by_chance"), video()
    assert run_with_resets([sequence], [tracker]).tracked == 1
    whole = load_runs(tracker, sequence)
    for repetition in (4, 9):
        run_file(tracker, sequence, repetition).unlink()
    broken = run_file(tracker, sequence, 12)
    broken.write_text(broken.read_text()[:200])  # as a copy that was cut off
    said: list[str] = []
    assert run_with_resets([sequence], [tracker], say=said.append).tracked == 1
    assert "15 runs, 3 of them new" in said[-1]
    assert load_runs(tracker, sequence) == whole
    assert run_with_resets([sequence], [tracker]).skipped == 1


def test_runs_with_other_settings_do_not_mix(workspace: Path) -> None:
    sequence = video()
    usual, changed = Tracker("leaving", "soon"), Tracker("leaving", "soon", overrides={"keep": "20"})
    run_with_resets([sequence], [usual])
    before = load_runs(usual, sequence)
    run_with_resets([sequence], [changed])
    assert codes(load_runs(changed, sequence)[0])[20] == 2
    assert load_runs(usual, sequence) == before


def test_a_changed_digit_of_a_run_is_noticed_and_the_run_made_again(workspace: Path) -> None:
    tracker, sequence = Tracker("leaving", "soon"), video()
    run_with_resets([sequence], [tracker])
    whole = load_runs(tracker, sequence)
    file = run_file(tracker, sequence, 2)
    file.write_text(file.read_text().replace("3", "4", 1))
    with pytest.raises(ResultError, match="_002.txt is not what was written"):
        load_runs(tracker, sequence)
    said: list[str] = []
    run_with_resets([sequence], [tracker], say=said.append)
    assert "made again" in said[0] and load_runs(tracker, sequence) == whole


def test_a_sequence_that_fails_keeps_its_traceback_and_the_others_go_on(workspace: Path) -> None:
    tracker = Tracker("leaving", "soon")
    report = run_with_resets([video("black", value=0), video()], [tracker])
    assert [failure.sequence for failure in report.failures] == ["black"] and report.tracked == 1
    assert "the frame is black" in Path(report.failures[0].file).read_text()
    with pytest.raises(ResultError, match="no reset-based run of leaving/soon on black"):
        load_runs(tracker, video("black", value=0))
    with pytest.raises(ValueError, match="leave out the run id"):
        run_with_resets([video()], [Tracker("leaving", "soon", 1)])


@pytest.mark.parametrize("text", ["1\n", "1\n" + "7\n" * 119, "1\n" + "a,b\n" * 119, "1\n" + "1,2,3\n" * 119])
def test_a_broken_run_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bag_001.txt"
    file.write_text(text)
    with pytest.raises(ResultError, match="bag_001.txt .*delete it and run again"):
        read_run(file, video())


def test_the_scores_are_those_of_the_saved_runs(workspace: Path) -> None:
    tracker, sequence = Tracker("leaving", "soon"), video(frames=140)
    run_with_resets([sequence], [tracker])
    [scores] = evaluate([tracker], [sequence], metric=VOT())
    assert scores.overall["robustness"] == pytest.approx(4 / 140 * 100)
    assert 0.6 < scores.overall["accuracy"] < 1  # a box on a rotated target
    assert scores.frames_per_second > 0
    assert evaluate([tracker], [sequence], metric=VOT("vot_toolkit"))[0].overall["robustness"] == 4


def test_the_command_line_runs_a_challenge_and_prints_its_scores(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    BENCHMARKS.register("vot2018", override=True)(lambda: SequenceList([video(frames=140)]))
    assert run_vot.main(["leaving", "soon", "--dataset", "vot2018"]) == 0
    out = capsys.readouterr().out
    assert "vot2018: 1 sequence, reset-based evaluation by pysot-toolkit (protocol pysot)" in out
    assert "leaving/soon  0." in out and "EAO: over 100 to 356 frames, as in vot2018" in out
    assert run_vot.main(["leaving", "soon", "--dataset", "vot2018", "--interval", "vot218"]) == 1
    out, error = capsys.readouterr()
    assert "Did you mean 'vot2018'" in error and "runs" not in out  # before the work
    BENCHMARKS.register("vot2018", override=True)(lambda: SequenceList([video("black", 140, value=0)]))
    assert run_vot.main(["leaving", "soon", "--dataset", "vot2018"]) == 1
    assert "no scores: 1 of 1 sequences failed" in capsys.readouterr().err
