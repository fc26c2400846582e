"""What labels cost stands in reports, as columns that a plugin brings."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.admin.checkpoint import save_checkpoint
from pytracking.analysis.__main__ import main
from pytracking.evaluation import Sequence, SequenceList, SequenceResult, Tracker
from pytracking.evaluation.results import save_result
from pytracking.registry import BENCHMARKS
from socl_plugins.clicks.costs import Cost
from socl_plugins.clicks.label_cost import label_cost


def tracked_with(tracker: Tracker, checkpoint: Path) -> None:
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:16]
    parameters = {"scale_num": 3, "network": {"checkpoint": str(checkpoint), "digest": digest}}
    (tracker.results_dir / "run.json").write_text(json.dumps({"key": "0", "parameters": parameters}))


def checkpoint(path: Path, stats: dict[str, object]) -> Path:
    save_checkpoint(path, {"net": {"w": torch.zeros(1)}, "constructor": None, "stats": stats})
    return path


@pytest.fixture
def mine(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    """A tracker with a result on a data set that the command line finds."""
    boxes = np.array([[10.0, 10, 20, 20]] * 4)
    sequence = Sequence("Car", [np.zeros((60, 80, 3), np.uint8)] * 4, "mine", boxes)
    tracker = Tracker("a", "good")
    save_result(tracker.results_dir, sequence, SequenceResult(boxes, np.full(4, 0.02)))
    monkeypatch.setattr(BENCHMARKS, "_entries", {**BENCHMARKS._entries, "mine": lambda: SequenceList([sequence])})
    return tracker


def test_the_cost_of_labels_is_that_of_the_checkpoint_which_made_the_result(mine: Tracker, tmp_path: Path) -> None:
    assert label_cost(mine) is None  # no checkpoint is known
    stats = {"labels": {"hours": {1: 1.5, 2: 2.5}, "dollars": {1: 20.0, 2: 30.0}}}
    path = checkpoint(tmp_path / "net.pth.tar", stats)
    tracked_with(mine, path)
    assert label_cost(mine) == Cost(2.5, 30.0)
    checkpoint(path, {"labels": {"hours": {1: 9.0}, "dollars": {1: 9.0}}})  # trained again: another network
    assert label_cost(mine) is None
    tracked_with(mine, checkpoint(path, {}))  # a training that recorded no cost
    assert label_cost(mine) is None
    path.unlink()
    assert label_cost(mine) is None


def test_reports_have_columns_on_what_labels_cost_where_it_is_known(mine: Tracker, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "net.pth.tar", {"labels": {"hours": {1: 2.5}, "dollars": {1: 0.6}}})
    forms = {kind: tmp_path / f"report.{kind}" for kind in ("csv", "json", "latex", "html")}
    words = [word for kind, file in forms.items() for word in (f"--{kind}", str(file))]
    assert main(["a/good", "--dataset_name", "mine", *words]) == 0
    assert "label" not in forms["csv"].read_text() and "Label" not in forms["latex"].read_text()
    tracked_with(mine, path)
    assert main(["a/good", "--dataset_name", "mine", *words]) == 0
    first = next(csv.DictReader(forms["csv"].open(encoding="utf-8")))
    assert (first["label_hours"], first["label_dollars"]) == ("2.5", "0.6")
    assert json.loads(forms["json"].read_text())["benchmarks"][0]["trackers"][0]["label_dollars"] == 0.6
    assert (
        "& Label hours & Label dollars" in forms["latex"].read_text() and "& 2.5 & 0.6 " in forms["latex"].read_text()
    )
    page = forms["html"].read_text()
    assert ">2.50</td>" in page and "<h3>AUC by label dollars</h3>" in page
