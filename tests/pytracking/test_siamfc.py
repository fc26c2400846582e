"""The SiamFC tracker finds what moved, on any stride and border, and has a rule for every odd input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ltr.models.fold import folded
from ltr.models.tracking import siamfc_resnet18
from pytracking.parameter.params import ParameterError
from pytracking.registry import PARAMETERS
from pytracking.tracker.siamfc import SiamFCParams, SiamFCTracker, select_scale


class ColourNet(nn.Module):
    """Compares mean colours of cells; ``border`` cells are trimmed off both maps, ``inner`` more off the template."""

    def __init__(
        self, stride: int = 8, border: int = 0, inner: int = 0, offset: float = 0.0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.stride, self.border, self.inner, self.offset, self.gain = stride, border, inner, offset, gain
        self.weight = nn.Parameter(torch.ones(8, 3, 3, 3).contiguous())

    def forward(self, images: Tensor) -> Tensor:
        cells = functional.avg_pool2d(images - 128, self.stride, ceil_mode=True)
        return trimmed(cells, self.border)

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        template = trimmed(template, self.inner)
        energy = functional.conv2d(search.square().sum(1, keepdim=True), torch.ones(1, 1, *template.shape[-2:]))
        cosine = functional.conv2d(search, template) / (energy.sqrt() * template.norm() + 1e-6)
        return cosine * self.gain + self.offset


def trimmed(maps: Tensor, cells: int) -> Tensor:
    return maps[..., cells : maps.shape[-2] - cells, cells : maps.shape[-1] - cells]


def texture(seed: int, height: int, width: int, cell: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (-(-height // cell), -(-width // cell), 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def scene(box: tuple[float, float, float, float], height: int = 240, width: int = 320) -> np.ndarray:
    """A textured target (of the same texture at any size) on a grey background."""
    image = np.full((height, width, 3), 128, np.uint8)
    x, y, w, h = map(round, box)
    target = cv2.resize(texture(2, 64, 64, 16), (w, h), interpolation=cv2.INTER_LINEAR)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    if right > left and bottom > top:
        image[top:bottom, left:right] = target[top - y : bottom - y, left - x : right - x]
    return image


def tracker(network: nn.Module | None = None, **params: object) -> SiamFCTracker:
    return SiamFCTracker(SiamFCParams(network=network or ColourNet(), device="cpu", **params))  # type: ignore[arg-type]


def center(box: list[float]) -> np.ndarray:
    return np.array(box[:2]) + np.array(box[2:]) / 2


@pytest.mark.parametrize("move", [(0, 0), (17, 0), (0, -13), (-21, 19)])
@pytest.mark.parametrize(
    ("network", "params"),
    [
        (ColourNet(8), {}),
        (ColourNet(4), {}),
        (ColourNet(16), {}),
        (ColourNet(8, border=2), {}),
        (ColourNet(8, inner=3), {}),
        (ColourNet(8, border=1, inner=2), {}),
        (ColourNet(8), {"search_size": 271}),
        (ColourNet(8), {"search_size": 251}),  # not a whole number of cells around the template
        (ColourNet(8), {"exemplar_size": 128, "search_size": 256, "response_up": 8}),
        (ColourNet(8, offset=-50, gain=20), {}),  # logits below zero
    ],
)
def test_a_moved_target_is_found_whatever_stride_and_border_the_network_has(
    network: ColourNet, params: dict[str, object], move: tuple[int, int]
) -> None:
    box = (130, 90, 50, 40)
    siamfc = tracker(network, window_influence=0.0, **params)
    siamfc.initialize(scene(box), {"init_bbox": box})
    out = siamfc.track(scene((box[0] + move[0], box[1] + move[1], box[2], box[3])))
    assert np.abs(center(out["target_bbox"]) - (155 + move[0], 110 + move[1])).max() < network.stride / 5
    assert isinstance(out["score"], float)


def test_a_target_that_grows_gets_a_larger_box_of_the_same_shape() -> None:
    box = (130, 90, 50, 40)
    siamfc = tracker(ColourNet(4), scale_step=1.05)
    siamfc.initialize(scene(box), {"init_bbox": box})
    for step in range(1, 13):
        w, h = 50 * 1.03**step, 40 * 1.03**step
        out = siamfc.track(scene((155 - w / 2, 110 - h / 2, w, h)))["target_bbox"]
    assert 50 * 1.2 < out[2] < 50 * 1.6
    assert out[2] / out[3] == pytest.approx(50 / 40)


def test_the_same_frames_give_the_same_boxes_twice() -> None:
    boxes = [(130 + 3 * t, 90 + 2 * t, 50, 40) for t in range(4)]
    runs = []
    for _ in range(2):
        siamfc = tracker()
        siamfc.initialize(scene(boxes[0]), {"init_bbox": boxes[0]})
        runs.append([siamfc.track(scene(box)) for box in boxes[1:]])
    assert runs[0] == runs[1]


def test_a_tracker_can_start_again() -> None:
    siamfc = tracker()
    outputs = []
    for box in [(50, 50, 40, 40), (200, 90, 60, 30), (50, 50, 40, 40)]:
        siamfc.initialize(scene(box), {"init_bbox": box})
        outputs.append(siamfc.track(scene((box[0] + 5, *box[1:]))))
    assert outputs[0] == outputs[2] != outputs[1]


@pytest.mark.parametrize("shape", ["hw", "hw1"])
def test_a_grey_frame_is_tracked_like_its_three_channels(shape: str) -> None:
    frames = [cv2.cvtColor(scene((130 + 9 * t, 90, 50, 40)), cv2.COLOR_RGB2GRAY) for t in range(2)]
    outputs = []
    for grey in (False, True):
        views = [(f if shape == "hw" else f[:, :, None]) if grey else np.dstack([f] * 3) for f in frames]
        siamfc = tracker()
        siamfc.initialize(views[0], {"init_bbox": (130, 90, 50, 40)})
        outputs.append(siamfc.track(views[1]))
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((10, 10, float("nan"), 5), "four finite numbers"),
        ((10, 10, float("inf"), 5), "four finite numbers"),
        ((10, 10, 0, 5), "positive width and height"),
        ((10, 10, 5, -5), "positive width and height"),
        ((10, 10, 5), "it has 3 numbers"),
        ((400, 10, 20, 20), "wholly outside the 320 x 240 frame"),
        ((-30, 10, 20, 20), "wholly outside"),
    ],
)
def test_a_first_box_that_shows_nothing_is_refused(box: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tracker().initialize(scene((10, 10, 20, 20)), {"init_bbox": box})


@pytest.mark.parametrize("image", [np.zeros((10, 10, 4), np.uint8), np.zeros((10, 10, 3), np.float32)])
def test_a_frame_that_is_no_8_bit_image_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a frame must be uint8"):
        tracker().initialize(image, {"init_bbox": (1, 1, 5, 5)})


@pytest.mark.parametrize(
    "box",
    [(100, 100, 1, 1), (100.3, 50.8, 0.4, 0.6), (-500, -400, 1500, 1200), (300, 200, 60, 80), (0, 0, 320, 240)],
    ids=["one pixel", "less than a pixel", "larger than the frame", "partly outside", "the whole frame"],
)
def test_odd_first_boxes_are_tracked_with_finite_boxes_near_their_size(box: tuple[float, ...]) -> None:
    siamfc = tracker()
    image = scene((100, 100, 30, 30))
    assert siamfc.initialize(image, {"init_bbox": box})["target_bbox"] == list(box)
    for _ in range(5):
        out = np.array(siamfc.track(image)["target_bbox"])
        assert np.isfinite(out).all()
        assert (out[2:] > 0.7 * np.array(box[2:])).all() and (out[2:] < 1.5 * np.array(box[2:])).all()


def test_the_centre_stays_in_the_frame_and_the_size_between_its_limits() -> None:
    siamfc = tracker(scale_lr=1.0, min_side=30)
    siamfc.initialize(scene((290, 100, 40, 40)), {"init_bbox": (290, 100, 40, 40)})
    rng = np.random.default_rng(0)
    for _ in range(12):
        out = siamfc.track(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8))["target_bbox"]
        assert (center(out) >= 0).all() and (center(out) <= (320, 240)).all()
        assert 30 <= out[2] <= 240


def test_frames_may_change_their_size() -> None:
    siamfc = tracker()
    siamfc.initialize(scene((290, 200, 25, 30)), {"init_bbox": (290, 200, 25, 30)})
    out = siamfc.track(scene((20, 20, 25, 30), height=100, width=120))["target_bbox"]
    assert (center(out) <= (120, 100)).all()


def test_a_featureless_frame_keeps_the_box() -> None:
    flat = np.full((240, 320, 3), 90, np.uint8)
    siamfc = tracker(ColourNet(gain=0))
    siamfc.initialize(flat, {"init_bbox": (100, 100, 40, 40)})
    np.testing.assert_allclose(center(siamfc.track(flat)["target_bbox"]), (120, 120), atol=0.5)


def test_a_running_average_template_follows_a_changing_target() -> None:
    box = (130, 90, 50, 40)
    templates = []
    for rate in (0.0, 0.5):
        siamfc = tracker(template_lr=rate)
        siamfc.initialize(scene(box), {"init_bbox": box})
        first = siamfc.template.clone()
        siamfc.track(np.roll(scene(box), 1, axis=2))
        templates.append(torch.equal(first, siamfc.template))
    assert templates == [True, False]


def test_tracking_changes_neither_the_weights_nor_their_memory_order() -> None:
    network = ColourNet()
    tracker(network).initialize(scene((130, 90, 50, 40)), {"init_bbox": (130, 90, 50, 40)})
    assert network.weight.is_contiguous() and network.weight.requires_grad


def test_a_negative_response_is_penalised_too() -> None:
    assert select_scale(np.array([-0.99, -1.0, -5.0]), 0.9) == 1
    assert select_scale(np.array([-0.8, -1.0, -5.0]), 0.9) == 0


def test_a_network_that_cannot_be_compared_with_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"correlate\(template, search\); Linear is none"):
        SiamFCTracker(SiamFCParams(network=nn.Linear(1, 1)))


class Convolved(ColourNet):
    """Compares what a convolution makes of the colours, and notes in what precision."""

    def __init__(self) -> None:
        super().__init__()
        self.types: list[torch.dtype] = []

    def forward(self, images: Tensor) -> Tensor:
        mixed = functional.conv2d(super().forward(images), torch.eye(3)[:, :, None, None] * 0.7 + 0.1)
        self.types.append(mixed.dtype)
        return mixed

    def correlate(self, template: Tensor, search: Tensor) -> Tensor:
        self.types.append(search.dtype)
        return super().correlate(template, search)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_only_the_network_is_computed_in_another_precision(precision: str) -> None:
    network = Convolved()
    moved = tracker(network, precision=precision)
    moved.initialize(scene((120, 80, 48, 48)), {"init_bbox": [120, 80, 48, 48]})
    output = moved.track(scene((137, 67, 48, 48)))
    assert moved.network.types == [getattr(torch, precision)] * 2 + [torch.float32]
    np.testing.assert_allclose(center(output["target_bbox"]), [161, 91], atol=1.5)


def test_it_works_on_a_copy_without_batch_norms_that_sees_the_same() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18().train()
    images = torch.rand(2, 3, 127, 127) * 255
    with torch.no_grad():
        net(images)  # so that the statistics are not those of the start
    before = {name: value.clone() for name, value in net.state_dict().items()}
    own = tracker(net).network
    assert isinstance(own, nn.Module) and not any(isinstance(module, nn.BatchNorm2d) for module in own.modules())
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    with torch.no_grad():
        torch.testing.assert_close(own(images), net.eval()(images), atol=1e-5, rtol=1e-4)


def test_what_cannot_be_folded_stays() -> None:
    odd = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    assert isinstance(folded(odd)[1], nn.BatchNorm2d)


@pytest.mark.parametrize(("name", "unit"), [("imagenet_res18", False), ("imagenet_res18_unit", True)])
def test_named_sets_compare_imagenets_features_as_they_are_or_as_unit_vectors(
    name: str, unit: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltr.models.backbone.resnet._load_imagenet", lambda *_: None)  # weights do not matter here
    found = SiamFCTracker(PARAMETERS[f"siamfc/{name}"]()).network(255 * torch.rand(1, 3, 127, 127))  # type: ignore[arg-type]
    lengths = found.norm(dim=1)
    assert torch.allclose(lengths, torch.ones_like(lengths), atol=1e-4) == unit
