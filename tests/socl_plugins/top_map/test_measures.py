"""What the measures of TOP maps say of maps and proposals for which the answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from socl_plugins.top_map.measures import (
    COUNTS,
    LabelledFrame,
    box_mass,
    map_spread,
    measure_top_maps,
    recall_curve,
)
from socl_plugins.top_map.proposals import Proposals

BOX = np.array([40.0, 30.0, 20.0, 40.0])
CENTER = (50.0, 50.0)


def frame(*boxes: list[float], box: np.ndarray = BOX, point: tuple[float, float] = CENTER) -> LabelledFrame:
    found = Proposals(np.array(boxes, np.float32), np.linspace(0.9, 0.5, len(boxes), dtype=np.float32))
    return LabelledFrame(found, point, box, (128, 128))


def test_a_uniform_map_has_the_mass_of_the_box_s_share_and_counts_cells_in_part() -> None:
    uniform = np.ones((10, 20))
    assert box_mass(uniform, 1.0, np.array([2.0, 3.0, 5.0, 4.0])) == pytest.approx(20 / 200)
    assert box_mass(uniform, 4.0, np.array([8.0, 12.0, 20.0, 16.0])) == pytest.approx(20 / 200)
    assert box_mass(uniform, 1.0, np.array([2.5, 3.0, 1.0, 0.5])) == pytest.approx(0.5 / 200)
    assert box_mass(uniform, 1.0, np.array([15.0, 5.0, 100.0, 100.0])) == pytest.approx(25 / 200)
    assert box_mass(7 * uniform, 1.0, np.array([0.0, 0.0, 20.0, 10.0])) == pytest.approx(1)


def test_the_spread_is_the_geometric_mean_of_both_standard_deviations_in_pixels() -> None:
    top = np.zeros((9, 9))
    top[4, 2] = top[4, 6] = top[2, 4] = top[6, 4] = 1.0  # variance 2 in each direction, in cells
    assert map_spread(top, 1.0) == pytest.approx(np.sqrt(2))
    assert map_spread(top, 3.0) == pytest.approx(3 * np.sqrt(2))
    x, y = np.arange(64) - 31.5, np.arange(96) - 47.5
    narrow_and_wide = np.outer(np.exp(-(y**2) / (2 * 9.0**2)), np.exp(-(x**2) / (2 * 4.0**2)))
    assert map_spread(narrow_and_wide, 1.0) == pytest.approx(6.0, rel=1e-3)


def test_recall_counts_a_frame_from_the_rank_at_which_a_proposal_overlaps_by_half() -> None:
    half = [40.0, 30.0, 20.0, 20.0]  # inside the box, half of it: IoU .5
    less = [40.0, 30.0, 20.0, 19.0]
    far = [0.0, 0.0, 10.0, 10.0]
    frames = [frame(half, far), frame(far, far, half), frame(less, less)]
    np.testing.assert_allclose(recall_curve(frames, [1, 2, 3, 9]), [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert measure_top_maps(frames).recall == tuple(recall_curve(frames, COUNTS)) == (1 / 3, 2 / 3, 2 / 3, 2 / 3)


def test_the_error_is_from_the_plain_mean_of_the_proposals_centers() -> None:
    left, right = [37.0, 34.0, 20.0, 40.0], [43.0, 34.0, 20.0, 40.0]  # their mean lies 4 pixels below the true center
    assert measure_top_maps([frame(left, right)]).center_error == pytest.approx(4.0)
    assert measure_top_maps([frame(left, right), frame(BOX.tolist())]).center_error == pytest.approx(2.0)


def test_the_spread_follows_the_target_s_extent_where_proposals_do_and_a_gaussian_cannot() -> None:
    frames = []
    for side in (12.0, 24.0, 48.0):
        box = np.array([64 - side / 2, 64 - side / 2, side, side])
        frames.append(frame(box.tolist(), box=box, point=(64.0, 64.0)))
    measures = measure_top_maps(frames, temperature=0.05)
    assert measures.frames == 3
    assert measures.spread_correlation > 0.95
    assert measures.mass > 0.9
    assert measures.gaussian_mass < measures.mass
    backwards = [
        frame(two.proposals.boxes[0].tolist(), box=one.box, point=one.point) for one, two in zip(frames, frames[::-1])
    ]
    assert measure_top_maps(backwards, temperature=0.05).spread_correlation < -0.95


def test_the_gaussian_is_as_wide_as_the_maps_and_lies_at_the_click() -> None:
    wide = frame([14.0, 14.0, 100.0, 100.0], box=np.array([44.0, 44.0, 40.0, 40.0]), point=(64.0, 64.0))
    measures = measure_top_maps([wide], temperature=0.02)
    sigma = 100 / np.sqrt(12)  # of a square of evenly likely places
    assert measures.gaussian_sigma == pytest.approx(sigma, rel=0.03)
    from scipy.stats import norm

    side = norm.cdf(20 / sigma) - norm.cdf(-20 / sigma)
    whole = norm.cdf(64 / sigma) - norm.cdf(-64 / sigma)  # what lies in the frame
    assert measures.gaussian_mass == pytest.approx((side / whole) ** 2, rel=0.03)
    beside = frame([14.0, 14.0, 100.0, 100.0], box=np.array([44.0, 44.0, 40.0, 40.0]), point=(110.0, 64.0))
    assert measure_top_maps([beside], temperature=0.02).gaussian_mass < 0.5 * measures.gaussian_mass


def test_one_size_has_no_correlation_and_no_frame_is_an_error() -> None:
    assert measure_top_maps([frame(BOX.tolist()), frame(BOX.tolist())]).spread_correlation == 0.0
    with pytest.raises(ValueError, match="there is no frame with a visible target to measure TOP maps on"):
        measure_top_maps([])
