"""A run that is killed at any moment loses nothing that was finished, and ends as if it had not been killed."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import load_checkpoint
from ltr.dataset.export import export_got10k
from ltr.dataset.synthetic import SyntheticVideo
from pytracking import run_tracker
from socl_plugins.pseudo_label.__main__ import main as pseudo_label
from socl_plugins.studies.__main__ import main as studies
from socl_plugins.top_map.__main__ import main as top_map
from tests.faults.conftest import TOYS
from tests.faults.harness import Counts, Main, rng, run, run_and_kill

TOY_TRAINING = TOYS.parents[1] / "ltr" / "toy_plugin.py"


@dataclass(frozen=True)
class Killed:
    """What is killed: a command, what of its result must be equal in the end, and what is kept of it on the way.

    Attributes:
        main: the command.
        first: its arguments at the first start.
        again: its arguments when it goes on.
        result: of the workspace, what must be equal in the end.
        finished: of the workspace, what was finished; it must not be lost, and not change.
        seconds: how long it runs at most before it is killed; 0: as long as it takes to its end.
    """

    main: Main
    first: Sequence[object]
    again: Sequence[object]
    result: Callable[[Path], Any]
    finished: Callable[[Path], dict[str, Any]]
    seconds: float = 0.0


def kill_and_resume(
    what: str, killed: Killed, folder: Path, times: int, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kills a command so many times, each in a run of up to three kills, and compares each end with an unbroken run."""

    def workspace(name: str) -> Path:
        path = folder / name
        path.mkdir()
        monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", str(path))
        return path

    whole = workspace("whole")
    unbroken = run(killed.main, killed.first, folder / "log")
    assert unbroken.status == 0, unbroken.output
    expected, length = killed.result(whole), killed.seconds or 1.2 * unbroken.seconds
    draw, kills, number = rng(zlib.crc32(what.encode())), 0, 0
    while kills < times:
        place, before, number = workspace(str(number)), dict[str, Any](), number + 1
        for attempt in range(min(3, times - kills)):
            arguments = killed.again if attempt else killed.first
            if not run_and_kill(killed.main, arguments, folder / "log", float(draw.uniform(0, length))):
                break
            kills += 1
            found = killed.finished(place)
            lost = [name for name, content in before.items() if found.get(name) != content]
            counts.add(what, f"run {number}: {lost} lost or changed by a kill" if lost else None)
            before = found
        end = run(killed.main, killed.again, folder / "log")
        fault = end.fault([0])
        if fault is None and killed.result(place) != expected:
            fault = "the end result differs from that of an unbroken run"
        counts.add(f"{what}: resumed to the end", f"run {number}: {fault}" if fault else None)
    counts.check(what, f"{what}: resumed to the end")


# ------------------------------------------------------------------------------------------------------ training
def checkpoints(workspace: Path) -> dict[str, Any]:
    """Every checkpoint can be read: the weights of each epoch."""
    found = {}
    for path in sorted((workspace / "checkpoints").rglob("*.pth.tar")):
        content = load_checkpoint(path)
        if "_ep" in path.name:  # the best one is replaced by a better one
            found[path.name] = {name: value.numpy().tobytes() for name, value in content["net"].items()}
    return found


def trained(workspace: Path) -> Any:
    newest = max((workspace / "checkpoints").rglob("*_ep*.pth.tar"))
    content = load_checkpoint(newest)
    weights = {name: value.numpy().tobytes() for name, value in content["net"].items()}
    return content["epoch"], weights, json.dumps(content["stats"], sort_keys=True)


def toy_training(*, epochs: int) -> Killed:
    words = ["toy", "sums", "--plugin", TOY_TRAINING, "--device", "cpu", "--set", f"epochs={epochs}"]
    words += [
        "--set",
        "dropout=0.2",
        "--set",
        "average_decay=0.9",
        "--set",
        "delay=0.002",
        "--set",
        "keep_checkpoints=99",
    ]
    return Killed(run_training.main, words, [*words, "--resume"], trained, checkpoints)


# -------------------------------------------------------------------------------------------------------- stores
def records(workspace: Path) -> dict[str, Any]:
    found = {}
    for path in workspace.rglob("*.sqlite"):
        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            rows = connection.execute("SELECT name, content, crc32 FROM records").fetchall() if tables else []
        found |= {f"{path.name}:{name!r}": (content, checksum) for name, content, checksum in rows}
    return found


def store_build(main: Main, root: Path, *words: str) -> Killed:
    arguments = ["build", "--dataset", "got10k_train", "--root", root, "--jobs", "1", *words]
    return Killed(main, arguments, arguments, records, records)


@pytest.fixture
def got10k(folder: Path) -> Path:
    export_got10k(SyntheticVideo(6, num_frames=8, size=(96, 128), seed=7), folder / "data", "train")
    return folder / "data"


# ------------------------------------------------------------------------------------------------------ tracking
def results(workspace: Path) -> dict[str, Any]:
    """The boxes of every result that is there; times differ from run to run."""
    paths = sorted((workspace / "tracking_results").rglob("*.txt"))
    kept = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths if path.is_file()}
    return {name: content for name, content in kept.items() if not name.endswith("_time.txt") and "time" not in name}


def tracking() -> Killed:
    words = ["drift", "plain", "--plugin", TOYS, "--dataset_name", "toys", "--set", "delay=0.01"]
    return Killed(run_tracker.main, words, words, results, results)


# ------------------------------------------------------------------------------------------------------- studies
def cells(workspace: Path) -> dict[str, Any]:
    found = {path.name: json.loads(path.read_text()) for path in sorted((workspace / "study").glob("[!.]*.json"))}
    return {name: [result["tests"], result["dollars"]] for name, result in found.items()}


def study(folder: Path, workspace_of: Callable[[], Path]) -> Killed:
    video = folder / "video"
    video.mkdir()
    draw = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(video / f"{number:08d}.jpg"), draw.integers(0, 255, (80, 100, 3), dtype=np.uint8))
    np.savetxt(video / "groundtruth.txt", [[30, 20, 24, 24]] * 3, delimiter=",")
    words: list[object] = ["--seeds", "0", "--tests", video, "--device", "cpu", "--rows", "untrained"]

    def main(arguments: Sequence[str]) -> int:
        return studies([*arguments, "--out", str(workspace_of() / "study")])

    return Killed(main, ["run", "labels", *words], ["run", "labels", *words], cells, cells)


# --------------------------------------------------------------------------------------------------------- tests
@pytest.mark.long
def test_training_is_killed_and_goes_on(folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    kill_and_resume("training killed", toy_training(epochs=4), folder, 3, counts, monkeypatch)


def test_tracking_is_killed_and_goes_on(folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    kill_and_resume("tracking killed", tracking(), folder, 3, counts, monkeypatch)


@pytest.mark.long
def test_store_builds_are_killed_and_go_on(
    folder: Path, got10k: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ("--set", "random_count=200", "--set", "edge_count=20")
    kill_and_resume("TOP map build killed", store_build(top_map, got10k, *small), folder, 2, counts, monkeypatch)


@pytest.mark.campaign
def test_campaign_of_kills(folder: Path, got10k: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    from ltr.admin.environment import load_environment

    small = ("--set", "random_count=500", "--set", "edge_count=50")
    boxes = ("--method", "interpolation", "--period", "4")
    kinds = {
        "training killed": (toy_training(epochs=8), 40),
        "tracking killed": (tracking(), 30),
        "TOP map build killed": (store_build(top_map, got10k, *small), 20),
        "pseudo box build killed": (store_build(pseudo_label, got10k, *boxes), 10),
        "study killed": (study(folder, lambda: load_environment().workspace_dir), 6),
    }
    for number, (what, (killed, times)) in enumerate(kinds.items()):
        place = folder / str(number)
        place.mkdir()
        kill_and_resume(what, killed, place, times, counts, monkeypatch)
