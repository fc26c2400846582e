"""What SiamFC sees of a pair of frames with boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.actors import SiamFCActor
from ltr.data.processing import CropSettings, PairAugmentation, SiamFCProcessing
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import HorizontalFlip, Translate
from ltr.models.tracking import siamfc_alexnet, siamfc_resnet18


def pair(box: tuple[float, float, float, float]) -> TensorDict:
    """Two grey frames with a white target in each."""
    image = np.full((200, 300, 3), 90, np.uint8)
    x, y, w, h = map(int, box)
    image[y : y + h, x : x + w] = 255
    data = TensorDict(dataset="test", seq_id=0)
    for part in ("train", "test"):
        data[f"{part}_images"], data[f"{part}_anno"] = [image], [torch.tensor(box)]
    return data


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_the_centre_is_that_of_what_the_crop_shows(flip: float) -> None:
    processing = SiamFCProcessing(CropSettings(), augmentation=PairAugmentation(joint=HorizontalFlip(flip)))
    for seed in range(10):
        data = processing(pair((130.0, 80.0, 30.0, 20.0)), np.random.default_rng(seed))
        for part, size in (("train", 127), ("test", 192)):
            image, center = data[f"{part}_images"], data[f"{part}_center"]
            assert image.shape == (3, size, size) and image.dtype == torch.uint8
            white = (image[0] > 170).nonzero().float().mean(dim=0).flip(0) + 0.5
            assert (white - center).abs().max() < 1.5
        assert (data["train_center"] - 63.5).abs().max() < 2, "the template shows the target in its middle"


def test_template_and_search_crop_have_the_tracker_s_magnification() -> None:
    processing = SiamFCProcessing(CropSettings(scale_jitter=0, shift=0))
    data = processing(pair((130.0, 80.0, 30.0, 30.0)), np.random.default_rng(0))
    for part in ("train", "test"):
        width = (data[f"{part}_images"][0, int(data[f"{part}_center"][1])] > 170).sum()
        assert abs(int(width) - 64) <= 2, "a square target of 30 pixels is 64 wide"


def test_the_frames_of_a_pair_are_mirrored_alike_or_apart() -> None:
    for apart, expected in (
        (0.0, {(False, False), (True, True)}),
        (1.0, {(a, b) for a in (False, True) for b in (False, True)}),
    ):
        augmentation = PairAugmentation(joint=HorizontalFlip(0.5), own=Translate(1.0), apart=apart)
        rng = np.random.default_rng(0)
        drawn = [augmentation.draw(rng) for _ in range(40)]
        assert {(one.scale[0] < 0, other.scale[0] < 0) for one, other in drawn} == expected
    with pytest.raises(ValueError, match="apart"):
        PairAugmentation(apart=1.5)


def test_the_label_lies_where_template_and_search_crop_show_the_same_place() -> None:
    """A template that is cut out of the search crop is found, by an untrained network, where the label is."""
    torch.manual_seed(0)
    search = torch.randint(0, 255, (1, 3, 191, 191), dtype=torch.uint8)
    for net in (siamfc_alexnet(normalise=True).eval(), siamfc_resnet18(border=3).eval()):
        for left, top in ((0, 0), (32, 8), (48, 64)):
            data = TensorDict(
                train_images=search[..., top : top + 127, left : left + 127],
                test_images=search,
                train_center=torch.tensor([[63.5, 63.5]]),
                test_center=torch.tensor([[63.5 + left, 63.5 + top]]),
            )
            with torch.no_grad():
                actor = SiamFCActor(net)
                actor.radius = 0.1  # the very cell; too few to learn from, so no recipe can say it
                _, stats = actor(data)
            assert stats["Hits/search"] == 1


def test_learning_from_boxes_makes_the_loss_fall() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18("layer1", stride=4, border=2, calibrated=True)
    processing = SiamFCProcessing(CropSettings(size=96, shift=0.15), template_size=63)
    rng = np.random.default_rng(0)
    samples = [processing(pair((130.0, 80.0, 30.0, 30.0)), rng) for _ in range(4)]
    keys = [f"{part}_{key}" for part in ("train", "test") for key in ("images", "center")]
    data = TensorDict({key: torch.stack([sample[key] for sample in samples]) for key in keys})
    actor = SiamFCActor(net)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        loss, _ = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert net.calibration is not None and net.calibration.grad is not None and net.calibration.grad.abs().sum() > 0
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("wrong", "name"), [({"size": 0}, "size"), ({"shift": 0.5}, "shift"), ({"scale_jitter": -1}, "jitter")]
)
def test_an_impossible_crop_is_refused_by_name(wrong: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        CropSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="template_size"):
        SiamFCProcessing(CropSettings(size=96), template_size=127)
