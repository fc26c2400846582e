"""The command lines track, print, render, and end with an honest exit status."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

import ltr.registry
from pytracking import run_experiment, run_tracker
from pytracking.analysis.__main__ import main as analysis
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
    uses_torch = False

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

    ltr.registry.load_plugins()  # what these register stays
    for registry in (BENCHMARKS, EXPERIMENTS, PARAMETERS, TRACKERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    monkeypatch.setattr(ltr.registry, "_loaded", dict(ltr.registry._loaded))


def run(script: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


@pytest.mark.long
def test_a_plugin_file_is_tracked_from_any_directory(plugin: str, workspace: Path, tmp_path: Path) -> None:
    arguments = ["still", "plain", "--plugin", plugin, "--dataset", "tiny", "--run-id", "3"]
    done = run("run_tracker.py", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "still/plain_003  0.952  1.000" in done.stdout
    directory = workspace / "tracking_results" / "still" / "plain_003"
    assert str(directory) in done.stdout
    assert (directory / "One.txt").read_text() == "10\t10\t10\t10\n" * 3


@pytest.mark.parametrize(
    "words",
    [
        ["--dataset_name", "tiny", "--runid", "3", "--threads", "0", "--per_sequence"],
        ["--dataset=tiny", "--run_id=3", "--jobs=0", "--per-sequence"],
        ["--dataset_name=tiny", "--runid=3"],
    ],
)
def test_the_spellings_of_pytracking_are_understood(
    plugin: str, workspace: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run_tracker.main(["still", "plain", "--plugin", plugin, *words]) == 0
    assert "still/plain_003  0.952" in capsys.readouterr().out
    assert (workspace / "tracking_results/still/plain_003/One.txt").is_file()


@pytest.mark.long
def test_the_workspace_is_chosen_and_inherited_by_workers(
    plugin: str, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = tmp_path / "chosen"
    words = ["still", "plain", "--plugin", plugin, "--dataset", "tiny", "--jobs", "2", "--workspace", str(chosen)]
    assert run_tracker.main(words) == 0
    assert (chosen / "tracking_results/still/plain/Two.txt").is_file() and not any(workspace.iterdir())


SLOW = '''
"""A tracker that takes its time, and moves the box by its parameter."""
import dataclasses, os, signal, time
import numpy as np
from pytracking.evaluation import Sequence, SequenceList
from pytracking.parameter.params import TrackerParams
from pytracking.registry import BENCHMARKS, PARAMETERS, TRACKERS
from pytracking.tracker.base import BaseTracker

@dataclasses.dataclass(kw_only=True)
class SlowParams(TrackerParams):
    step: float = 0.0
    wait: float = 0.05
    killed: bool = False

@TRACKERS.register("slow")
class Slow(BaseTracker):
    """Waits, and moves the box."""
    uses_torch = False

    def initialize(self, image, info):
        self.box = list(info["init_bbox"])
    def track(self, image, info=None):
        time.sleep(self.params.wait)
        if self.params.killed:
            os.kill(os.getpid(), signal.SIGKILL)
        self.box[0] += self.params.step
        return {"target_bbox": self.box}

@PARAMETERS.register("slow/plain")
def plain():
    """Moves nothing."""
    return SlowParams()

@BENCHMARKS.register("long")
def long():
    """Four videos of twenty frames."""
    frames, boxes = [np.full((40, 80, 3), 7, np.uint8)] * 20, np.full((20, 4), 10.0)
    return SequenceList([Sequence(name, frames, "long", boxes) for name in "abcd"])
'''


def tracked_at_once(folder: Path, settings: list[list[str]]) -> list[subprocess.CompletedProcess[str]]:
    """Runs the tracker above in one directory of results with each of the settings, all at the same time."""
    plugin = folder / "slow.py"
    plugin.write_text(SLOW)
    base = [sys.executable, str(SCRIPTS / "run_tracker.py"), "slow", "plain", "--plugin", str(plugin)]
    runs = [
        subprocess.Popen(
            [*base, "--dataset_name", "long", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for words in settings
    ]
    try:
        texts = [run.communicate(timeout=240) for run in runs]
    finally:
        for run in runs:
            run.kill()
    return [subprocess.CompletedProcess(run.args, run.returncode, *text) for run, text in zip(runs, texts)]


@pytest.mark.long
def test_a_sweep_of_settings_at_once_gives_each_its_own_numbers(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = tracked_at_once(tmp_path, [["--set", f"step={step}"] for step in ("0", "0.5")])
    assert [run.returncode for run in done] == [0, 0], [run.stderr for run in done]
    printed = [match[1] for run in done if (match := re.search(r"slow/plain\S*  +(\d\.\d+)", run.stdout))]
    assert printed == [f"{auc_of_drift(step):.3f}" for step in (0, 0.5)]
    name = re.search(r"pytracking.analysis (slow/plain\+[0-9a-f]{8})", done[1].stdout)
    assert name is not None and "(step=0.5)" in done[1].stdout and "analysis" not in done[0].stdout
    assert analysis([name[1], "--dataset_name", "long", "--plugin", str(tmp_path / "slow.py")]) == 0
    assert printed[1] in capsys.readouterr().out


def auc_of_drift(step: float) -> float:
    """Returns OTB's AUC of a box of 10 pixels that leaves a target at rest by ``step`` pixels in each of 20 frames."""
    inside = np.clip(10 - step * np.arange(20), 0, None)
    overlaps = inside / (20 - inside)
    return float(np.mean([(overlaps > threshold).mean() for threshold in np.linspace(0, 1, 21)]))


@pytest.mark.long
def test_two_runs_of_the_same_settings_are_one_run_and_a_refusal(workspace: Path, tmp_path: Path) -> None:
    done = tracked_at_once(tmp_path, [["--set", "wait=0.1"]] * 2)
    assert sorted(run.returncode for run in done) == [0, 1]
    [refused] = [run for run in done if run.returncode]
    assert "is being written to by process" in refused.stderr
    assert "choose another --workspace or run id" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.long
def test_a_killed_worker_is_one_line_and_the_same_command_goes_on(workspace: Path, tmp_path: Path) -> None:
    [done] = tracked_at_once(tmp_path, [["--threads", "2", "--set", "killed=true"]])
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: a worker process died (SIGKILL), as the system does when memory runs out: finished" in done.stderr


@pytest.mark.long
def test_workers_end_with_a_killed_run_and_the_next_run_goes_on(workspace: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW)
    command = [sys.executable, str(SCRIPTS / "run_tracker.py"), "slow", "plain", "--plugin", str(plugin)]
    command += ["--dataset_name", "long", "--threads", "2"]
    with (tmp_path / "log").open("w") as log:
        run = psutil.Popen([*command, "--set", "wait=0.1"], stdout=log, stderr=log)
        results = workspace / "tracking_results" / "slow"
        try:
            assert wait_for(lambda: any(results.glob("plain*/?.txt"))), (tmp_path / "log").read_text()
            workers = run.children(recursive=True)
        finally:
            run.kill()
            run.wait()
    assert len(workers) >= 2
    assert wait_for(lambda: not any(alive(worker) for worker in workers)), workers
    (next(results.glob("plain*")) / ".left.txt.host.1.partial").touch()
    again = subprocess.run([*command, "--set", "wait=0.1"], capture_output=True, text=True, timeout=240)
    assert again.returncode == 0 and "takes it over" in again.stderr and "results are there already" in again.stderr
    assert not list(results.rglob("*.partial"))


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.long
def test_a_run_in_the_background_stops_in_good_order(workspace: Path, tmp_path: Path, number: int) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW)
    command = [sys.executable, str(SCRIPTS / "run_tracker.py"), "slow", "plain", "--plugin", str(plugin)]
    handler = signal.SIG_IGN if number == signal.SIGTERM else signal.SIG_DFL  # ignored, as a shell leaves it after `&`
    run = subprocess.Popen(
        [*command, "--dataset_name", "long"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
    )
    try:
        results = workspace / "tracking_results" / "slow" / "plain"
        assert wait_for(lambda: (results / "a.txt").is_file())
        run.send_signal(number)
        err = run.communicate(timeout=240)[1]
    finally:
        run.kill()
    assert run.returncode == 130 and "the same command goes on from there" in err and "Traceback" not in err
    assert not list(results.rglob("*.partial")) and not (results / ".owner.json").exists()


def test_an_experiment_is_found_run_and_rendered(
    plugin: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_experiment.main(["mine", "first", "--plugin", plugin, "--per-sequence", "--render"]) == 0
    out = capsys.readouterr().out
    assert "standing still  0.952" in out and "Two" in out
    for name in ("One.mp4", "One.png", "Two.mp4"):
        assert (workspace / "tracking_results" / "still" / "plain" / name).is_file() and name in out


def test_one_sequence_is_chosen_by_name_or_number(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["still", "plain", "--plugin", plugin, "--dataset", "tiny", "--sequence"]
    for choice in ("Two", "0"):
        assert run_tracker.main([*base, choice]) == 0
        assert "tiny: 1 sequence, one-pass" in capsys.readouterr().out
    assert run_tracker.main([*base, "Tow"]) == 1
    assert "Did you mean 'Two'" in capsys.readouterr().err
    assert run_tracker.main([*base, "2"]) == 1
    assert "tiny has 0 to 1" in capsys.readouterr().err


def test_a_failed_sequence_shows_in_the_exit_status(plugin: str, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["still", "plain", "--plugin", plugin, "--dataset", "black"]
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
        (["siamfc", "untrained_res18", "--dataset", "synthtic"], "Did you mean 'synthetic'"),
        (["siamfc", "untrained_res18", "--dataset", "no/such/folder"], "there is no folder or video no/such/folder"),
        (["siamfc", "untrained_res18", "--dataset", "d" * 5000], "unknown benchmark data set"),
        (["siamfc", "untrained_res18", "--dataset", "~nouser/x"], "there is no folder or video ~nouser/x"),
        (["siamfc", "untrained_res18", "--sequence", "9" * 5000], "there is no sequence '9999"),
        (["siamfc", "untrained_res18", "--set", "scale_nun=1"], "Did you mean 'scale_num'"),
        (["siamfc", "untrained_res18", "--set", "scale_num=two"], "expected a whole number"),
        (["siamfc", "untrained_res18", "--dataset", "otb"], "PYTRACKING_OTB_DIR"),
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
    "arguments", [["siamfc"], ["a", "b", "--jobs", "-2"], ["a", "b", "--set", "x"], ["--nonsense"]]
)
def test_wrong_usage_ends_with_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run_tracker.main(arguments)
    assert stop.value.code == 2


def test_names_are_listed_with_what_they_are(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tracker.main(["--list"]) == 0 and run_experiment.main(["--list"]) == 0
    out = capsys.readouterr().out
    assert "siamfc untrained_res18" in out and "needs no files" in out and "baselines synthetic" in out
    assert not [line for line in out.splitlines() if line.startswith("  ") and len(line.split("  ")) < 3], "no words"
    assert "partial(" not in out and "`ltr/run_training.py socl gst`" in out


@pytest.mark.parametrize("script", ["run_tracker.py", "run_experiment.py"])
def test_help_works_from_any_directory_and_shows_examples(script: str, tmp_path: Path) -> None:
    done = run(script, "--help", folder=tmp_path)
    assert done.returncode == 0 and f"python pytracking/{script} --list" in done.stdout


def test_every_experiment_of_this_package_says_what_it_is() -> None:
    assert {"baselines/otb", "baselines/synthetic"} <= set(EXPERIMENTS.names())
    trackers, sequences = EXPERIMENTS["baselines/synthetic"]()
    assert trackers[0].run_name == "siamfc/untrained_res18" and len(sequences) == 8
