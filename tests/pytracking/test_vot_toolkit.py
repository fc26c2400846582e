"""VOT's official toolkit, in an environment of its own, tests and evaluates our trackers on a small stack.

PYTRACKING_TEST_VOT_PYTHON names the Python of an environment with the package ``vot-toolkit``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pytracking.test_trax import STILL

REPOSITORY = Path(__file__).resolve().parents[2]
VARIABLE = "PYTRACKING_TEST_VOT_PYTHON"
TOOLKIT = os.environ.get(VARIABLE)  # before a test hides such variables
BESIDE = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])  # where the toolkit finds this project
FRAMES, LATE = 4, 2
BOXES = {"a": (30, 40, 30, 30), "b": (100, 30, 30, 20)}
READ = """
import sys
from vot.region.io import read_trajectory
for file in sys.argv[1:]:
    print(*(str(region).replace(" ", "") for region in read_trajectory(file)))
"""
STACK = """
title: small
experiments:
  baseline:
    type: unsupervised
    repetitions: 1
    multiobject: True
"""
TRACKERS = f"""
[Trax]
protocol = trax
command = {sys.executable} {REPOSITORY}/pytracking/run_vot.py still here --plugin {{plugin}}

[Python]
protocol = python
command = pytracking.evaluation.vot_python:create_tracker
arg_tracker = still/here
arg_plugin = {{plugin}}
timeout = 120
"""


@pytest.fixture
def toolkit() -> str:
    """The Python of the toolkit's environment."""
    if not TOOLKIT:
        pytest.skip(f"{VARIABLE} names no Python with the package vot-toolkit")
    done = run([TOOLKIT, "-c", "import vot"])
    if done.returncode:
        pytest.skip(f"{TOOLKIT} cannot import VOT's toolkit: {done.stderr.strip().splitlines()[-1]}")
    return TOOLKIT


@pytest.fixture
def beside(toolkit: str) -> str:
    """The same, if it can run this project, too, from where it lies."""
    done = run([toolkit, "-c", "import torch, cv2, vot, pytracking.evaluation.vot_python"], PYTHONPATH=BESIDE)
    if done.returncode:
        pytest.skip(f"{toolkit} cannot run this project beside the toolkit: {done.stderr.strip().splitlines()[-1]}")
    return toolkit


def run(words: list[str], cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280)


def workspace_of(folder: Path, places: dict[str, tuple[int, ...]]) -> Path:
    """Makes a workspace of the toolkit: one video of two objects that rest, of which the second comes later."""
    frame = np.full((120, 160, 3), 70, np.uint8)
    for (x, y, w, h), color in zip(BOXES.values(), ((0, 0, 255), (255, 255, 0))):
        frame[y : y + h, x : x + w] = color
    (folder / "sequences" / "One" / "color").mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(folder / "sequences" / "One" / "color" / f"{number:08d}.jpg"), frame)
    about = "name=One\nfps=30\nformat=default\nchannel.default=color\nchannels.color=color/%08d.jpg\n"
    (folder / "sequences" / "One" / "sequence").write_text(about)
    for name, late in (("a", 0), ("b", LATE)):
        line = ",".join(map(str, places[name])) + "\n"
        (folder / "sequences" / "One" / f"groundtruth_{name}.txt").write_text("0\n" * late + line * (FRAMES - late))
    (folder / "sequences" / "list.txt").write_text("One\n")
    (folder / "stack.yaml").write_text(STACK)
    (folder / "config.yaml").write_text("registry:\n- ./trackers.ini\nstack: ./stack.yaml\n")
    (folder / "still.py").write_text(STILL)
    (folder / "trackers.ini").write_text(TRACKERS.format(plugin=folder / "still.py"))
    return folder


def trajectories(python: str, folder: Path, tracker: str) -> list[list[str]]:
    files = [str(folder / "results" / tracker / "baseline" / "One" / f"One_{name}_001.bin") for name in BOXES]
    done = run([python, "-c", READ, *files])
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def numbers(region: str) -> list[float]:
    return [float(number) for number in region.strip("()").split(",")]


def test_the_toolkits_own_test_of_a_tracker_behind_trax(toolkit: str, workspace: Path, tmp_path: Path) -> None:
    folder = workspace_of(tmp_path, BOXES)
    done = run([toolkit, "-m", "vot", "--registry", str(folder / "trackers.ini"), "test", "Trax"], cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test concluded" in done.stderr
    states = [line for line in done.stdout.splitlines() if line.startswith("@@TRAX:state")]
    assert len(states) == 3 * 50, "its own video has three objects; what the tracker prints is not between the lines"
    assert all("confidence=0.5" in state for state in states[3:])


def test_the_toolkit_evaluates_several_objects_behind_trax(toolkit: str, workspace: Path, tmp_path: Path) -> None:
    folder = workspace_of(tmp_path, BOXES)
    done = run([toolkit, "-m", "vot", "evaluate", "Trax"], cwd=folder)
    assert "Evaluation concluded" in done.stderr, done.stdout + done.stderr
    check_boxes(trajectories(toolkit, folder, "Trax"))


def test_the_toolkit_evaluates_boxes_and_points_by_its_python_protocol(
    beside: str, workspace: Path, tmp_path: Path
) -> None:
    points = {name: (x + w // 2, y + h // 3) for name, (x, y, w, h) in BOXES.items()}
    for name, places in (("boxes", BOXES), ("points", points)):
        folder = workspace_of(tmp_path / name, places)
        done = run([beside, "-m", "vot", "evaluate", "Python"], cwd=folder, PYTHONPATH=BESIDE)
        assert "Evaluation concluded" in done.stderr, done.stdout + done.stderr
    check_boxes(trajectories(beside, tmp_path / "boxes", "Python"))
    first, second = trajectories(beside, tmp_path / "points", "Python")
    assert [len(numbers(region)) for region in first[1:]] == [2] * (FRAMES - 1), "a point is answered by a point"
    np.testing.assert_allclose([numbers(region) for region in first[1:]], [points["a"]] * (FRAMES - 1), atol=1e-3)
    np.testing.assert_allclose(
        [numbers(region) for region in second[LATE:]], [points["b"]] * (FRAMES - LATE), atol=1e-3
    )


def check_boxes(found: list[list[str]]) -> None:
    first, second = found
    assert first[0] == "1" and [numbers(region) for region in first[1:]] == [list(BOXES["a"])] * (FRAMES - 1)
    assert second[:LATE] == ["1", "0"] and [numbers(region) for region in second[LATE:]] == [list(BOXES["b"])] * (
        FRAMES - LATE
    )
