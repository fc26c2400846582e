"""What histograms of oriented gradients promise, and what ECO makes of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ltr.models.backbone import resnet18
from pytracking.parameter.params import ParameterError
from pytracking.registry import ECO_FEATURES, PARAMETERS
from pytracking.tracker.eco.features import JoinedFeatures, NetworkFeatures
from pytracking.tracker.eco.hog import HogFeatures, _counted, _multiplied, fhog
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.eco.tracker import ECOTracker


def plain(image: np.ndarray, cell: int) -> np.ndarray:
    """The same histograms (h, w, 31) of an image (H, W, C), pixel by pixel and cell by cell."""
    rows, columns = np.gradient(image.astype(float), axis=(0, 1))
    height, width = (side // cell for side in image.shape[:2])
    votes = np.zeros((height, width, 18))
    for y in range(height * cell):
        for x in range(width * cell):
            lengths = np.hypot(rows[y, x], columns[y, x])
            colour = lengths.argmax()
            angle = math.atan2(rows[y, x, colour], columns[y, x, colour])
            number = math.floor(angle / math.radians(20) + 0.5 + 1e-5) % 18
            for i in range(height):
                for j in range(width):
                    down, right = 1 - abs((y + 0.5) / cell - 0.5 - i), 1 - abs((x + 0.5) / cell - 0.5 - j)
                    if down > 0 and right > 0:
                        votes[i, j, number] += lengths[colour] * down * right
    votes[[0, -1]] *= 8 / 7
    votes[:, [0, -1]] *= 8 / 7
    edges = votes[..., :9] + votes[..., 9:]
    result = np.zeros((height, width, 31))
    for i in range(height):
        for j in range(width):
            for k, (down, right) in enumerate([(0, 0), (-1, 0), (0, -1), (-1, -1)]):
                top, left = min(max(i + down, 0), height - 2), min(max(j + right, 0), width - 2)
                gain = (np.square(edges[top : top + 2, left : left + 2]).sum() + 2.5e-5) ** -0.5
                directed = np.minimum(votes[i, j] * gain, 0.2)
                result[i, j, :18] += directed / 2
                result[i, j, 18:27] += np.minimum(edges[i, j] * gain, 0.2) / 2
                result[i, j, 27 + k] = 0.2357 * directed.sum()
    return result


@pytest.mark.parametrize(("cell", "shape"), [(4, (17, 22)), (6, (18, 25))])
def test_histograms_are_those_of_their_plain_twin(cell: int, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(cell).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = fhog(torch.from_numpy(image).permute(2, 0, 1)[None].float(), cell)
    np.testing.assert_allclose(found[0].permute(1, 2, 0).numpy(), plain(image, cell), atol=1e-5)


@pytest.mark.parametrize("cell", [4, 6])
def test_votes_are_the_same_counted_and_as_products_of_matrices(cell: int) -> None:
    draw = np.random.default_rng(cell)
    length = torch.from_numpy(draw.uniform(0, 100, (2, 1, 5 * cell, 3 * cell)))
    orientation = torch.from_numpy(draw.integers(0, 18, (2, 1, 5 * cell, 3 * cell)))
    counted = _counted(length, orientation, cell)
    torch.testing.assert_close(counted, _multiplied(length, orientation, cell))
    assert counted.shape == (2, 18, 5, 3) and counted.min() >= 0


def test_brightness_and_contrast_do_not_matter() -> None:
    image = 100 * torch.rand(1, 3, 24, 24)
    torch.testing.assert_close(fhog(2 * image + 30, 4), fhog(image, 4), atol=1e-4, rtol=1e-4)


def test_a_grey_image_has_the_histograms_of_its_colours() -> None:
    image = 255 * torch.rand(1, 1, 24, 24)
    torch.testing.assert_close(fhog(image, 4), fhog(image.expand(-1, 3, -1, -1), 4))


def test_a_ramp_has_one_direction_and_its_negative_the_opposite_one() -> None:
    ramp = torch.arange(24.0).expand(1, 1, 24, 24)
    for image, direction in ((ramp, 0), (-ramp, 9), (ramp.mT, 5), (-ramp.mT, 14)):
        found = fhog(image, 4)[0, :, 2, 2]
        assert found[:18].nonzero().tolist() == [[direction]]
        assert found[18:27].nonzero().tolist() == [[direction % 9]]


def test_a_flat_image_has_empty_histograms() -> None:
    assert not fhog(torch.full((1, 3, 16, 16), 7.0), 4).any()
    assert torch.isfinite(HogFeatures()(torch.zeros(1, 3, 16, 16))[0]).all()


def test_hand_crafted_features_come_before_the_layers() -> None:
    network = resnet18("layer1", stride=4)
    one = ECOTracker(ECOParams(network=network, layers=("conv1",), dimensions=(16,), hand_crafted=("fhog6", "fhog")))
    assert isinstance(one.features, JoinedFeatures)
    assert list(one.features.cells) == [6, 4, 4] and list(one.features.dimensions) == [10, 10, 16]
    assert isinstance(one.features.parts[-1], NetworkFeatures)
    side = one.features.sample_side(210.0)
    assert [maps.shape[1] for maps in one.features(torch.rand(1, 3, side, side))] == [31, 31, 64]


@pytest.mark.parametrize("name", ECO_FEATURES.names())
def test_registered_features_are_what_they_say(name: str) -> None:
    features = ECO_FEATURES[name]()
    side = features.sample_side(200.0)
    maps = features(255 * torch.rand(2, 3, side, side))
    assert len(maps) == len(features.cells) == len(features.dimensions)
    for part, cell, count in zip(maps, features.cells, features.dimensions):
        assert part.shape == (2, part.shape[1], side // cell, side // cell) and part.shape[1] >= count


def test_unknown_features_are_an_error_with_a_near_name() -> None:
    with pytest.raises(ParameterError, match="'fhog'"):
        ECOTracker(ECOParams(hand_crafted=("fhogg",)))


def test_eco_follows_a_target_by_histograms_alone() -> None:
    rng = np.random.default_rng(3)
    background = rng.integers(100, 130, (160, 200, 3)).astype(np.uint8)
    target = np.kron(rng.integers(0, 255, (5, 5, 3)), np.ones((6, 6, 1))).astype(np.uint8)
    one = ECOTracker(PARAMETERS["eco/hog"]())  # type: ignore[arg-type]

    def frame(x: int, y: int) -> np.ndarray:
        image = background.copy()
        image[y : y + 30, x : x + 30] = target
        return image

    one.initialize(frame(60, 50), {"init_bbox": [60, 50, 30, 30]})
    for step in range(1, 11):
        box = one.track(frame(60 + 3 * step, 50 + 2 * step))["target_bbox"]
    np.testing.assert_allclose(box, [90, 70, 30, 30], atol=2)
