"""Facts about overlap in pixels, reset-based evaluation and GOT-10k's scores."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytracking.metrics import (
    PROTOCOLS,
    MetricError,
    bounding_boxes,
    corners,
    got10k,
    ope,
    region_overlap,
    vot_supervised,
)

SIZE = (200, 150)
BOX = [40.0, 40.0, 30.0, 20.0]
AWAY = [140.0, 100.0, 30.0, 20.0]


def run(length: int, failures: tuple[int, ...] = ()) -> list[list[float]]:
    """A perfect run that fails in these frames."""
    regions = [[1.0], *[BOX] * (length - 1)]
    for frame in failures:
        after = [[2.0], [0.0], [0.0], [0.0], [0.0], [1.0]]
        regions[frame : frame + 6] = after[: length - frame]
    return regions


def test_a_perfect_run_has_accuracy_1_and_robustness_0_in_every_protocol() -> None:
    for protocol in ("pysot", "matlab", "vot_toolkit"):
        assert vot_supervised([[run(400)]], [[BOX] * 400], [SIZE], protocol) == (1, 0, pytest.approx(1, abs=0.02))


def test_failures_are_counted_for_100_frames_by_pysot_and_for_a_sequence_by_the_python_toolkit() -> None:
    runs, truths = [[run(400, (100, 200))]], [[BOX] * 400]
    assert vot_supervised(runs, truths, [SIZE], "pysot").robustness == 0.5
    assert vot_supervised(runs, truths, [SIZE], "vot_toolkit").robustness == 2
    assert vot_supervised(runs, truths, [SIZE]).accuracy == 1  # failures do not touch accuracy
    assert vot_supervised(runs, truths, [SIZE]).eao < vot_supervised([[run(400)]], truths, [SIZE]).eao


def test_accuracy_leaves_out_ten_frames_after_a_start() -> None:
    regions = run(120)
    regions[1:10] = [AWAY] * 9
    assert vot_supervised([[regions]], [[BOX] * 120], [SIZE]).accuracy == 1
    regions[10] = AWAY
    assert vot_supervised([[regions]], [[BOX] * 120], [SIZE]).accuracy == pytest.approx(109 / 110)


def test_protocols_part_where_a_failure_is_near_the_end() -> None:
    runs, truths = [[run(300)], [run(120, (117,))]], [[BOX] * 300, [BOX] * 120]
    eao = {name: vot_supervised(runs, truths, [SIZE] * 2, name).eao for name in ("pysot", "matlab", "vot_toolkit")}
    assert eao["pysot"] == eao["matlab"] > eao["vot_toolkit"]  # the first two do not see that failure
    boundary = [[run(300)], [run(120, (115,))]]
    pysot, matlab = (vot_supervised(boundary, truths, [SIZE] * 2, name).eao for name in ("pysot", "matlab"))
    assert pysot < matlab


@pytest.mark.parametrize(
    ("runs", "truth", "message"),
    [
        ([run(120)[:-1]], [BOX] * 120, r"sequence 1 has 120 true regions, its runs have \[119\] frames"),
        ([], [BOX] * 120, "its runs have"),
        ([[[1.0], [7.0]]], [BOX] * 2, r"run 1: frame 2 is no code 0 to 2, box or polygon: \[7.0\]"),
        ([run(120)], [[np.nan] * 4] * 120, "not finite"),
        ([run(50)], [BOX] * 50, "no sequence reaches the 100 frames that EAO asks for; the longest has 50"),
    ],
)
def test_runs_that_cannot_be_scored_are_named(
    runs: list[list[list[float]]], truth: list[list[float]], message: str
) -> None:
    with pytest.raises(MetricError, match=message):
        vot_supervised([runs], [truth], [SIZE])


def test_unknown_names_bring_near_ones() -> None:
    with pytest.raises(MetricError, match="Did you mean 'matlab'"):
        vot_supervised([[run(120)]], [[BOX] * 120], [SIZE], "matlap")
    with pytest.raises(MetricError, match="Did you mean 'vot2018'"):
        vot_supervised([[run(120)]], [[BOX] * 120], [SIZE], interval="vot218")


def test_a_nan_region_of_a_tracker_overlaps_nothing() -> None:
    regions = run(120)
    regions[60] = [np.nan] * 4
    assert vot_supervised([[regions]], [[BOX] * 120], [SIZE]).accuracy == pytest.approx(109 / 110)


def test_pixel_overlap_is_that_of_drawn_polygons() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        pair = []
        for _ in range(2):
            center, side, angle = rng.uniform(40, 60, 2), rng.uniform(10, 60, 2), rng.uniform(0, 180)
            pair.append(cv2.boxPoints((center.tolist(), side.tolist(), angle)).astype(np.float64))
        a, b = (polygon[None] for polygon in pair)
        shared = cv2.intersectConvexConvex(*(polygon.astype(np.float32) for polygon in pair))[0]
        areas = [cv2.contourArea(polygon.astype(np.float32)) for polygon in pair]
        exact = shared / (sum(areas) - shared)
        assert region_overlap(a, b)[0] == pytest.approx(exact, abs=0.06)  # corners are rounded to pixels
        assert region_overlap(a, b) == region_overlap(b, a)
        # Eight times as large, rounding matters an eighth.
        assert region_overlap(8 * a, 8 * b)[0] == pytest.approx(exact, abs=0.012)
        assert region_overlap(a, a)[0] == 1


def test_pixel_overlap_is_counted_within_the_bounds() -> None:
    outside, wide = corners([[90, 10, 20, 10]]), corners([[90, 10, 40, 10]])
    assert region_overlap(outside, wide)[0] == pytest.approx(21 / 41)
    assert region_overlap(outside, wide, (99, 99))[0] == 1  # what lies beyond the frame is not seen
    assert region_overlap(corners([[200, 200, 5, 5]]), corners([[200, 200, 5, 5]]), (99, 99))[0] == 0


def test_regions_are_boxes_or_polygons() -> None:
    assert corners(np.zeros((0, 8))).shape == (0, 4, 2)
    assert bounding_boxes([BOX]).tolist() == [BOX]
    with pytest.raises(ValueError, match="boxes .N, 4. or polygons"):
        corners([[1, 2, 3]])


def test_got10k_pools_frames_leaves_out_the_first_and_hidden_ones_and_clips_to_the_frame() -> None:
    short, long = np.array([BOX] * 3), np.array([BOX] * 9)
    missed = short.copy()
    missed[1:] = AWAY
    scores = got10k([missed, long], [short, long], [None, None], [SIZE, SIZE])
    assert scores == (8 / 10, 8 / 10, 8 / 10)  # two frames and eight, not the mean of 0 and 1
    hidden = got10k([missed, long], [short, long], [np.array([8, 0, 0]), np.full(9, 8)], [SIZE, SIZE])
    assert hidden.ao == 1
    leaving = np.array([[150.0, 40, 100, 20]] * 2)
    assert got10k([leaving + [0, 0, 70, 0]], [leaving], None, [SIZE]).ao == 1
    assert got10k([leaving + [0, 0, 70, 0]], [leaving]).ao == pytest.approx(100 / 170)
    missing = long.copy()
    missing[4] = np.nan
    assert np.isnan(got10k([long], [missing]).ao)  # never a number without its frames


def test_got10ks_success_rates_count_overlaps_above_their_thresholds_and_frames_of_which_anything_is_seen() -> None:
    truth = np.array([[10.0, 20, 40, 40]] * 3)
    half, three_quarters = truth * [1, 1, 0.5, 1], truth * [1, 1, 0.75, 1]  # overlaps of exactly .5 and .75
    assert got10k([half], [truth]) == (0.5, 0, 0)
    assert got10k([three_quarters], [truth]) == (0.75, 1, 0)
    away = np.array([truth[0], truth[1], AWAY])
    assert got10k([away], [truth], [np.array([8, 8, 1])]).ao == 0.5  # an eighth is seen: it counts
    assert got10k([away], [truth], [np.array([8, 8, 0])]).ao == 1
    turned = truth * [1, 1, -1, 1]  # a width below 0 is none
    assert got10k([turned], [truth], None, [SIZE]).ao == 0


def test_got10k_names_what_does_not_fit() -> None:
    boxes = np.array([BOX] * 3)
    with pytest.raises(MetricError, match=r"of \[1, 2\] sequences"):
        got10k([boxes], [boxes, boxes])
    with pytest.raises(MetricError, match="sequence 1: the results have the shape"):
        got10k([boxes[:2]], [boxes])
    with pytest.raises(MetricError, match="sequence 1: the results are not finite"):
        got10k([boxes * np.nan], [boxes])
    with pytest.raises(MetricError, match="no sequence has a frame to score"):
        got10k([boxes], [boxes], [np.zeros(3)])


def test_a_box_that_begins_outside_the_frame_is_moved_as_got10ks_toolkit_does() -> None:
    truth = np.array([BOX, [0.0, 20, 50, 40]])
    assert got10k([truth - [[0] * 4, [10, 0, -10, 0]]], [truth], None, [SIZE]).ao == pytest.approx(50 / 60)


def test_the_python_toolkit_counts_a_run_without_counted_frames_as_0_and_every_fragment_alike() -> None:
    lost = run(120, (3,))  # lost at once, and started again in the eighth frame from the end of a short sequence
    short = lost[:12]
    runs, truths = [[short], [run(120)]], [[BOX] * 12, [BOX] * 120]
    interval = (5, 10)
    scores = vot_supervised(runs, truths, [SIZE] * 2, "vot_toolkit", interval)
    assert scores.accuracy == pytest.approx(120 / 132)
    assert vot_supervised(runs, truths, [SIZE] * 2, "pysot", interval).accuracy == 1  # the others leave it out
    # Two fragments of the failed runs at 2/n and 2/n, one that never fails: all weigh 1, or share their sequence's 1.
    twice, once = [run(60, (3,)), run(60, (3,))], [run(60)]
    after = np.arange(5, 11)
    failed = 2 / after  # frames 1 and 2 of three overlap wholly
    found = vot_supervised([twice, once], [[BOX] * 60] * 2, [SIZE] * 2, "vot_toolkit", interval)
    assert found.eao == pytest.approx(((2 * failed + 3) / 5).mean())  # two failed, two begun anew, one whole


def test_the_python_toolkits_curve_ends_with_its_longest_fragment() -> None:
    failed = run(100, (50, 95))  # fragments of 50 and 40 frames
    interval = (40, 99)
    known = np.arange(40, 50)
    found = vot_supervised([[failed]], [[BOX] * 100], [SIZE], "vot_toolkit", interval).eao
    assert found == pytest.approx(((1 + 39 / known) / 2).mean())
    assert found > vot_supervised([[failed]], [[BOX] * 100], [SIZE], "pysot", interval).eao


def test_normalised_precision_has_a_value_and_an_area() -> None:
    truth = np.array([BOX] * 4)
    shifted = truth + [3, 0, 0, 0]  # a tenth of the width: passes from 0.10 on, 41 of 51 thresholds
    shifted[0] = truth[0]
    for protocol in ("pysot", "got10k"):
        result = ope(shifted, truth, protocol)
        assert result.norm_precision20 == 1
        assert result.norm_precision_area == pytest.approx((1 + 3 * 41 / 51) / 4)


def test_absent_frames_fail_in_every_protocol_but_got10ks() -> None:
    truth = np.array([BOX] * 10)
    visible = np.arange(10) < 6
    for protocol in PROTOCOLS:
        result = ope(truth, truth, protocol, visible)
        assert result.dp20 == (1 if protocol == "got10k" else 0.6)
        assert result.auc == pytest.approx(result.dp20 * 20 / 21)


def test_an_empty_box_is_the_one_before_in_pytracking_and_of_negative_size_in_lasot_too() -> None:
    truth = np.array([BOX] * 3)
    pred = truth.copy()
    pred[1, 2] = 0
    assert ope(pred, truth, "pytracking").success[0] == 1
    assert ope(pred, truth, "pysot").success[0] == pytest.approx(2 / 3)
    pred[1, 2] = -5
    assert ope(pred, truth, "pytracking").success[0] == pytest.approx(2 / 3)
    assert ope(pred, truth, "lasot").success[0] == 1
