from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.data.transforms import (
    LUMINANCE,
    Blur,
    ColorJitter,
    Compose,
    Drawn,
    Grayscale,
    HorizontalFlip,
    Stretch,
    Transform,
    Translate,
)

FLIP = HorizontalFlip(1.0).draw(np.random.default_rng(0))
EVERYTHING = Compose(
    HorizontalFlip(), Stretch(0.2), Translate(7), ColorJitter(0.3, 0.3, 0.3), Grayscale(0.3), Blur(1.5)
)
GEOMETRY = Compose(HorizontalFlip(), Stretch(0.2), Translate(7))

seeds = st.integers(0, 2**32)
shapes = st.tuples(st.integers(8, 60), st.integers(8, 60), st.just(3))
quick = settings(deadline=None, max_examples=60)


def random_image(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@quick
@given(seeds, shapes)
def test_a_flip_twice_is_the_identity(seed, shape):
    rng = np.random.default_rng(seed)
    image, points, boxes = random_image(seed, shape), rng.uniform(-9, 60, (5, 2)), rng.uniform(0, 60, (5, 4))
    assert np.array_equal(FLIP.image(FLIP.image(image)), image)
    assert np.allclose(FLIP.points(FLIP.points(points, shape), shape), points)
    assert np.allclose(FLIP.boxes(FLIP.boxes(boxes, shape), shape), boxes)


@quick
@given(seeds, shapes)
def test_a_flipped_image_has_a_flipped_point_box_and_map(seed, shape):
    height, width, _ = shape
    image = random_image(seed, shape)
    assert np.array_equal(FLIP.image(image), image[:, ::-1])
    assert np.array_equal(FLIP.map(image[..., 0]), image[:, ::-1, 0])
    assert np.allclose(FLIP.points(np.array([1.0, 2.0]), shape), [width - 1, 2])
    assert np.allclose(FLIP.boxes(np.array([1.0, 2.0, 3.0, 4.0]), shape), [width - 4, 2, 3, 4])


@quick
@given(seeds, st.integers(30, 69), st.integers(25, 54))
def test_a_point_stays_on_what_the_image_shows_there(seed, x, y):
    image = np.zeros((80, 100, 3), np.uint8)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    moved, points, boxes = GEOMETRY(
        image, np.array([[x + 0.5, y + 0.5]]), np.array([x - 2.0, y - 2.0, 5, 5]), np.random.default_rng(seed)
    )
    weights = moved[..., 0].astype(float)
    rows, columns = np.mgrid[:80, :100] + 0.5
    found = np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()
    assert np.abs(found - points[0]).max() < 0.3
    assert np.allclose(boxes[:2] + boxes[2:] / 2, points[0])
    dark = np.argwhere(weights > 127)[:, ::-1]
    assert np.abs(dark.min(axis=0) - boxes[:2]).max() <= 1
    assert np.abs(dark.max(axis=0) + 1 - boxes[:2] - boxes[2:]).max() <= 1


@quick
@given(seeds)
def test_a_map_transformed_is_the_map_of_the_transformed_box(seed):
    box = np.array([36.0, 24.0, 24.0, 16.0])
    drawn = GEOMETRY.draw(np.random.default_rng(seed))
    rows, columns = np.mgrid[:64, :96] + 0.5

    def render(box: np.ndarray) -> np.ndarray:
        x, y = columns - box[0] - box[2] / 2, rows - box[1] - box[3] / 2
        return np.exp(-4 * (x / box[2]) ** 2 - 4 * (y / box[3]) ** 2).astype(np.float32)

    assert np.abs(drawn.map(render(box)) - render(drawn.boxes(box, (64, 96)))).max() < 0.03


@quick
@given(seeds)
def test_two_transforms_in_one_are_the_one_after_the_other(seed):
    rng = np.random.default_rng(seed)
    one, other = GEOMETRY.draw(rng), GEOMETRY.draw(rng)
    points, shape = rng.uniform(0, 60, (4, 2)), (48, 60)
    assert np.allclose(one.then(other).points(points, shape), other.points(one.points(points, shape), shape))


@quick
@given(seeds, shapes)
def test_the_same_generator_gives_the_same_and_the_input_stays_as_it_was(seed, shape):
    image, points, boxes = random_image(1, shape), np.ones((2, 2)), np.ones((2, 4))
    before = image.copy()
    one = EVERYTHING(image, points, boxes, np.random.default_rng(seed))
    other = EVERYTHING(image, points, boxes, np.random.default_rng(seed))
    assert all(np.array_equal(a, b) for a, b in zip(one, other))
    assert one[0].shape == shape and one[0].dtype == np.uint8 and one[0].flags.c_contiguous
    assert np.array_equal(image, before) and (points == 1).all() and (boxes == 1).all()


def test_one_draw_serves_several_frames():
    drawn = EVERYTHING.draw(np.random.default_rng(3))
    image = random_image(0, (40, 50, 3))
    assert np.array_equal(drawn.image(image), drawn.image(image.copy()))


def test_no_points_and_no_boxes_stay_none():
    _, points, boxes = EVERYTHING(random_image(0, (9, 9, 3)), None, None, np.random.default_rng(0))
    assert points is None and boxes is None


def test_a_point_that_is_unknown_stays_unknown():
    assert np.isnan(FLIP.points(np.array([np.nan, np.nan]), (9, 9))).all()


def test_colours_change_and_places_do_not():
    image, points = random_image(0, (30, 30, 3)), np.array([[3.0, 4.0]])
    for transform in (ColorJitter(0.5, 0.5, 0.5), Grayscale(1.0), Blur(3.0, 1.0)):
        changed, same, _ = transform(image, points, None, np.random.default_rng(1))
        assert not np.array_equal(changed, image) and np.array_equal(same, points)


def test_a_grey_image_has_three_equal_channels_of_its_luminance():
    image = random_image(0, (20, 30, 3))
    gray, _, _ = Grayscale(1.0)(image, None, None, np.random.default_rng(0))
    assert np.array_equal(gray[..., 0], gray[..., 1]) and np.array_equal(gray[..., 0], gray[..., 2])
    assert np.abs(gray[..., 0] - image @ LUMINANCE).max() <= 1


def test_colour_jitter_is_brightness_then_contrast_then_saturation():
    image = random_image(0, (12, 13, 3)) // 2 + 50
    rng = np.random.default_rng(5)
    brightness, contrast, saturation = np.random.default_rng(5).uniform(0.8, 1.2, 3)
    jittered = ColorJitter(0.2, 0.2, 0.2).draw(rng).image(image)
    expected = image * brightness
    expected = (expected - (expected @ LUMINANCE).mean()) * contrast + (expected @ LUMINANCE).mean()
    gray = (expected @ LUMINANCE)[..., None]
    expected = gray + (expected - gray) * saturation
    assert np.abs(jittered - np.clip(expected, 0, 255)).max() <= 1


def test_no_amount_of_jitter_is_no_change():
    image = random_image(0, (12, 13, 3))
    assert np.array_equal(ColorJitter().draw(np.random.default_rng(0)).image(image), image)
    assert np.array_equal(Translate(0).draw(np.random.default_rng(0)).image(image), image)
    assert np.array_equal(HorizontalFlip(0.0).draw(np.random.default_rng(0)).image(image), image)


def test_a_blur_spreads_a_dot_and_keeps_its_place():
    image = np.zeros((31, 31, 3), np.uint8)
    cv2.circle(image, (15, 15), 2, (255, 255, 255), -1)
    blurred = Blur(3.0, 1.0).draw(np.random.default_rng(0)).image(image)
    assert (blurred > 0).sum() > (image > 0).sum()
    assert np.array_equal(blurred, blurred[::-1, ::-1])


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_a_flip_comes_as_often_as_asked(probability):
    flip, rng = HorizontalFlip(probability), np.random.default_rng(0)
    share = np.mean([flip.draw(rng).scale[0] < 0 for _ in range(2000)])
    assert abs(share - probability) < 0.03


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HorizontalFlip(1.5), "probability is 1.5"),
        (lambda: Grayscale(float("nan")), "probability is nan"),
        (lambda: Stretch(1.0), "Stretch is 1.0"),
        (lambda: Translate(-3), "-3 pixels"),
        (lambda: ColorJitter(brightness=2.0), "ColorJitter"),
        (lambda: Blur(0.0), "max_sigma of Blur is 0.0"),
    ],
)
def test_an_amount_out_of_range_is_an_error_that_names_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_transform_of_ones_own_is_a_draw():
    class Darken(Transform):
        def draw(self, rng: np.random.Generator) -> Drawn:
            return Drawn(colours=(lambda image: image // 2,))

    image, points, _ = Compose(Darken(), HorizontalFlip(1.0))(
        np.full((4, 6, 3), 100, np.uint8), np.array([1.0, 1.0]), None, np.random.default_rng(0)
    )
    assert (image == 50).all() and points.tolist() == [5, 1]
