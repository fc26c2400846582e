"""The store of pseudo boxes, the data set that reads it, its command line, and the recipe."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_checkpoint
from ltr.dataset.named import embedded_videos
from ltr.dataset.synthetic import SyntheticVideo
from ltr.registry import load_plugins
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label import Kind, PseudoBoxAnnotated, PseudoBoxStore, method_settings
from socl_plugins.pseudo_label.__main__ import main
from socl_plugins.pseudo_label.build import sparse_labels, store_pseudo_boxes
from socl_plugins.stores import StoreError
from tests.recipes import SMALL_TRANST, as_words

VIDEOS = SyntheticVideo(3, num_frames=12, size=(96, 128), seed=7)
SETTINGS = method_settings("interpolation")


def built(path: Path, period: int = 5) -> tuple[SparseBoxAnnotated, PseudoBoxStore]:
    dataset = SparseBoxAnnotated(VIDEOS, period)
    store = PseudoBoxStore(path, about={"period": period})
    assert store_pseudo_boxes(dataset, store, SETTINGS, jobs=1, progress=False).made == len(dataset)
    return dataset, store


def test_training_sees_the_stored_boxes_and_where_they_come_from(tmp_path: Path) -> None:
    dataset, store = built(tmp_path / "boxes.sqlite")
    shown = PseudoBoxAnnotated(dataset, store)
    info, truth = shown.get_sequence_info(0), VIDEOS.get_sequence_info(0)
    human = info["kind"] == Kind.HUMAN
    assert torch.equal(human, info["has_box"]) and torch.equal(info["valid"], truth["valid"])
    torch.testing.assert_close(info["bbox"][human], truth["bbox"][human], atol=1e-3, rtol=0)
    assert not torch.equal(info["bbox"][~human & info["valid"]], truth["bbox"][~human & info["valid"]])
    only = PseudoBoxAnnotated(dataset, store, [Kind.HUMAN]).get_sequence_info(0)
    assert torch.equal(only["valid"], human) and torch.isnan(only["bbox"][~human]).all()


def test_a_build_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    dataset, store = built(tmp_path / "boxes.sqlite")
    name = dataset.sequence_name(1)
    kept = store.records.get(name)
    store.records.remove([name])
    with pytest.raises(StoreError, match="lacks 1 of 3 videos"):
        PseudoBoxAnnotated(dataset, store)
    report = store_pseudo_boxes(dataset, store, SETTINGS, jobs=1, progress=False)
    assert (report.made, report.present, store.records.get(name)) == (1, 2, kept)


def test_boxes_made_in_another_way_or_from_other_labels_are_refused(tmp_path: Path) -> None:
    dataset, store = built(tmp_path / "boxes.sqlite")
    with pytest.raises(StoreError, match="made with period 5, not 10"):
        PseudoBoxStore(store.path, about={"period": 10})
    with pytest.raises(StoreError, match="other boxes or clicks"):
        store.read(dataset.sequence_name(0), sparse_labels(SparseBoxAnnotated(VIDEOS, 5, noise_px=3), 0))
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE records SET content = CAST(replace(content, 'interp', 'guess!') AS BLOB)")
    with pytest.raises(StoreError, match="the record is damaged"):
        PseudoBoxStore(store.path).read(dataset.sequence_name(0))
    with pytest.raises(StoreError, match=r"pseudo_label build"):
        PseudoBoxStore(tmp_path / "elsewhere")


@pytest.mark.long
def test_a_tracker_by_name_makes_the_boxes_and_the_commands_measure_and_draw_them(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_plugins()
    monkeypatch.setattr("ltr.dataset.named.EMBEDDED_VIDEOS", 2)
    monkeypatch.setattr("ltr.dataset.named.embedded_videos", lambda: SyntheticVideo(2, num_frames=6, seed=1))
    tracker = ["--set", "parameters=untrained_res18"]
    assert main(["stats", "--dataset", "synthetic", "--period", "3", "--jobs", "1", "--method", "paper", *tracker]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("paper"))
    assert row.split()[:3] == ["paper", "3", "8"] and 0 < float(row.split()[3]) <= 1
    out = tmp_path / "boxes.png"
    words = ["--dataset", "synthetic", "--period", "3", "--method", "paper", *tracker]
    assert main(["show", *words, "--out", str(out)]) == 0 and out.is_file()
    page = out.with_name("boxes.html")
    assert main(["show", *words, "--out", str(page)]) == 0 and "script-src 'none'" in page.read_text()
    assert main(["build", *words, "--jobs", "1", "--set", "failure_px=5"]) == 1
    assert "name another folder" in capsys.readouterr().err


# A ResNet-50 learns: some seconds.
@pytest.mark.long
def test_socl_transt_learns_from_the_store_and_says_what_it_cost(workspace: Path) -> None:
    assert run_training.main(["transt", "socl_transt", "--device", "cpu", *as_words(SMALL_TRANST)]) == 0
    labels = load_checkpoint(best_checkpoint("transt/socl_transt"))["stats"]["labels"]
    assert next(iter(labels["dollars"].values())) == pytest.approx(6 * 0.036 + 54 * 0.005, rel=0.05)
    store = PseudoBoxStore(workspace / "pseudo_boxes" / "synthetic.T10.interpolation.sqlite")
    assert len(store.records) == 2
    assert np.isfinite(store.read(embedded_videos(2).sequence_name(0))[0]).any()


def test_the_papers_boxes_are_by_its_own_tracker_and_siamfcs_have_another_name() -> None:
    paper, ours = method_settings("paper"), method_settings("forwards")
    assert (paper.tracker, paper.parameters, paper.source) == ("eco", "socl_cf", "forwards")  # SoCL, section 3.3
    assert (paper.failure_px, paper.follow_clicks, paper.fuse.centers) == (20, False, "tracked")
    assert ours == replace(paper, tracker="siamfc", parameters="imagenet_res18_unit")
