"""The filter along scales: it measures how a target grows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytracking.tracker.eco.scale_filter import ScaleFilter, ScaleFilterSettings, part_of, reduced_size

SETTINGS = ScaleFilterSettings()
CENTER = np.array([99.5, 79.5])


def zoomed(factor: float) -> np.ndarray:
    """A textured frame (160, 200, 3), enlarged about its middle."""
    texture = np.random.default_rng(1).integers(0, 255, (16, 20, 3)).astype(np.uint8)
    image = cv2.resize(texture, (200, 160), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[factor, 0, (1 - factor) * CENTER[0]], [0, factor, (1 - factor) * CENTER[1]]])
    return cv2.warpAffine(image, matrix, (200, 160), borderMode=cv2.BORDER_REPLICATE)


def started(factor: float = 1.0, size: tuple[float, float] = (50, 40)) -> ScaleFilter:
    sides = np.array(size, float)
    one = ScaleFilter(sides, reduced_size(sides, SETTINGS), SETTINGS)
    one.update(zoomed(factor), CENTER, 1.0)
    return one


@pytest.mark.parametrize("factor", [1 / 1.01, 1.0, 1.01])
def test_it_follows_a_target_that_grows_or_shrinks(factor: float) -> None:
    one, scale = started(), 1.0
    for frame in range(1, 21):
        image = zoomed(factor**frame)
        scale *= one.find(image, CENTER, scale)
        one.update(image, CENTER, scale)
    assert scale == pytest.approx(factor**20, rel=0.03)


@pytest.mark.parametrize("factor", [0.85, 0.93, 1.07, 1.15])
def test_it_finds_a_part_of_a_sudden_change(factor: float) -> None:
    found = started().find(zoomed(factor), CENTER, 1.0)
    assert 0.1 < np.log(found) / np.log(factor) < 1


def test_it_learns_slowly() -> None:
    one, first, second = started(), started(), started(1.3)
    one.update(zoomed(1.3), CENTER, 1.0)
    assert one.samples is not None and first.samples is not None and second.samples is not None
    np.testing.assert_allclose(one.samples, 0.975 * first.samples + 0.025 * second.samples)


@pytest.mark.parametrize(("size", "center"), [((1, 1), (5, 5)), ((400, 3), (100, 80)), ((30, 30), (-500, 900))])
def test_targets_of_any_size_and_place_have_a_scale(size: tuple[float, float], center: tuple[float, float]) -> None:
    one = started(size=size)
    factor = one.find(zoomed(1.1), np.array(center, float), 1.0)
    assert 0.7 < factor < 1.4


def test_a_flat_frame_changes_nothing() -> None:
    flat = np.full((160, 200, 3), 9, np.uint8)
    assert np.isfinite(started().find(flat, CENTER, 1.0))


@pytest.mark.parametrize("left", [-70, -3, 0, 25, 150, 197, 200, 300])
@pytest.mark.parametrize("top", [-3, 0, 40, 157])
def test_a_part_of_a_frame_is_the_frame_with_its_border_repeated(left: int, top: int) -> None:
    image = zoomed(1.0)
    wide = np.pad(image, ((400, 400), (400, 400), (0, 0)), mode="edge")
    found = part_of(image, left, left + 33, top, top + 3)
    np.testing.assert_array_equal(found, wide[400 + top : 403 + top, 400 + left : 433 + left])
