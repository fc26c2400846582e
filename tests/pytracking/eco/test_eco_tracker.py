"""The ECO tracker in a video: it follows, and what it does at the edges of what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch

from ltr.models.backbone import resnet18
from pytracking.parameter.params import ParameterError, autocast
from pytracking.tracker.eco.features import NetworkFeatures, normalised
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.eco.settings import LearningSettings
from pytracking.tracker.eco.tracker import ECOTracker

QUICK = LearningSettings(samples=4, gauss_newton_steps=2, steps_each=4)


class Colours:
    """The mean colour of cells: features that need no network."""

    cells = (4,)
    dimensions = (3,)

    def sample_side(self, wanted: float) -> int:
        return 4 * round(wanted / 4)

    def __call__(self, patches: torch.Tensor) -> list[torch.Tensor]:
        return [torch.nn.functional.avg_pool2d(patches / 255 - 0.5, 4)]


def tracker(**changes: object) -> ECOTracker:
    values: dict[str, object] = {"smallest_side": 80.0, "largest_side": 100.0, "learning": QUICK, "update_every": 2}
    return ECOTracker(ECOParams(**{**values, **changes}, device="cpu"), Colours())  # type: ignore[arg-type]


def scene(center: Sequence[float], side: float = 30, size: tuple[int, int] = (160, 200)) -> np.ndarray:
    """A frame with a textured square on a smooth background."""
    rng = np.random.default_rng(0)
    height, width = size
    image = cv2.resize(rng.integers(60, 120, (6, 8, 3)).astype(np.uint8), (width, height))
    texture = cv2.resize(rng.integers(0, 255, (4, 4, 3)).astype(np.uint8), (int(side), int(side)))
    left, top = (round(value - side / 2) for value in center)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + int(side), width), min(top + int(side), height)
    if x1 > x0 and y1 > y0:
        image[y0:y1, x0:x1] = texture[y0 - top : y1 - top, x0 - left : x1 - left]
    return image


def start(one: ECOTracker, center: Sequence[float], side: float = 30) -> None:
    one.initialize(scene(center, side), {"init_bbox": [center[0] - side / 2, center[1] - side / 2, side, side]})


def test_it_follows_a_target_that_moves() -> None:
    one = tracker()
    start(one, (70, 60))
    for step in range(1, 15):
        center = np.array([70 + 3 * step, 60 + 2 * step])
        box = one.track(scene(center))["target_bbox"]
    np.testing.assert_allclose(np.array(box[:2]) + np.array(box[2:]) / 2, center, atol=2)


def test_a_grey_video_is_tracked_like_one_with_three_equal_channels() -> None:
    grey = [cv2.cvtColor(scene((70 + 3 * k, 60)), cv2.COLOR_RGB2GRAY) for k in range(4)]
    boxes = []
    for frames in (grey, [np.repeat(frame[:, :, None], 3, axis=2) for frame in grey]):
        one = tracker()
        one.initialize(frames[0], {"init_bbox": [55, 45, 30, 30]})
        boxes.append([one.track(frame)["target_bbox"] for frame in frames[1:]])
    np.testing.assert_array_equal(*boxes)


def test_a_tracker_that_is_told_a_place_finds_the_target_there() -> None:
    one = tracker()
    start(one, (50, 50))
    one.recenter((150.0, 110.0))  # farther than it looks
    box = one.track(scene((152, 110)))["target_bbox"]
    np.testing.assert_allclose(np.array(box[:2]) + np.array(box[2:]) / 2, (152, 110), atol=2)


def test_a_target_that_left_is_waited_for_inside_the_frame() -> None:
    one = tracker()
    start(one, (180, 80))
    for step in range(1, 20):
        x, y, w, h = one.track(scene((180 + 6 * step, 80)))["target_bbox"]
        assert 0 <= x + w / 2 <= 200 and 0 <= y + h / 2 <= 160


@pytest.mark.parametrize("box", [[100, 80, 1, 1], [-100, -100, 600, 500], [199, 159, 40, 40], [50, 40, 3, 90]])
def test_boxes_of_any_size_are_tracked(box: list[float]) -> None:
    one = tracker()
    one.initialize(scene((100, 80)), {"init_bbox": box})
    for _ in range(4):
        result = one.track(scene((100, 80)))
        assert np.isfinite(result["target_bbox"]).all() and min(result["target_bbox"][2:]) > 0
        assert np.isfinite(result["score"])


def test_a_flat_frame_gives_a_finite_box() -> None:
    one = tracker()
    start(one, (70, 60))
    assert np.isfinite(one.track(np.full((160, 200, 3), 9, np.uint8))["target_bbox"]).all()


def test_a_video_that_is_flat_from_the_start_is_tracked_without_an_error() -> None:
    one, flat = tracker(), np.full((160, 200, 3), 9, np.uint8)
    one.initialize(flat, {"init_bbox": [50, 50, 30, 30]})
    for _ in range(5):
        assert np.isfinite(one.track(flat)["target_bbox"]).all()


def test_frames_may_change_their_size() -> None:
    one = tracker()
    start(one, (150, 120))
    x, y, w, h = one.track(scene((60, 40), size=(90, 110)))["target_bbox"]
    assert 0 <= x + w / 2 <= 110 and 0 <= y + h / 2 <= 90


@pytest.mark.parametrize("box", [[0, 0, 0, 5], [300, 0, 5, 5], [0, 0, float("nan"), 5]])
def test_a_first_box_that_shows_nothing_is_an_error(box: list[float]) -> None:
    with pytest.raises(ValueError, match="first box"):
        tracker().initialize(scene((70, 60)), {"init_bbox": box})


def test_memory_does_not_grow_with_the_video() -> None:
    one = tracker()
    start(one, (70, 60))
    sizes = set()
    for step in range(12):
        one.track(scene((70 + step, 60)))
        sizes.add(sum(part.numel() for part in one.model.memory.spectra))
    assert len(sizes) == 1 and one.model.memory.count == QUICK.samples


def test_a_second_video_starts_anew() -> None:
    one, other = tracker(), tracker()
    start(one, (70, 60))
    one.track(scene((75, 60)))
    start(one, (100, 80))
    start(other, (100, 80))
    assert one.track(scene((102, 80))) == other.track(scene((102, 80)))


def test_any_layers_of_a_backbone_can_be_the_features() -> None:
    one = ECOTracker(
        ECOParams(
            network=resnet18("layer2", stride=8),
            layers=("conv1", "last"),
            dimensions=(4, 8),
            smallest_side=80.0,
            largest_side=100.0,
            learning=QUICK,
            device="cpu",
        )
    )
    assert one.features.cells == (4, 8)
    start(one, (70, 60))
    assert len(one.track(scene((72, 60)))["target_bbox"]) == 4


def test_the_response_is_shown_if_it_is_wanted_with_the_samples_centre_in_the_middle() -> None:
    one = tracker(scale_num=1)
    start(one, (70, 60))
    output = one.track(scene((76, 63)), {"want_score_map": True})
    shown = output["score_map"]
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    cell = one.side * one.scale / len(shown)  # frame pixels
    moved = (np.array([column, row]) - len(shown) // 2) * cell
    np.testing.assert_allclose(moved, [6, 3], atol=cell)
    assert output["score"] == pytest.approx(shown.max(), abs=0.1)
    assert "score_map" not in one.track(scene((76, 63)))


def test_features_that_are_not_there_are_an_error() -> None:
    with pytest.raises(ParameterError, match="no layer 'layer4'.*conv1, layer1"):
        ECOTracker(ECOParams(network=resnet18("layer1", stride=4), layers=("layer4",), dimensions=(4,)))
    with pytest.raises(ParameterError, match="no features"):
        ECOTracker(ECOParams())
    with pytest.raises(ParameterError, match="extract"):
        ECOTracker(ECOParams(network=torch.nn.Conv2d(3, 3, 3)))
    with pytest.raises(ParameterError, match="scale_num"):
        ECOParams(scale_num=4)


def test_a_network_is_copied_without_batch_norms_and_can_be_computed_in_another_precision() -> None:
    torch.manual_seed(0)
    network, layers = resnet18("layer2"), ["conv1", "layer2"]
    patches = torch.rand(1, 3, 64, 64) * 255
    exact, coarse = (
        NetworkFeatures(network, layers, [8, 8], torch.device("cpu"), autocast(params.precision, params.torch_device))
        for params in (ECOParams(network=network), ECOParams(network=network, precision="bfloat16"))
    )
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules()), "the given one is as it was"
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in exact.backbone.modules())
    with torch.no_grad():
        plain = network.eval().extract(patches, layers)
        for ours, given, half in zip(exact(patches), plain, coarse(patches)):
            torch.testing.assert_close(ours, normalised(given), rtol=1e-4, atol=1e-4)
            assert half.dtype == torch.float32 and 0 < (half - ours).abs().max() < 0.1
