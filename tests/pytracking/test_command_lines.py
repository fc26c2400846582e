"""The command lines track, print, render, and end with an honest exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ltr.registry
from pytracking import run_experiment, run_tracker
from pytracking.registry import EXPERIMENTS

SCRIPTS = Path(__file__).resolve().parents[2] / "pytracking"

PLUGIN = '''
"""A tracker, a parameter set, a data set and an experiment in one file."""
import numpy as np
from pytracking.evaluation import Sequence, SequenceList, Tracker
from pytracking.parameter.params import TrackerParams
from pytracking.registry import BENCHMARKS, EXPERIMENTS, PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@TRACKERS.register("still")
class Still(BaseTracker):
    """Says that nothing moves."""
    def initialize(self, image, info):
        self.box = info["init_bbox"]
    def track(self, image, info=None):
        if image.max() == 0:
            raise RuntimeError("black")
        return {"target_bbox": self.box}

@PARAMETERS.register("still/plain")
def plain():
    """Nothing to set."""
    return TrackerParams()

@BENCHMARKS.register("tiny")
def tiny(value=7):
    """Two videos of three frames."""
    boxes = np.full((3, 4), 10.0)
    frames = [np.full((40, 40, 3), value, np.uint8)] * 3
    return SequenceList([Sequence(name, frames, "tiny", boxes) for name in ("One", "Two")])

BENCHMARKS.register("black")(lambda: tiny(0))

@EXPERIMENTS.register("mine/first")
def first():
    """The tracker on the videos."""
    return [Tracker("still", "plain", display_name="standing still")], tiny()
'''


@pytest.fixture
def plugin(workspace: Path, tmp_path: Path) -> str:
    file = tmp_path / "still.py"
    file.write_text(PLUGIN)
    return str(file)


@pytest.fixture(autouse=True)
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's plugin registers goes with the test."""
    from pytracking.registry import BENCHMARKS, PARAMETERS, TRACKERS

    ltr.registry.load_plugins()  # what the installed ones register stays
    for registry in (BENCHMARKS, EXPERIMENTS, PARAMETERS, TRACKERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))


def run(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_a_plugin_file_is_tracked_from_any_directory(plugin: str, workspace: Path, tmp_path: Path) -> None:
    arguments = ["still", "plain", "--plugin", plugin, "--dataset_name", "tiny", "--runid", "3"]
    done = run("run_tracker.py", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "still/plain_003  0.952  1.000" in done.stdout
    directory = workspace / "tracking_results" / "still" / "plain_003"
    assert str(directory) in done.stdout
    assert (directory / "One.txt").read_text() == "10\t10\t10\t10\n" * 3


def test_an_experiment_is_found_run_and_rendered(
    plugin: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_experiment.main(["mine", "first", "--plugin", plugin, "--per_sequence", "--render"]) == 0
    out = capsys.readouterr().out
    assert "standing still  0.952" in out and "Two" in out
    for name in ("One.mp4", "One.png", "Two.mp4"):
        assert (workspace / "tracking_results" / "still" / "plain" / name).is_file() and name in out


def test_one_sequence_is_chosen_by_name_or_number(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["still", "plain", "--plugin", plugin, "--dataset_name", "tiny", "--sequence"]
    for choice in ("Two", "0"):
        assert run_tracker.main([*base, choice]) == 0
        assert "tiny: 1 sequence, one-pass" in capsys.readouterr().out
    assert run_tracker.main([*base, "Tow"]) == 1
    assert "Did you mean 'Two'" in capsys.readouterr().err
    assert run_tracker.main([*base, "2"]) == 1
    assert "tiny has 0 to 1" in capsys.readouterr().err


def test_a_failed_sequence_shows_in_the_exit_status(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["still", "plain", "--plugin", plugin, "--dataset_name", "black"]
    assert run_tracker.main(base) == 1
    captured = capsys.readouterr()
    assert "2 of 2 sequences failed" in captured.err and "RuntimeError: black (traceback: " in captured.err
    assert run_tracker.main([*base, "--debug", "1"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["siamfc", "untraned_res18"], "Did you mean 'siamfc/untrained_res18'"),
        (["siamcf", "untrained_res18"], "Did you mean 'siamfc'"),
        (["siamfc", "untrained_res18", "--dataset_name", "synthtic"], "Did you mean 'synthetic'"),
        (["siamfc", "untrained_res18", "--set", "scale_nun=1"], "Did you mean 'scale_num'"),
        (["siamfc", "untrained_res18", "--set", "scale_num=two"], "expected a whole number"),
        (["siamfc", "untrained_res18", "--dataset_name", "otb"], "PYTRACKING_OTB_DIR"),
        (["siamfc", "untrained_res18", "--plugin", "no_such_module"], "no_such_module"),
    ],
)
def test_a_wrong_name_is_one_line_and_no_traceback(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run_tracker.main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ")


def test_an_unknown_experiment_brings_near_names(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_experiment.main(["baselines", "sinthetic"]) == 1
    assert "Did you mean 'baselines/synthetic'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["siamfc"], ["a", "b", "--threads", "-1"], ["a", "b", "--set", "x"], ["--nonsense"]]
)
def test_wrong_usage_ends_with_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run_tracker.main(arguments)
    assert stop.value.code == 2


def test_names_are_listed_with_what_they_are(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tracker.main(["--list"]) == 0 and run_experiment.main(["--list"]) == 0
    out = capsys.readouterr().out
    assert "siamfc untrained_res18" in out and "needs no files" in out and "baselines synthetic" in out


@pytest.mark.parametrize("script", ["run_tracker.py", "run_experiment.py"])
def test_help_works_from_any_directory_and_shows_examples(script: str, tmp_path: Path) -> None:
    done = run(script, "--help", folder=tmp_path)
    assert done.returncode == 0 and f"python pytracking/{script} --list" in done.stdout


def test_every_experiment_of_this_package_says_what_it_is() -> None:
    assert {"baselines/otb", "baselines/synthetic"} <= set(EXPERIMENTS.names())
    trackers, sequences = EXPERIMENTS["baselines/synthetic"]()
    assert trackers[0].run_name == "siamfc/untrained_res18" and len(sequences) == 8
