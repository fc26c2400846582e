"""SiamFC's networks are those of the public implementations, value by value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltr.admin.checkpoint import CheckpointError
from ltr.models.loss.balanced_bce import balanced_bce, center_labels
from ltr.models.tracking import SiamFCNet, siamfc_alexnet, siamfc_resnet18, siamfc_resnet22


def shapes(golden: Any, name: str) -> dict[str, list[int]]:
    return json.loads((golden.folder / f"{name}.keys.json").read_text())["state_dict"]


def images(golden: Any, seeds: tuple[int, int], size: int) -> torch.Tensor:
    stacked = np.stack([golden.fill.image(seed, size, size).transpose(2, 0, 1) for seed in seeds])
    return torch.from_numpy(stacked).float()


@pytest.fixture
def reference(golden: Any) -> SiamFCNet:
    """SiamFC with the weights that the golden values were computed with."""
    net = siamfc_alexnet()
    net.load_state_dict(golden.fill.fill_state_dict(shapes(golden, "siamfc")))
    return net.eval()


def test_state_dict_keys_and_shapes_are_those_of_the_published_weights(golden: Any) -> None:
    for net, name, size in (
        (siamfc_alexnet(), "siamfc", 2_336_320),
        (siamfc_resnet22(), "siamdw_resnet22", 1_444_928),
    ):
        found = {key: list(value.shape) for key, value in net.state_dict().items()}
        assert found == shapes(golden, name) and list(found) == list(shapes(golden, name))
        assert sum(parameter.numel() for parameter in net.parameters()) == size


def test_features_responses_labels_and_loss_agree_with_the_reference(golden: Any, reference: SiamFCNet) -> None:
    arrays = golden.arrays("siamfc")
    with torch.no_grad():
        template = reference(images(golden, (32, 33), 127))
        golden.close(arrays, "feat_z", template)
        for size, seeds in ((255, (34, 35)), (239, (36, 37))):
            search = reference(images(golden, seeds, size))
            golden.close(arrays, f"feat_x{size}", search)
            response = reference.correlate(template, search)
            golden.close(arrays, f"response_{size}", response)
            cells = response.shape[-1]
            labels = center_labels(torch.full((1, 2), (cells - 1) / 2), (cells, cells))
            np.testing.assert_array_equal(labels, arrays[f"labels_{size}"])
            loss = balanced_bce(reference.logits(response), labels.expand_as(response))
            golden.close(arrays, f"loss_{size}", loss)


def test_loss_and_gradients_of_a_training_step_agree_with_the_reference(golden: Any, reference: SiamFCNet) -> None:
    arrays = golden.arrays("siamfc")
    reference.train()
    response = reference.correlate(reference(images(golden, (32, 33), 127)), reference(images(golden, (36, 37), 239)))
    loss = balanced_bce(response, torch.from_numpy(arrays["labels_239"]).expand_as(response))
    loss.backward()
    golden.close(arrays, "train_loss_239", loss)
    norms = np.array([float(parameter.grad.norm()) for parameter in reference.parameters()])  # type: ignore[union-attr]
    expected = arrays["train_grad_norm"]
    assert (np.abs(norms - expected) <= 5e-3 * expected + 4e-3 * expected.max()).all()


def test_published_weights_are_read_from_a_file_and_checked(tmp_path: Path) -> None:
    torch.manual_seed(1)
    given = siamfc_resnet22().state_dict()
    torch.save(given, tmp_path / "weights.pth")
    read = siamfc_resnet22(weights=tmp_path / "weights.pth").state_dict()
    assert torch.equal(read.pop("features.conv1.weight"), given["features.conv1.weight"].flip(1)), "from BGR to RGB"
    assert all(torch.equal(given[key], value) for key, value in read.items())
    with pytest.raises(CheckpointError, match="do not fit"):
        siamfc_alexnet(weights=tmp_path / "weights.pth")


@pytest.mark.parametrize("build", [siamfc_alexnet, siamfc_resnet22])
def test_features_of_a_cropping_network_do_not_know_where_they_are(build: Any) -> None:
    torch.manual_seed(0)
    net = build().eval()
    picture = 255 * torch.rand(1, 3, 143, 143)
    with torch.no_grad():
        whole, part = net(picture), net(picture[..., 16:, 16:])
    assert torch.allclose(whole[..., 2:, 2:], part, atol=1e-4 * float(part.abs().max()))


@pytest.mark.parametrize("build", [siamfc_alexnet, siamfc_resnet22, lambda: siamfc_resnet18(border=2)])
def test_the_grid_says_which_pixels_a_cell_is_of(build: Any) -> None:
    """What a cell answers to, averaged over random pictures, is centred where the grid says that the cell lies."""
    torch.manual_seed(0)
    net = build().eval()
    grid = net.grid(167)
    total = torch.zeros(167)
    for _ in range(4):
        picture = (255 * torch.rand(1, 3, 167, 167)).requires_grad_()
        features = net.get_submodule(net.backbone_name)(picture)
        features = features[
            ..., net.border : features.shape[-1] - net.border, net.border : features.shape[-1] - net.border
        ]
        assert features.shape[-1] == grid.cells
        cell = grid.cells // 2
        (slope,) = torch.autograd.grad(features[0, :, cell, cell].abs().sum(), picture)
        total += slope.abs().sum(dim=(0, 1, 2))
    center = float((total * (torch.arange(167) + 0.5)).sum() / total.sum())
    assert abs(center - (grid.start + (cell + 0.5) * grid.stride)) < 1.5
    assert net.training is False


def test_a_crop_that_is_too_small_for_the_network_is_refused() -> None:
    with pytest.raises(ValueError, match="a crop of 40 pixels is too small for AlexNetBackbone"):
        siamfc_alexnet().grid(40)


def test_a_projection_head_serves_the_loss_and_not_the_tracker() -> None:
    torch.manual_seed(0)
    net = siamfc_resnet18("layer1", projection=True)
    picture = 255 * torch.rand(1, 3, 64, 64)
    features, embedded = net(picture), net.embed(picture)
    assert features.shape[1] == 64 and embedded.shape[1] == 64 and not torch.allclose(features, embedded)
    torch.testing.assert_close(embedded.norm(dim=1), torch.ones_like(embedded[:, 0]))
    wide = siamfc_alexnet(projection=True)
    assert wide.embed(torch.zeros(1, 3, 127, 127)).shape[1] == 64 and wide(torch.zeros(1, 3, 127, 127)).shape[1] == 256
    plain = siamfc_resnet18("layer1")
    assert torch.equal(plain.embed(picture), plain(picture))


def test_only_a_calibrated_network_changes_responses_to_make_logits_of_them() -> None:
    response = torch.tensor([0.2, 0.8])
    assert torch.equal(siamfc_alexnet().logits(response), response)
    logits = siamfc_resnet18(calibrated=True).logits(response)
    assert logits[0] < 0 < logits[1]


@pytest.mark.parametrize("build", [siamfc_resnet18, siamfc_alexnet])
@pytest.mark.parametrize("projection", [False, True])
def test_without_normalisation_features_stay_as_the_backbone_leaves_them(build: Any, projection: bool) -> None:
    torch.manual_seed(0)
    net = build(normalise=False, projection=projection).eval()
    picture = 255 * torch.rand(1, 3, 127, 127)
    with torch.no_grad():
        features, embedded = net.features_and_embedding(picture)
        left = net.get_submodule(net.backbone_name)(picture)
        trimmed = left[..., net.border : left.shape[-2] - net.border, net.border : left.shape[-1] - net.border]
        assert torch.equal(features, trimmed) and torch.equal(net(picture), trimmed)
        torch.testing.assert_close(embedded, net.projection(trimmed) if projection else trimmed)
        factor = 1e-3 if build is siamfc_alexnet else 1 / features[0, 0].numel()
        expected = factor * float(features.square().sum())
        assert net.correlate(features, features).item() == pytest.approx(expected, rel=1e-5)


def test_calibration_starts_where_it_tells_little_apart() -> None:
    """Whatever a response is: SiamFC's logits stay; dot products of features 2.6 long are like cosines."""
    response = torch.tensor([0.3, 0.7])
    unit = siamfc_resnet18(calibrated=True).logits(response)
    raw = siamfc_resnet18(normalise=False, calibrated=True).logits(2.6**2 * response)
    torch.testing.assert_close(raw, unit)
    own = siamfc_alexnet(calibrated=True).logits(response)
    torch.testing.assert_close(own, response)


def test_target_and_background_have_half_the_weight_each() -> None:
    labels = torch.tensor([1.0, 0.0, 0.0, 0.0])
    # All logits 0 cost log 2 wherever the weights are; a wrong one costs its share of the weight.
    assert float(balanced_bce(torch.zeros(4), labels)) == pytest.approx(np.log(2))
    wrong = float(balanced_bce(torch.tensor([-20.0, -20.0, -20.0, -20.0]), labels))
    assert wrong == pytest.approx(20 / 2, rel=1e-6)
    assert float(balanced_bce(torch.zeros(4), torch.zeros(4))) == pytest.approx(np.log(2)), (
        "one kind has all the weight"
    )


def test_labels_are_one_within_an_l1_distance_of_the_centre() -> None:
    labels = center_labels(torch.tensor([[2.0, 1.0], [9.0, 9.0]]), (4, 5), radius=1.0)
    assert labels.shape == (2, 1, 4, 5)
    assert labels[0, 0].nonzero().tolist() == [[0, 2], [1, 1], [1, 2], [1, 3], [2, 2]]
    assert not labels[1].any(), "a target outside the response has no cell"
