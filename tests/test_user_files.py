"""What files of users hold is read right, or refused by name: in training, in evaluation and on the command line."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import ltr.registry
from ltr import run_training
from ltr.dataset import Got10k
from pytracking import run_tracker
from pytracking.evaluation import ResultError, Sequence, Tracker, get_dataset, load_result
from pytracking.evaluation.ground_truth import read_regions
from pytracking.evaluation.resets import read_run
from pytracking.evaluation.results import read_numbers
from pytracking.parameter.params import TrackerParams
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker
from socl_plugins.clicks.__main__ import main as clicks
from tests.recipes import WITHOUT_SCORE, as_words

_spec = importlib.util.spec_from_file_location("user_files", Path(__file__).with_name("user_files.py"))
assert _spec is not None and _spec.loader is not None
user_files = sys.modules["user_files"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(user_files)

CASES = {case.title: case for case in user_files.CASES}
BOXES = np.array(user_files.BOXES)


@pytest.fixture
def reads_frames(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tracker that reads the true box from the frame: it tracks right only if each box belongs to its frame."""

    class ReadsFrames(BaseTracker):
        def initialize(self, image, info):
            pass

        def track(self, image, info=None):
            return {"target_bbox": [float(image.mean()), *BOXES[0, 1:]]}

    for registry, entry, value in (
        (TRACKERS, "reader", ReadsFrames),
        (PARAMETERS, "reader/plain", TrackerParams),
    ):
        monkeypatch.setattr(registry, "_entries", {**registry._entries, entry: value})
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> object:
    return CASES[request.param]


def test_there_are_many_cases() -> None:
    assert len(CASES) == len(user_files.CASES) >= 60
    assert sum(not case.error for case in CASES.values()) >= 30


def test_training_reads_it_right_or_names_what_is_wrong(case, tmp_path: Path) -> None:
    dataset = Got10k(case.write(tmp_path))

    def read() -> tuple[np.ndarray, list[bool], list[float]]:
        info = dataset.get_sequence_info(0)
        frames = dataset.get_frames(0, range(len(info["bbox"])))[0]
        return info["bbox"].numpy(), info["visible"].tolist(), [float(frame.mean()) for frame in frames]

    if case.error:
        with pytest.raises(ValueError, match=case.error) as error:
            read()
        assert "\n" not in str(error.value)
        return
    boxes, visible, greys = read()
    np.testing.assert_array_equal(boxes, BOXES)
    np.testing.assert_allclose(greys, BOXES[:, 0], atol=1)
    assert visible == [frame not in case.hidden for frame in range(len(BOXES))]


def test_evaluation_reads_it_right_or_names_what_is_wrong(case, tmp_path: Path, workspace: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(case.write(tmp_path / "data")))
    for name in ("got10k_val", str(tmp_path / "data" / "val")):  # the benchmark, and as one's own videos
        if case.files.get("cover.label") and name != "got10k_val":
            continue
        if case.error:
            with pytest.raises((ValueError, FileNotFoundError), match=case.error):
                sequence = get_dataset(name)[0]
                [sequence.frame(index) for index in range(len(sequence))]
            continue
        sequence = get_dataset(name)["clip"]
        np.testing.assert_array_equal(sequence.ground_truth_rect, BOXES)
        greys = [float(sequence.frame(index).mean()) for index in range(len(sequence))]
        np.testing.assert_allclose(greys, BOXES[:, 0], atol=1)
        if case.hidden:
            assert np.flatnonzero(sequence.meta["cover"] == 0).tolist() == list(case.hidden)


def test_training_s_command_learns_from_it_or_names_what_is_wrong(
    case, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.write(tmp_path / "data").rename(tmp_path / "data" / "train")
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(tmp_path / "data"))
    small = {**WITHOUT_SCORE, "data.sets": "got10k_train"}
    status = run_training.main(["siamfc", "box_siam_alexnet", "--device", "cpu", *as_words(small)])
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    if case.error and case.at == "reading":
        assert status == 1 and re.search(case.error, told.err, re.MULTILINE), told.err
        assert not any(workspace.rglob("*.pth.tar"))
    elif not case.error:
        assert status == 0 and any(workspace.rglob("*_ep0001.pth.tar")), told.err


def test_commands_read_it_right_or_name_what_is_wrong(
    case, tmp_path: Path, reads_frames: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = case.write(tmp_path / "data")
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(folder))
    status = run_tracker.main(["reader", "plain", "--dataset_name", "got10k_val"])
    tracked = capsys.readouterr()
    counted = clicks(["cost", "--dataset", "got10k_val", "--root", str(folder)])
    learned = capsys.readouterr()
    assert "Traceback" not in tracked.err + learned.err
    wrong = (case.error, case.error if case.at == "reading" else "")
    for error, code, output in zip(wrong, (status, counted), (tracked, learned)):
        assert code == (1 if error else 0), output.err
        if error:
            assert any(re.search(error, line) for line in output.err.splitlines()), output.err
    if not case.error:
        sequence = get_dataset("got10k_val")["clip"]
        np.testing.assert_allclose(load_result(Tracker("reader", "plain"), sequence).boxes, BOXES, atol=1)
    if not wrong[1]:
        assert f"{len(BOXES)} frames" in learned.out


@pytest.mark.parametrize("case", [case for case in user_files.NUMBERS if not case.change], ids=lambda case: case.title)
def test_results_and_runs_are_read_by_the_same_rules(case, tmp_path: Path) -> None:
    file = tmp_path / "groundtruth.txt"
    file.write_bytes(case.truth)
    sequence = Sequence("clip", [np.zeros((40, 200, 3), np.uint8)] * len(BOXES), "mine", BOXES)
    if case.error:
        wrong_count = re.search("has|holds", case.error) is not None
        if not wrong_count:  # else load_result, which knows the sequence, says so
            with pytest.raises(ResultError, match=f"{case.error.removesuffix('$')}.*delete it and run"):
                read_numbers(file, 4)
        with pytest.raises(ResultError, match="delete it and run"):
            read_run(file, sequence)
        return
    np.testing.assert_array_equal(read_numbers(file, 4), BOXES)
    np.testing.assert_array_equal(read_regions(file, polygons=True, missing=True), BOXES)


def test_a_result_of_nan_is_damaged_and_a_score_of_nan_is_none(tmp_path: Path) -> None:
    file = tmp_path / "clip.txt"
    file.write_text("1 2 3 4\nnan nan nan nan\n")
    with pytest.raises(ResultError, match="clip.txt, line 2"):
        read_numbers(file, 4)
    file.write_text("nan\n0.5\n")
    assert np.isnan(read_numbers(file, 1, missing=True)[0, 0])
