"""One-pass evaluation gives the numbers of the toolkit that its protocol names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytracking.evaluation.results import read_numbers
from pytracking.metrics import MetricError, iou, mean_ope, ope

GT = np.array([[10.0, 20, 30, 40], [12, 22, 30, 40], [14, 24, 30, 40]])


@pytest.fixture
def golden(shared_data: Path) -> dict[str, np.ndarray]:
    file = shared_data.parent / "golden" / "metrics_ope.npz"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    return dict(np.load(file))


def test_pysot_agrees_with_its_toolkit_on_every_kind_of_sequence(golden: dict[str, np.ndarray]) -> None:
    sequences = sorted({key.split("/")[0] for key in golden})
    assert {"nan_gt", "absent_zero_gt", "zero_size_prediction", "out_of_image"} <= set(sequences)
    for sequence in sequences:
        pred, gt = golden[f"{sequence}/pred"], golden[f"{sequence}/gt"]
        results = {"pysot_toolkit": ope(pred, gt, "pysot")}
        if f"{sequence}/full_visible" in golden:
            visible = golden[f"{sequence}/full_visible"].astype(bool)
            results["pysot_toolkit_absent_removed"] = ope(pred, gt, "pysot", visible=visible)
        for toolkit, result in results.items():
            for curve in ("success", "precision", "norm_precision"):
                expected = golden[f"{sequence}/{toolkit}/{curve}"]
                np.testing.assert_allclose(getattr(result, curve), expected, atol=1e-9, err_msg=f"{sequence} {curve}")


@pytest.mark.parametrize(
    ("tracker", "published"), [("SiamFC-3s", 0.582), ("CFNet-conv2", 0.568), ("SRDCF", 0.598), ("KCF", 0.477)]
)
def test_published_results_on_otb100_have_their_published_auc(
    shared_data: Path, tracker: str, published: float
) -> None:
    truth = json.loads((shared_data / "otb100_results" / "OTB100.json").read_text())
    folder = shared_data / "otb100_results" / "results" / tracker
    assert len(truth) == 100
    results = [
        ope(read_numbers(folder / f"{name}.txt", 4), np.array(entry["gt_rect"]), "pysot", name=name)
        for name, entry in truth.items()
    ]
    assert round(mean_ope(results).auc, 3) == published


def test_a_perfect_tracker_scores_20_of_21_auc() -> None:
    result = ope(GT, GT)
    assert result.auc == pytest.approx(20 / 21)
    assert result.dp20 == result.norm_precision20 == 1


def test_a_tracker_that_is_lost_at_once_scores_nothing() -> None:
    result = ope(GT + [1000, 0, 0, 0], GT)
    assert result.auc == result.dp20 == result.norm_precision20 == 0


def test_an_overlap_equal_to_the_threshold_is_no_success_but_an_equal_distance_is_a_hit() -> None:
    gt = np.array([[10.0, 10, 40, 40]])
    half = ope(np.array([[10.0, 10, 20, 40]]), gt)  # an overlap of exactly one half
    assert half.success[9] == 1 and half.success[10] == 0
    shifted = ope(gt + [20, 0, 0, 0], gt)
    assert shifted.precision[19] == 0 and shifted.precision[20] == 1
    assert shifted.norm_precision[49] == 0 and shifted.norm_precision[50] == 1  # half of its width


def test_a_frame_without_a_true_box_fails_success_and_passes_precision_as_in_pysot() -> None:
    gt = GT.copy()
    gt[1] = np.nan
    result = ope(GT, gt)
    assert result.success[0] == pytest.approx(2 / 3)
    assert result.dp20 == 1


boxes = st.tuples(*[st.floats(-50, 50)] * 2, *[st.floats(0, 80)] * 2)


@settings(max_examples=60, deadline=None)
@given(a=boxes, b=boxes)
def test_overlap_is_symmetric_and_between_0_and_1(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    value = iou(np.array(a), np.array(b))
    assert 0 <= value <= 1
    assert value == iou(np.array(b), np.array(a))


def test_overlap_counts_the_same_pixels_as_a_drawn_mask() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        pair = np.concatenate([rng.integers(0, 20, (2, 2)), rng.integers(1, 20, (2, 2))], axis=1)
        masks = np.zeros((2, 40, 40), bool)
        for mask, (x, y, w, h) in zip(masks, pair):
            mask[y : y + h, x : x + w] = True
        expected = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
        assert iou(pair[0], pair[1]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pred", "message"),
    [
        (GT[:2], "of sequence 'Car' have 2 boxes, the ground truth has 3"),
        (GT * [[1], [np.nan], [1]], "of sequence 'Car' are not finite in 1 frames, first in number 2"),
        (GT[:, :3], "must have the shape"),
    ],
)
def test_results_that_cannot_be_scored_are_named(pred: np.ndarray, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        ope(pred, GT, name="Car")


def test_no_frames_and_unequal_visibility_are_errors() -> None:
    with pytest.raises(MetricError, match="0 boxes"):
        ope(np.zeros((0, 4)), np.zeros((0, 4)))
    with pytest.raises(MetricError, match="visible has the shape"):
        ope(GT, GT, visible=np.ones(2, bool))
    with pytest.raises(MetricError, match="cannot average 0 results"):
        mean_ope([])


def test_an_unknown_protocol_brings_the_near_name() -> None:
    with pytest.raises(MetricError, match="Did you mean 'pysot'"):
        ope(GT, GT, protocol="pysott")


def test_the_mean_of_two_sequences_has_the_mean_of_their_curves_whatever_their_lengths() -> None:
    perfect, away = ope(GT, GT, "pysot"), ope(GT[:2] + [500, 500, 0, 0], GT[:2], "pysot")
    mean = mean_ope([perfect, away])
    assert mean.protocol == "pysot"
    for curve in ("success", "precision", "norm_precision"):
        one, other, both = (getattr(result, curve) for result in (perfect, away, mean))
        assert both.shape == one.shape and one[-2] != other[-2]
        np.testing.assert_allclose(both, (one + other) / 2)


def test_a_protocol_that_refuses_missing_boxes_names_the_frame() -> None:
    missing = GT.copy()
    missing[1:] = np.nan
    with pytest.raises(MetricError, match=r"ground truth of sequence 'Car' is NaN in frame 2, .* pytracking_uav"):
        ope(GT, missing, "pytracking", name="Car")
