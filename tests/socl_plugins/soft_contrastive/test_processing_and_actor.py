"""What the network sees of a frame, and the learning step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ltr.data.processing import PairAugmentation
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import HorizontalFlip
from ltr.models.tracking import FeatureGrid, siamfc_resnet18
from socl_plugins.soft_contrastive import SoftContrastiveSettings
from socl_plugins.soft_contrastive.actor import SoCLActor
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm
from socl_plugins.top_map import Proposals


def sample(point: tuple[float, float] = (100.0, 60.0), size: float = 40.0) -> TensorDict:
    """A pair of frames with one white pixel block at the click, and proposals around it."""
    image = np.zeros((120, 200, 3), np.uint8)
    x, y = map(int, point)
    image[y - 2 : y + 2, x - 2 : x + 2] = 255
    boxes = [[point[0] - s / 2, point[1] - s / 2, s, s] for s in (size, 0.8 * size, 1.2 * size)]
    proposals = Proposals(np.array(boxes, np.float32), np.full(3, 0.5, np.float32))
    data = TensorDict(dataset="test", seq_id=0)
    for part in ("train", "test"):
        data |= {
            f"{part}_images": [image],
            f"{part}_point": [torch.tensor(point)],
            f"{part}_proposals": [proposals],
        }
    return TensorDict(data)


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("border", [0, 2])
def test_image_click_and_map_are_cropped_shifted_and_flipped_together(flip: float, border: int) -> None:
    processing = SoftContrastiveProcessing(
        TopMapCropSettings(size=96), FeatureGrid(12 - 2 * border, 8, 8 * border), PairAugmentation(HorizontalFlip(flip))
    )
    for seed in range(10):
        data = processing(sample(), np.random.default_rng(seed))
        for part in ("train", "test"):
            image, point, top = data[f"{part}_images"], data[f"{part}_point"], data[f"{part}_top"]
            assert image.shape == (3, 96, 96) and image.dtype == torch.uint8
            assert top.shape == (12 - 2 * border,) * 2 and float(top.sum()) == pytest.approx(1, abs=1e-5)
            bright = (image[0] > 128).nonzero().float().mean(dim=0).flip(0) + 0.5
            assert (bright - point).abs().max() < 1.5, "the click stays on what was clicked"
            cells = (torch.arange(12 - 2 * border) + border + 0.5) * 8
            center = torch.stack([(top.sum(0) * cells).sum(), (top.sum(1) * cells).sum()])
            assert (center - point).abs().max() < 10, "the map stays on what was clicked"


def test_the_target_is_not_always_in_the_middle_of_the_crop() -> None:
    processing = SoftContrastiveProcessing(TopMapCropSettings(size=96, shift=0.25), FeatureGrid(12, 8, 0))
    rng = np.random.default_rng(0)
    points = torch.stack([processing(sample(), rng)["train_point"] for _ in range(100)])
    assert points.min() < 30 and points.max() > 66
    assert points.min() > 20 and points.max() < 76


def test_the_target_has_one_size_in_the_crop_whatever_its_size_in_the_frame() -> None:
    processing = SoftContrastiveProcessing(TopMapCropSettings(size=96, scale_jitter=0, shift=0), FeatureGrid(12, 8, 0))
    small, large = (processing(sample(size=size), np.random.default_rng(0)) for size in (20.0, 40.0))
    torch.testing.assert_close(small["train_top"], large["train_top"], atol=2e-3, rtol=0)


def test_a_size_that_was_told_sets_the_scale_of_the_crop() -> None:
    processing = SoftContrastiveProcessing(TopMapCropSettings(size=96, scale_jitter=0, shift=0), FeatureGrid(12, 8, 0))

    def white(told: float | None) -> float:
        data = sample(size=40.0)
        if told:
            data |= {f"{part}_size": [torch.tensor([told, told])] for part in ("train", "test")}
        return float((processing(data, np.random.default_rng(0))["train_images"][0].float() / 255).sum())

    assert white(20.0) == pytest.approx(4 * white(40.0), rel=0.1), "half the size, so twice as large, in each direction"
    assert white(40.0) == pytest.approx(white(None), rel=0.15), "the mean proposal is 40 pixels wide"


def test_a_crop_too_small_for_the_network_is_refused() -> None:
    with pytest.raises(ValueError, match="feature cells"):
        SoftContrastiveProcessing(TopMapCropSettings(size=32), FeatureGrid(1, 8, 16))
    with pytest.raises(ValueError, match="too few"):
        siamfc_resnet18(border=2).grid(32)


def batch(net: nn.Module, pairs: int = 2) -> TensorDict:
    processing = SoftContrastiveProcessing(TopMapCropSettings(size=64), net.grid(64))
    rng = np.random.default_rng(0)
    samples = [processing(sample(), rng) for _ in range(pairs)]
    keys = [f"{part}_{key}" for part in ("train", "test") for key in ("images", "top", "point")]
    stacked = {key: torch.stack([one[key] for one in samples]) for key in keys}
    return TensorDict(stacked, dataset=["test"] * pairs, seq_id=torch.arange(pairs))


def test_the_actor_returns_a_loss_with_gradients_and_its_parts() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18(output_layer="layer1", border=1)
    loss, stats = SoCLActor(net)(batch(net))
    loss.backward()
    assert stats["Loss/total"] == pytest.approx(loss.item())
    assert stats["Loss/total"] == pytest.approx(
        sum(stats[f"Loss/{part}"] for part in ("global", "local_other", "local_own")), rel=1e-5
    )
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in net.parameters())


def test_the_term_on_the_response_comes_on_top_and_is_of_what_the_tracker_compares() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18(output_layer="layer1", border=1, projection=True)
    data = batch(net)
    term = ResponseTerm(ResponseSettings(weight=3.0), net.grid(64), template_cells=2, factor=1 / 4)
    loss, stats = SoCLActor(net, response=term)(data)
    names = ("global", "local_other", "local_own")
    assert stats["Loss/total"] == pytest.approx(
        sum(stats[f"Loss/{name}"] for name in names) + 3 * stats["Loss/response"], rel=1e-5
    )
    images = torch.cat([data["train_images"], data["test_images"]]).float()
    points = torch.cat([data["train_point"], data["test_point"]])
    assert stats["Loss/response"] == pytest.approx(term(net(images), points).item(), rel=1e-4)


def test_maps_that_do_not_lie_on_the_features_are_refused() -> None:
    net = siamfc_resnet18(output_layer="layer1", border=1)
    data = batch(net)
    data["train_top"] = data["train_top"][:, 1:]
    data["test_top"] = data["test_top"][:, 1:]
    with pytest.raises(ValueError, match="feature cells"):
        SoCLActor(net)(data)


def test_frozen_norm_layers_keep_their_statistics() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18(output_layer="layer1", border=1)
    for frozen in (True, False):
        before = net.backbone.bn1.running_mean.clone()
        actor = SoCLActor(net, SoftContrastiveSettings(), frozen_norm=frozen)
        actor.train()
        actor(batch(net))
        assert torch.equal(before, net.backbone.bn1.running_mean) == frozen
