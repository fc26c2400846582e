from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.data.crops import Region, crop_square

coordinates = st.floats(-300, 500)


@settings(deadline=None, max_examples=60)
@given(x=coordinates, y=coordinates, side=st.floats(0.1, 300), output=st.integers(1, 96))
def test_every_crop_has_the_asked_size_and_shows_some_of_the_frame(x, y, side, output):
    image = np.full((60, 80, 3), 200, np.uint8)
    crop, region = crop_square(image, (x, y), side, output, fill=(0, 0, 0))
    assert crop.shape == (output, output, 3) and crop.dtype == np.uint8
    corners = region.to_frame(np.array([[0, 0], [output, output]]))
    assert (corners[0] < (80, 60)).all() and (corners[1] > 0).all()


@settings(deadline=None, max_examples=60)
@given(
    x=coordinates, y=coordinates, left=coordinates, top=coordinates, side=st.floats(1, 500), size=st.integers(1, 300)
)
def test_to_the_crop_and_back_is_where_a_point_was(x, y, left, top, side, size):
    region = Region(left, top, side, size)
    assert np.allclose(region.to_frame(region.to_crop(np.array([x, y]))), [x, y])


@pytest.mark.parametrize("output", [20, 40, 80])
def test_what_is_seen_at_a_point_of_the_frame_is_seen_at_its_point_of_the_crop(output):
    image = np.zeros((60, 80, 3), np.uint8)
    image[30:34, 50:54] = 255
    crop, region = crop_square(image, (45.0, 28.0), 40, output)
    bright = np.argwhere(crop[..., 0] > 127)[:, ::-1]
    assert np.allclose(bright.mean(axis=0) + 0.5, region.to_crop(np.array([52.0, 32.0])), atol=0.5)
    box = region.boxes_to_crop(np.array([50.0, 30.0, 4.0, 4.0]))
    assert np.allclose(bright.min(axis=0), box[:2], atol=1) and np.allclose(
        bright.max(axis=0) + 1, box[:2] + box[2:], atol=1
    )


def test_a_crop_at_full_scale_is_the_frames_own_pixels():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    crop, region = crop_square(image, (40.0, 30.0), 20, 20)
    assert np.array_equal(crop, image[20:40, 30:50]) and region == Region(30.0, 20.0, 20.0, 20)


def test_outside_the_frame_is_the_fill_or_the_repeated_border():
    image = np.full((60, 80, 3), (10, 20, 30), np.uint8)
    image[:, 0] = 99
    filled, _ = crop_square(image, (0.0, 30.0), 20, 20, fill=np.array([1.0, 2.0, 3.0]))
    assert (filled[:, :10] == (1, 2, 3)).all() and (filled[:, 10] == 99).all()
    repeated, _ = crop_square(image, (0.0, 30.0), 20, 20)
    assert (repeated[:, :11] == 99).all()


def test_a_crop_far_outside_still_is_a_picture():
    image = np.full((60, 80, 3), 5, np.uint8)
    crop, _ = crop_square(image, (10_000.0, -10_000.0), 20, 32)
    assert (crop == 5).all()


@pytest.mark.parametrize(("center", "side"), [((np.nan, 3.0), 5.0), ((3.0, np.inf), 5.0), ((3.0, 3.0), np.nan)])
def test_a_place_that_is_no_number_is_an_error(center, side):
    with pytest.raises(ValueError, match="not a finite number"):
        crop_square(np.zeros((9, 9, 3), np.uint8), center, side, 8)
