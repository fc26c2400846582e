"""What labels cost: the paper's figures, a data set's, a run's, and budgets that are spent fairly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ltr.admin.checkpoint import save_checkpoint
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from socl_plugins.clicks import (
    FewerFrames,
    LabelCounts,
    PointAnnotated,
    WithinBudget,
    annotation_cost,
    count_labels,
    dataset_labels,
)
from socl_plugins.clicks.__main__ import main
from socl_plugins.clicks.costs import load_prices


class Boxes(BaseVideoDataset):
    """Videos of 10, 11, 12 ... frames with boxes, of which the first is not valid; there are no images."""

    def __init__(self, videos: int) -> None:
        super().__init__("boxes")
        self.videos = videos

    def get_num_sequences(self) -> int:
        return self.videos

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        frames = torch.arange(10 + seq_id)
        return {"bbox": torch.ones(len(frames), 4) * frames[:, None], "valid": frames > 0, "visible": frames > 1}

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        raise NotImplementedError


# ---------------------------------------------------------------------------------------------------- figures
@pytest.mark.parametrize(
    ("scheme", "hours", "dollars"),
    [("box", 3966.67, 50_400), ("point", 882.78, 7_000), ("sparse_box", 1230.06, 11_340)],
)
def test_got10k_costs_what_the_paper_says(scheme: str, hours: float, dollars: float) -> None:
    cost = annotation_cost(count_labels(scheme, 1_400_000))
    assert cost.hours == pytest.approx(hours, abs=0.01) and cost.dollars == pytest.approx(dollars)


def test_a_frame_costs_what_the_paper_says() -> None:
    point, box, sparse = (annotation_cost(count_labels(scheme, 1000)) for scheme in ("point", "box", "sparse_box"))
    assert point.hours * 3.6 == pytest.approx(2.27) and box.hours * 3.6 == pytest.approx(10.2)
    assert sparse.hours * 3.6 == pytest.approx(3.163)
    assert box.hours / point.hours == pytest.approx(4.5, abs=0.01)


@given(frames=st.integers(0, 500), period=st.integers(1, 60))
def test_sparse_boxes_label_every_frame_once_and_start_each_snippet(frames: int, period: int) -> None:
    labels = count_labels("sparse_box", frames, period)
    assert labels.clicks + labels.boxes == frames == labels.tracked_frames
    assert labels.boxes == len(range(0, frames, period))


def test_the_command_prints_the_table_of_the_papers_fees(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "a box on each 3,966.7 50,400.00 7.20 50,407.20" in lines
    assert "a click on each 882.8 7,000.00 21.60 7,021.60" in lines
    assert "a box on every 10, clicks between 1,230.1 11,340.00" in lines
    assert lines[-1].startswith("Clicks take 4.5 times less time than boxes, and 7.18 times less money")


def test_the_command_counts_a_data_set_video_by_video(capsys: pytest.CaptureFixture[str]) -> None:
    # Each of 48 videos of 30 frames starts with a box: 4 of them a video, not 180 in all.
    assert main(["cost", "--dataset", "synthetic", "--period", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("1,440 frames")
    assert f"{48 * (4 * 0.036 + 26 * 0.005):.2f}" in lines[3]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--training-hours", "-5", "3"], 2, "expected a number from 0 on, not '-5'"),
        (["--training-hours", "nan", "3"], 2, "expected a number, not 'nan'"),
        (["--root", "somewhere"], 1, "say which with --dataset"),
    ],
)
def test_impossible_options_are_refused(
    words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["cost", *words]) == status
    except SystemExit as stop:
        assert stop.code == status
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a table of prices"),
        ('{"clicks": {}}', "unknown price 'clicks'.*click"),
        ('{"click": {"seconds": 1}}', "not a table of prices"),
        (None, "neither may be negative"),
    ],
)
def test_bad_prices_are_an_error_that_names_the_file(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "prices.json"
    if content is None:
        prices = {name: vars(price) for name, price in vars(load_prices()).items()}
        content = json.dumps({**prices, "box": {"seconds": -1, "dollars": 0, "source": "nobody"}})
    path.write_text(content)
    with pytest.raises(ValueError, match=f"(?s){path.name}.*{message}"):
        load_prices(path)


def test_unknown_schemes_and_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown scheme 'points'.*point"):
        count_labels("points", 1)
    for frames, period in ((-1, 10), (5, 0)):
        with pytest.raises(ValueError, match="frames count from 0"):
            count_labels("sparse_box", frames, period)


# ---------------------------------------------------------------------------------------------------- budgets
def names(dataset: BaseVideoDataset) -> list[str]:
    return [dataset.sequence_name(video) for video in range(len(dataset))]


def test_a_data_set_knows_its_labels() -> None:
    assert dataset_labels(Boxes(2)) == LabelCounts(boxes=19)
    assert dataset_labels(PointAnnotated(Boxes(2))) == LabelCounts(clicks=19, top_maps=19)


@given(hours=st.floats(0.04, 0.5), more=st.floats(1, 4), seed=st.integers(0, 99))
def test_a_larger_budget_has_the_videos_of_a_smaller_one_and_is_kept(hours: float, more: float, seed: int) -> None:
    clicks = PointAnnotated(Boxes(40))
    small, large = (WithinBudget(clicks, budget, seed) for budget in (hours, more * hours))
    assert names(large)[: len(small)] == names(small)
    for chosen, budget in ((small, hours), (large, more * hours)):
        assert annotation_cost(dataset_labels(chosen)).hours <= budget and chosen.labels == dataset_labels(chosen)
        dearest = 49 * 2.27 / 3600
        assert len(chosen) == 40 or annotation_cost(chosen.labels).hours > budget - dearest


def test_the_same_hours_are_enough_for_more_clicks_than_boxes_and_another_seed_takes_other_videos() -> None:
    boxes, clicks = WithinBudget(Boxes(200), 2.0), WithinBudget(PointAnnotated(Boxes(200)), 2.0)
    assert dataset_labels(clicks).clicks / dataset_labels(boxes).boxes == pytest.approx(10.2 / 2.27, rel=0.2)
    assert names(WithinBudget(Boxes(200), 2.0, 1)) != names(boxes) == names(WithinBudget(Boxes(200), 2.0))
    info, original = boxes.get_sequence_info(3), Boxes(200).get_sequence_info(names(Boxes(200)).index(names(boxes)[3]))
    assert torch.equal(info["bbox"], original["bbox"])


def test_a_budget_for_less_than_a_video_is_an_error_that_says_what_one_costs() -> None:
    with pytest.raises(ValueError, match="not enough for one video of boxes, which costs .* hours"):
        WithinBudget(Boxes(5), 0.001)


@given(part=st.floats(0.05, 1), more=st.floats(0, 1), seed=st.integers(0, 99))
def test_fewer_frames_hide_the_labels_of_the_others_and_are_nested(part: float, more: float, seed: int) -> None:
    for dataset in (Boxes(3), PointAnnotated(Boxes(3))):
        small, large = FewerFrames(dataset, part, seed), FewerFrames(dataset, part + more * (1 - part), seed)
        for video in range(3):
            few, many, all_ = (source.get_sequence_info(video) for source in (small, large, dataset))
            assert not (few["valid"] & ~many["valid"]).any() and not (many["valid"] & ~all_["valid"]).any()
            assert few["valid"].sum() == max(round(part * int(all_["valid"].sum())), 2)
            assert not (few["visible"] & ~few["valid"]).any()
            label = "point" if "point" in few else "bbox"
            assert torch.isnan(few[label][~few["valid"]]).all()
            assert torch.equal(few[label][few["valid"]], all_[label][few["valid"]])


@pytest.mark.parametrize("part", [0.0, 1.1, float("nan")])
def test_a_part_that_is_none_is_refused(part: float) -> None:
    with pytest.raises(ValueError, match="part is"):
        FewerFrames(Boxes(1), part)


# ------------------------------------------------------------------------------------------------------- runs
def checkpoint(path: Path, hours: float | None, score: float) -> Path:
    stats = {} if hours is None else {"labels": {name: {1: hours, 2: hours} for name in ("hours", "dollars")}}
    content = {"stats": stats, "settings": {"project_path": "ltr/socl/toy"}, "score": {"name": "AUC", "value": score}}
    path.parent.mkdir(parents=True)
    save_checkpoint(path, {"net": {}, "constructor": None, "net_type": "Toy", **content})
    return path


@pytest.mark.long
def test_runs_are_drawn_against_the_hours_of_their_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    one = checkpoint(tmp_path / "a" / "Toy_best.pth.tar", 0.5, 0.3)
    checkpoint(tmp_path / "b" / "Toy_best.pth.tar", 2.0, 0.4)
    assert main(["plot", str(one), str(tmp_path / "b"), "--out", str(tmp_path / "cost.png")]) == 0
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")
    assert "2.00 hours   AUC 0.400" in capsys.readouterr().out


def test_a_run_without_costs_or_without_a_checkpoint_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    old = checkpoint(tmp_path / "old" / "Toy_best.pth.tar", None, 0.3)
    (tmp_path / "empty").mkdir()
    for run, message in ((old, "does not say what its labels cost"), (tmp_path / "empty", "holds no best checkpoint")):
        assert main(["plot", str(run), "--out", str(tmp_path / "cost.png")]) == 1
        assert message in capsys.readouterr().err
    assert main(["plot", str(old), "--out", str(tmp_path / "cost.txt")]) == 1
    assert "one of .png, .pdf, .svg" in capsys.readouterr().err
    assert not (tmp_path / "cost.png").exists()
