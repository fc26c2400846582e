"""A training is shared by cells that differ in the tracker, and what was kept is not trained again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltr.admin.files import sha256_of
from socl_plugins.studies import run as study_run
from socl_plugins.studies.__main__ import main
from socl_plugins.studies.catalogue import STUDIES
from socl_plugins.studies.run import read_result, result_path
from socl_plugins.studies.trained import WORKSPACE, Training, kept_training
from tests.recipes import TINY

UPDATES = ["model averaging", "the memory of frames"]  # of one network, by two trackers


def run_updates(out: Path, video: Path, rows: list[str], *words: str, study: str = "dimp_update") -> int:
    settings = [f"--set={key}={value}" for key, value in {"network.pretrained": "none", **TINY}.items()]
    asked = ["--out", str(out), "--seeds", "0", "--tests", str(video), "--device", "cpu", "--rows", *rows]
    return main(["run", study, *asked, *settings, *words])


def updates_of(out: Path) -> list[tuple[dict[str, Any], bool]]:
    """What came of the two rows, and whether a network was trained for it."""
    cells = list(STUDIES["dimp_update"].cells([0], {"network.pretrained": "none", **TINY}))[1:]
    results = [read_result(out, cell) for cell in cells]
    logs = [study_run.log_path(out, cell).read_text() for cell in cells]
    return [(result, "Loss/total" in log) for result, log in zip(results, logs) if result is not None]


@pytest.mark.long
def test_a_network_is_trained_once_for_all_trackers_and_not_again_where_it_was_kept(
    workspace: Path, tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_updates(out, video, UPDATES, "--keep") == 0
    (averaging, trained), (memory, trained_too) = updates_of(out)
    assert trained and not trained_too
    assert (averaging["tracker"], memory["tracker"]) == ("dimp/dimp18_averaging", "dimp/dimp18")
    assert averaging["training_seconds"] == memory["training_seconds"]

    cell = list(STUDIES["dimp_update"].cells([0], {"network.pretrained": "none", **TINY}))[-1]
    result_path(out, cell).unlink()
    capsys.readouterr()
    assert run_updates(out, video, UPDATES) == 0
    (kept,) = out.glob("*.workspace")
    assert f"the network in {kept} is taken, which was trained alike" in capsys.readouterr().out
    assert updates_of(out)[1][0]["tests"] == memory["tests"]

    assert run_updates(out, video, ["model averaging, rate 0.3"], study="dimp_averaging") == 0
    assert f"the network in {kept} is taken, which was trained alike" in capsys.readouterr().out
    rated = list(STUDIES["dimp_averaging"].cells([0], {"network.pretrained": "none", **TINY}))[-1]
    result = read_result(out, rated)
    assert result is not None and result["tracking"] == {"model_averaging_rate": "0.3"}


def test_cells_that_are_tracked_otherwise_are_two_results_of_one_training() -> None:
    slow, *_, fast = STUDIES["dimp_averaging"].cells([0], {})
    assert slow.tracking == (("model_averaging_rate", "0.003"),) and slow.tracker == fast.tracker
    assert slow.key != fast.key and slow.training == fast.training
    assert slow.training == next(STUDIES["dimp_update"].cells([0], {})).training


def test_a_kept_training_is_taken_for_the_same_videos_alone_and_if_it_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / f"a_recipe-0-abc-xyz{WORKSPACE}"
    folder.mkdir()
    assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 3 videos") is None, "it has not ended"
    checkpoint = folder / "net.pth.tar"
    checkpoint.write_bytes(b"weights")
    Training(checkpoint.name, sha256_of(checkpoint), 1.0, "2 CPU cores", "0123456", "mine, 3 videos").write(folder)
    checkpoint.rename(folder / "away")
    assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 3 videos") is None, "its checkpoint is gone"
    checkpoint.write_bytes(b"weigh")
    assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 3 videos") is None
    assert "net.pth.tar is damaged" in capsys.readouterr().out
    (folder / "away").rename(checkpoint)
    assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 3 videos") == folder
    assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 4 videos") is None
    assert kept_training(tmp_path, "a_recipe-1-abc", "mine, 3 videos") is None
    for damaged in ("{", '{"checkpoint": "net.pth.tar"}'):
        (folder / "trained.json").write_text(damaged)
        assert kept_training(tmp_path, "a_recipe-0-abc", "mine, 3 videos") is None
        assert "trained.json is damaged" in capsys.readouterr().out


@pytest.mark.long
def test_a_training_that_fails_is_not_tried_for_each_tracker(workspace: Path, tmp_path: Path, video: Path) -> None:
    bad = tmp_path / "bad.py"
    lines = [
        "import ltr",
        "def train(*_, **__):",
        "    print('asked to train')",
        "    raise RuntimeError",
        "ltr.train = train",
    ]
    bad.write_text("\n".join(lines) + "\n")
    assert run_updates(tmp_path / "out", video, UPDATES, "--plugin", str(bad)) == 1
    (log,) = (tmp_path / "out" / "logs").iterdir()
    assert log.read_text().count("asked to train") == 1
    assert [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == ["logs"]
