"""Runs at the same time in one place: each ends with what it would have ended with alone, or is refused with a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ltr import run_training
from ltr.admin.checkpoint import load_checkpoint
from ltr.dataset.export import export_got10k
from ltr.dataset.synthetic import SyntheticVideo
from pytracking import run_tracker
from socl_plugins.pseudo_label.__main__ import main as pseudo_label
from socl_plugins.top_map.__main__ import main as top_map
from tests.faults.conftest import TOYS
from tests.faults.harness import Counts, Main, Started, run
from tests.faults.test_kills import TOY_TRAINING, records, results

WHAT = "group of concurrent runs"


Result = set[Any]  # what lies in each place of a workspace: a folder of results, a run's checkpoints, a store


@dataclass(frozen=True)
class Group:
    """Command lines that are started at once, and what there is of results in a workspace."""

    main: Main
    lines: Sequence[Sequence[object]]
    results: Callable[[Path], Result]


def run_group(name: str, group: Group, folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs each line alone, each in a workspace of its own, and then all at once in one."""

    def workspace(place: str) -> Path:
        path = folder / name / place
        path.mkdir(parents=True)
        monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", str(path))
        return path

    alone: list[Result] = []
    for number, line in enumerate(group.lines):
        place = workspace(f"alone_{number}")
        outcome = run(group.main, line, folder / "log")
        assert outcome.status == 0, outcome.output
        alone.append(group.results(place))
    shared = workspace("shared")
    started = [Started(group.main, line, folder / name / f"{n}.log") for n, line in enumerate(group.lines)]
    outcomes = [each.wait() for each in started]
    found = group.results(shared)
    faults = [fault for outcome in outcomes if (fault := outcome.fault([0, 1]))]
    if not any(outcome.status == 0 for outcome in outcomes):
        faults.append("none of the runs ended well")
    if found - set().union(*alone):
        faults.append("there are results of none of the runs")
    for number, (outcome, expected) in enumerate(zip(outcomes, alone)):
        if outcome.status == 0 and expected - found:
            faults.append(f"the results of run {number} are lost, though it ended well")
    counts.add(WHAT, f"{name}: {'; '.join(faults)}" if faults else None)


def tracked(workspace: Path) -> Result:
    """Of each folder of results: the boxes of every sequence."""
    folders: dict[str, set[tuple[str, bytes]]] = {}
    for name, content in results(workspace).items():
        path = Path(name)
        folders.setdefault(str(path.parent), set()).add((path.name, content))
    return {frozenset(files) for files in folders.values()}


def learned(workspace: Path) -> Result:
    """Of each folder of checkpoints: the newest."""
    newest: dict[Path, Path] = {}
    for path in sorted((workspace / "checkpoints").rglob("*_ep*.pth.tar")):
        newest[path.parent] = path
    return {state_of(path) for path in newest.values()}


def state_of(path: Path) -> tuple[int, tuple[bytes, ...]]:
    content = load_checkpoint(path)
    return content["epoch"], tuple(value.numpy().tobytes() for value in content["net"].values())


def stored(workspace: Path) -> Result:
    """Of each store: its records."""
    stores: dict[str, set[Any]] = {}
    for name, record in records(workspace).items():
        stores.setdefault(name.partition(":")[0], set()).add((name, record))
    return {frozenset(each) for each in stores.values()}


def training(*changes: str) -> list[object]:
    words: list[object] = ["toy", "sums", "--plugin", TOY_TRAINING, "--device", "cpu", "--set", "epochs=4"]
    return [*words, "--set", "delay=0.003", *changes]


def tracking(*changes: str) -> list[object]:
    return ["drift", "plain", "--plugin", TOYS, "--dataset_name", "toys", "--set", "delay=0.01", *changes]


def groups(root: Path) -> dict[str, Group]:
    """Twelve groups: equal and different commands, two and three at once."""

    def build(*words: str) -> list[object]:
        return ["build", "--dataset", "got10k_train", "--root", root, "--jobs", "1", *words]

    small = ("--set", "random_count=100", "--set", "edge_count=20")
    boxes = ("--method", "interpolation", "--period")
    train, track = run_training.main, run_tracker.main
    return {
        "tracking with other settings": Group(track, [tracking(), tracking("--set", "step=3")], tracked),
        "tracking with three settings": Group(
            track, [tracking("--set", f"step={step}") for step in (1, 2, 5)], tracked
        ),
        "the same tracking twice": Group(track, [tracking(), tracking()], tracked),
        "two repetitions": Group(track, [tracking("--runid", n) for n in "12"], tracked),
        "tracking anew beside": Group(track, [tracking(), tracking("--overwrite")], tracked),
        "two seeds of a training": Group(train, [training("--seed", n) for n in "12"], learned),
        "the same training twice": Group(train, [training(), training()], learned),
        "two rates of a training": Group(train, [training(f"--set=learning_rate={n}") for n in (0.1, 0.02)], learned),
        "a training and its resume": Group(train, [training(), training("--resume")], learned),
        "the same TOP maps twice": Group(top_map, [build(*small)] * 2, stored),
        "TOP maps with other settings": Group(top_map, [build(*small), build(*small, "--set", "keep=9")], stored),
        "pseudo boxes of two periods": Group(pseudo_label, [build(*boxes, n) for n in "24"], stored),
    }


@pytest.fixture
def root(folder: Path) -> Path:
    export_got10k(SyntheticVideo(3, num_frames=6, size=(96, 128), seed=7), folder / "data", "train")
    return folder / "data"


def test_two_builds_of_one_store(folder: Path, root: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "the same TOP maps twice"
    run_group(name, groups(root)[name], folder, counts, monkeypatch)
    counts.check(WHAT)


@pytest.mark.campaign
def test_campaign_of_concurrent_runs(folder: Path, root: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, group in groups(root).items():
        run_group(name, group, folder, counts, monkeypatch)
    counts.check(WHAT)
