"""A name out of a data set's files writes nothing outside of the folder that is written to."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ltr.dataset.export import export_got10k
from ltr.dataset.synthetic import SyntheticVideo
from pytracking import pack_results, run_tracker
from socl_plugins.pseudo_label.__main__ import main as pseudo_label
from socl_plugins.top_map.__main__ import main as top_map
from tests.faults.conftest import TOYS
from tests.faults.harness import Counts, Main, run, tree

WHAT = "hostile name"
OUTSIDE = "outside"  # the folder beside all others, which is to stay as it is
NAMES = [
    f"../{OUTSIDE}/a",
    f"../../{OUTSIDE}/a",
    f"../../../{OUTSIDE}/a",
    f"../../../../{OUTSIDE}/a",
    f"x/../../../{OUTSIDE}/a",
    f"./../../{OUTSIDE}/a",
    f"..\\..\\{OUTSIDE}\\a",
    "{outside}/a",
    "{outside}/../a",
    "..",
    ".",
    "/",
    "//",
    "~/a",
    "a/b",
    "a\\b",
    "C:\\a",
    "con",
    "a" * 300,
    "a_time",
]


def hostile(folder: Path, name: str) -> Path:
    """Makes a data set with a video of this name, where its files can be found under it."""
    root = folder / "data"
    export_got10k(SyntheticVideo(2, num_frames=3, size=(48, 64), seed=7), root, "val")
    videos = sorted(path for path in (root / "val").iterdir() if path.is_dir())
    with (root / "val" / "list.txt").open("w") as file:
        file.write(f"{videos[0].name}\n{name}\n")
    target = root / "val" / name
    if len(name) < 200 and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(videos[1])
    return root


def check_name(number: int, template: str, folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder / f"case{number}" / "deep" / "er"
    outside = place.parents[1] / OUTSIDE
    outside.mkdir(parents=True)
    (outside / "kept.txt").write_text("kept")
    (place / "there").mkdir(parents=True)
    monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", str(place / "there"))
    name = template.replace("{outside}", str(outside))
    root = hostile(place, name)
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(root / "val"))
    before = {**tree(folder / f"case{number}"), "cwd": b""}
    tracker, build = ["drift", "plain"], ["build", "--dataset", "got10k_val", "--jobs", "1"]
    commands: list[tuple[Main, list[object]]] = [
        (run_tracker.main, [*tracker, "--plugin", TOYS, "--dataset_name", "got10k_val", "--render"]),
        (pack_results.main, [*tracker, "got10k_val", "--plugin", TOYS, "--output", place / "there" / "packed.zip"]),
        (top_map, [*build, "--set", "random_count=50", "--set", "edge_count=0"]),
        (pseudo_label, [*build, "--method", "interpolation"]),
    ]
    faults = []
    for main, words in commands:
        outcome = run(main, words, folder / f"case{number}.log", 60)
        faults += [f"{main.__module__}: {fault}"] if (fault := outcome.fault([0, 1])) else []
    inside = "deep/er/there/"
    written = [path for path in tree(folder / f"case{number}") if path not in before and not path.startswith(inside)]
    faults += [f"{path} lies outside" for path in written]
    packed = place / "there" / "packed.zip"
    if packed.is_file():
        with zipfile.ZipFile(packed) as archive:
            faults += [f"{entry} in the archive" for entry in archive.namelist() if ".." in entry or entry[0] == "/"]
    counts.add(WHAT, f"{template!r}: {'; '.join(faults)}" if faults else None)


@pytest.mark.campaign
def test_campaign_of_hostile_names(folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(NAMES):
        check_name(number, name, folder, counts, monkeypatch)
    counts.check(WHAT)


def test_some_hostile_names(folder: Path, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 7):
        check_name(number, NAMES[number], folder, counts, monkeypatch)
    counts.check(WHAT)
