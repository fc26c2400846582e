"""DiMP's networks compute what the public implementation computes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltr.models.builder import build_network
from ltr.models.loss.lb_hinge import lb_hinge
from ltr.models.target_classifier.residual import activate, center_distance_map, radial, slope
from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18

NETWORK: list[DiMPNet] = []


@pytest.fixture
def network(golden: Any) -> Iterator[DiMPNet]:
    """DiMP-18 with the golden parameters, in evaluation mode."""
    if not NETWORK:
        NETWORK.append(dimpnet18())
    shapes = json.loads((golden.folder / "dimp18.keys.json").read_text())["state_dict"]
    NETWORK[0].load_state_dict(golden.fill.fill_state_dict(shapes))
    yield NETWORK[0].eval().requires_grad_(True)
    NETWORK[0].zero_grad(set_to_none=True)


def images(golden: Any, seeds: range) -> Tensor:
    return torch.from_numpy(np.stack([golden.fill.image(seed, 288, 288) for seed in seeds])).permute(0, 3, 1, 2)


@pytest.mark.parametrize("name", ["dimp18", "dimp50"])
def test_the_state_dict_is_that_of_the_published_weights(golden: Any, name: str) -> None:
    table = json.loads((golden.folder / f"{name}.keys.json").read_text())
    with torch.device("meta"):
        net = build_network(name.replace("dimp", "dimpnet"))
    assert {key: list(value.shape) for key, value in net.state_dict().items()} == table["state_dict"]
    assert list(net.state_dict()) == list(table["state_dict"])
    assert {key for key, _ in net.named_parameters()} == set(table["parameters_in_order"])


def test_the_classification_branch(golden: Any, network: DiMPNet) -> None:
    arrays = golden.arrays("dimp18")
    boxes = torch.from_numpy(arrays["train_boxes"]).float()[:, None]
    classifier = network.classifier
    with torch.no_grad():
        train, test = (network.extract_backbone(images(golden, seeds)) for seeds in (range(100, 103), range(200, 202)))
        for name, features in (("train", train), ("test", test)):
            for layer, value in features.items():
                golden.close(arrays, f"{name}_{layer}", value)
        seen, sought = classifier.extract(train["layer3"]), classifier.extract(test["layer3"])
        golden.close(arrays, "train_clf_feat", seen)
        golden.close(arrays, "test_clf_feat", sought)
        path = classifier.get_filter(seen[:, None], boxes)
        golden.close(arrays, "filter_init", path.filters[0])
        golden.close(arrays, "filter_iterates", torch.stack(path.filters))
        golden.close(arrays, "losses", path.losses)
        scores = [classifier.classify(filters, sought[:, None]) for filters in path.filters]
        golden.close(arrays, "scores_per_iterate", torch.stack(scores))
        golden.close(arrays, "losses_10iter", classifier.get_filter(seen[:, None], boxes, iterations=10).losses)
        weight = torch.from_numpy(arrays["sample_weight"]).float()[:, None]
        update = classifier.filter_optimizer(path.filters[-1], seen[:, None], boxes, weight, 2)
        golden.close(arrays, "update_filter", update.filters[-1])
        golden.close(arrays, "update_losses", update.losses)
        golden.close(arrays, "update_scores", classifier.classify(update.filters[-1], sought[:, None]))


def test_the_box_branch(golden: Any, network: DiMPNet) -> None:
    arrays = golden.arrays("dimp18")
    boxes = torch.from_numpy(arrays["train_boxes"]).float()
    branch = network.bb_regressor
    with torch.no_grad():
        train, test = (network.extract_backbone(images(golden, range(n, n + 1))) for n in (100, 200))
        modulation = branch.modulation((train["layer2"], train["layer3"]), boxes[:1])
        golden.close(arrays, "iou_modulation3", modulation.stride8[..., None, None])
        golden.close(arrays, "iou_modulation4", modulation.stride16[..., None, None])
        features = branch.iou_features((test["layer2"], test["layer3"]))
        golden.close(arrays, "iou_feat3", features[0])
        golden.close(arrays, "iou_feat4", features[1])
    proposals = torch.from_numpy(arrays["proposals"]).float()[None].requires_grad_()
    predicted = branch.predict_iou(modulation, features, proposals)
    golden.close(arrays, "iou_pred", predicted)
    gradient = torch.autograd.grad(predicted.sum(), proposals)[0]
    golden.close(arrays, "iou_grad_box", gradient)


@dataclass
class Step:
    scores: Tensor
    iou: Tensor


def whole_step(golden: Any, arrays: Any, network: DiMPNet) -> Step:
    """The forward pass of training on two sequences."""
    train = images(golden, range(300, 306)).reshape(3, 2, 3, 288, 288)
    test = images(golden, range(400, 404)).reshape(2, 2, 3, 288, 288)
    boxes, proposals = (torch.from_numpy(arrays[name]).float() for name in ("fw_train_boxes", "fw_proposals"))
    scores, iou = network(train, test, boxes, proposals)
    return Step(torch.stack(scores), iou)


def test_the_forward_pass_of_training(golden: Any, network: DiMPNet) -> None:
    arrays = golden.arrays("dimp18")
    with torch.no_grad():
        step = whole_step(golden, arrays, network)
    golden.close(arrays, "fw_scores", step.scores)
    golden.close(arrays, "fw_iou_pred", step.iou)


@pytest.mark.long
def test_a_training_step_has_the_losses_statistics_and_gradients_of_the_reference(
    golden: Any, network: DiMPNet
) -> None:
    arrays = golden.arrays("dimp18")
    network.train()
    step = whole_step(golden, arrays, network)
    golden.close(arrays, "train_scores", step.scores, 5e-4)
    labels = torch.from_numpy(arrays["fw_labels"])
    losses = torch.stack([lb_hinge(scores, labels, 0.05) for scores in step.scores])
    golden.close(arrays, "train_loss_clf_per_iterate", losses, 5e-4)
    iou_loss = torch.nn.functional.mse_loss(step.iou, torch.from_numpy(arrays["fw_gt_iou"]).float())
    golden.close(arrays, "train_loss_iou", iou_loss, 5e-4)
    total = iou_loss + 100 * (losses[-1] + losses[0]) + 400 * losses[1:-1].mean()
    golden.close(arrays, "train_loss_total", total, 5e-4)
    total.backward()
    table = json.loads((golden.folder / "dimp18.keys.json").read_text())
    parameters = dict(network.named_parameters())
    gradients = [parameters[name].grad for name in table["parameters_in_order"]]
    norms = np.array([0.0 if gradient is None else float(gradient.norm()) for gradient in gradients])
    expected = arrays["train_grad_norm"]
    assert (np.abs(norms - expected) <= 5e-3 * expected + 4e-3 * expected.max()).all()
    means = [float(value.norm()) for key, value in network.state_dict().items() if key.endswith("running_mean")]
    golden.close(arrays, "train_bn_running_mean_norm", np.array(means), 5e-4)


@pytest.mark.parametrize("threshold", [None, 0.05, 0.3])
@pytest.mark.parametrize("largest", [None, 0.1])
def test_the_hinge_on_the_background(golden: Any, threshold: float | None, largest: float | None) -> None:
    arrays = golden.arrays("dimp_loss")
    prediction = torch.from_numpy(arrays["lbhinge/prediction"]).requires_grad_()
    loss = lb_hinge(prediction, torch.from_numpy(arrays["lbhinge/label"]), threshold, largest)
    name = f"lbhinge/threshold_{threshold}_clip_{largest}"
    golden.close(arrays, name, loss)
    golden.close(arrays, f"{name}/grad", torch.autograd.grad(loss, prediction)[0])


def test_the_score_activations(golden: Any) -> None:
    arrays = golden.arrays("dimp_loss")
    x, a = torch.from_numpy(arrays["leaky/x"]), torch.from_numpy(arrays["leaky/a"])
    golden.close(arrays, "leaky/value", activate(x, a))
    golden.close(arrays, "leaky/deriv", slope(x, a))
    golden.close(arrays, "bentpar/value_b1", activate(x, a, "bentpar", 1.0))
    golden.close(arrays, "bentpar/deriv_b1", slope(x, a, "bentpar", 1.0))


@pytest.mark.parametrize("filled", [False, True])
def test_the_learned_functions_of_the_distance(golden: Any, network: DiMPNet, filled: bool) -> None:
    arrays = golden.arrays("dimp_loss")
    optimizer = (network if filled else dimpnet18()).classifier.filter_optimizer
    kind = "residual_filled" if filled else "residual_init"
    with torch.no_grad():
        for name, parameter in optimizer.state_dict().items():
            golden.close(arrays, f"{kind}/param/{name}", parameter)
        distance = torch.from_numpy(arrays[f"{kind}/row/distance"]).float()
        found = optimizer.radial_functions(distance)
        for name in ("label", "mask", "weight"):
            golden.close(arrays, f"{kind}/row/{name}", getattr(found, name))
        each = torch.eye(100)  # every basis function by itself
        golden.close(arrays, f"{kind}/row/bins", radial(each, distance, 0.1)[None, :, None])
        for cells, filter_size in ((19, 4), (23, 4)):
            boxes = torch.from_numpy(arrays[f"{kind}/out{cells}/boxes"]).float()[:, None]
            maps = optimizer.loss_maps(boxes, (cells - 1, cells - 1), (filter_size, filter_size))
            for name in ("label", "mask", "weight"):
                golden.close(arrays, f"{kind}/out{cells}/{name}", getattr(maps, name)[:, 0])
            centers = torch.from_numpy(arrays[f"{kind}/out{cells}/center_yx"])
            golden.close(
                arrays, f"{kind}/out{cells}/center_yx", ((boxes[:, 0, :2] + boxes[:, 0, 2:] / 2) / 16).flip(-1)
            )
            bins = radial(each, center_distance_map(centers, (cells, cells)), 0.1).transpose(0, 1)
            golden.close(arrays, f"{kind}/out{cells}/distance_map", bins)


@pytest.mark.parametrize("name", ["dimpnet18", "dimpnet50"])
def test_before_training_the_weights_are_distributed_as_in_the_release(name: str) -> None:
    torch.manual_seed(0)
    net: Any = build_network(name)
    classifier = net.classifier
    convolutions = [part for part in classifier.feature_extractor.modules() if isinstance(part, torch.nn.Conv2d)]
    for conv in (*convolutions, classifier.filter_initializer.filter_conv):
        expected = (2 / (9 * conv.out_channels)) ** 0.5
        assert float(conv.weight.detach().std()) == pytest.approx(expected, rel=0.01)
    norms = [part for part in net.bb_regressor.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    weights = torch.cat([norm.weight for norm in norms])
    assert 0 <= weights.min() < 0.01 and 0.99 < weights.max() <= 1, "uniform in (0, 1)"
    assert float(weights.detach().mean()) == pytest.approx(0.5, abs=0.03)
    assert all(not norm.bias.any() for norm in norms)


@pytest.mark.parametrize("name", ["dimpnet18", "dimpnet50"])
def test_all_of_the_network_learns_unless_layers_are_named(name: str) -> None:
    net = build_network(name).train()
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert all(module.training for module in net.modules())
