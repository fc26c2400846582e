"""Zip files for the evaluation servers."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pytracking import pack_results as command
from pytracking.evaluation import ResultError, Sequence, SequenceList, SequenceResult, Tracker, load_result
from pytracking.evaluation.packing import pack_pytracking, pack_results
from pytracking.evaluation.results import save_result
from pytracking.registry import BENCHMARKS

TRACKER = Tracker("siamfc", "untrained_res18")
BOXES = np.array([[1.0, 2, 30, 40], [1.5, 2.25, 30, 40], [1 / 3, 2, 30, 40]])


def tracked(dataset: str, *names: str) -> SequenceList:
    """Sequences with saved results."""
    frames = [np.zeros((60, 80, 3), np.uint8)] * 3
    sequences = SequenceList(Sequence(name, frames, dataset, BOXES) for name in names)
    for sequence in sequences:
        save_result(TRACKER.results_dir, sequence, SequenceResult(BOXES, np.array([0.5, 0.25, 0.125])))
    return sequences


def contents(file: Path) -> dict[str, list[str]]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode().splitlines() for name in archive.namelist()}


def test_got10k_takes_a_folder_a_sequence_with_boxes_and_times(workspace: Path, tmp_path: Path) -> None:
    name = "GOT-10k_Test_000001"
    found = contents(pack_results(TRACKER, tracked("got10k_test", name), tmp_path / "a.zip"))
    assert list(found) == [f"{name}/{name}_001.txt", f"{name}/{name}_time.txt"]
    assert found[f"{name}/{name}_001.txt"][1:] == ["1.5000,2.2500,30.0000,40.0000", "0.3333,2.0000,30.0000,40.0000"]
    assert [float(seconds) for seconds in found[f"{name}/{name}_time.txt"]] == [0.5, 0.25, 0.125]


def test_trackingnet_takes_a_file_a_sequence_at_the_top(workspace: Path, tmp_path: Path) -> None:
    file = pack_results(TRACKER, tracked("trackingnet", "abc_0", "def_1"), tmp_path / "a.zip")
    found = contents(file)
    assert list(found) == ["abc_0.txt", "def_1.txt"]
    assert found["abc_0.txt"][0] == "1.0000,2.0000,30.0000,40.0000"
    again = pack_results(TRACKER, tracked("trackingnet", "abc_0", "def_1"), tmp_path / "b.zip")
    assert file.read_bytes() == again.read_bytes()


def test_pytracking_takes_boxes_and_times_and_they_come_back(workspace: Path, tmp_path: Path) -> None:
    sequences = tracked("mine", "a", "b")
    file = pack_pytracking(TRACKER, sequences, tmp_path / "a.zip")
    found = contents(file)
    start = "siamfc/untrained_res18"
    assert sorted(found) == [f"{start}/{name}.txt" for name in ("a", "a_time", "b", "b_time")]
    assert found[f"{start}/a.txt"][1:] == ["1.5\t2.25\t30\t40", "0.3333\t2\t30\t40"]
    shutil.rmtree(TRACKER.results_dir)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(TRACKER.results_dir.parents[1])
    assert load_result(TRACKER, sequences[0]).times.tolist() == [0.5, 0.25, 0.125]
    with pytest.raises(ResultError, match="cannot hold both a and a_time"):
        pack_pytracking(TRACKER, tracked("mine", "a", "a_time"), tmp_path / "b.zip")


def test_nothing_is_packed_from_missing_results_or_for_no_server(workspace: Path, tmp_path: Path) -> None:
    sequences = tracked("trackingnet", "abc_0", "def_1")
    (TRACKER.results_dir / "def_1.txt").unlink()
    with pytest.raises(ResultError, match="no result of siamfc/untrained_res18 on def_1"):
        pack_results(TRACKER, sequences, tmp_path / "a.zip")
    assert not list(tmp_path.glob("*.zip*"))
    with pytest.raises(ResultError, match="no server takes results of 'got10k_tets'.*Did you mean 'got10k_test'"):
        pack_results(TRACKER, tracked("got10k_tets", "x"), tmp_path / "a.zip")


def test_the_command_line_puts_the_file_beside_the_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(BENCHMARKS, "_entries", dict(BENCHMARKS._entries))
    BENCHMARKS.register("trackingnet", override=True)(lambda: tracked("trackingnet", "abc_0"))
    assert command.main(["siamfc", "untrained_res18", "trackingnet"]) == 0
    file = workspace / "tracking_results" / "siamfc" / "untrained_res18_trackingnet.zip"
    assert str(file) in capsys.readouterr().out and file.is_file()
