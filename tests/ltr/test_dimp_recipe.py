"""``run_training.py dimp dimp18``, small, and the learning step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.actors.dimp import DiMPActor, DiMPLossSettings
from ltr.admin.checkpoint import best_checkpoint, load_network
from ltr.config.overrides import flat
from ltr.config.run import build_optimizer
from ltr.data.tensordict import TensorDict
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.builder import build_network
from ltr.models.target_classifier.residual import activate
from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18, dimpnet50
from pytracking.registry import PARAMETERS
from tests.recipes import SMALL_DIMP, as_words, assembled, recipe

SMALL = {**SMALL_DIMP, "network.optim_iter": 2}


# A network learns and tracks: some seconds.
@pytest.mark.long
def test_from_boxes_to_a_network_that_can_be_loaded(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_training.main(["dimp", "dimp18", "--device", "cpu", *as_words(SMALL)]) == 0
    output = capsys.readouterr().out
    assert "learning from embedded" in output and "schedule: short" in output and "run_tracker.py dimp dimp18" in output
    network = load_network(best_checkpoint("dimp/dimp18"))
    assert isinstance(network, DiMPNet) and network.classifier.filter_optimizer.iterations == 2


def test_the_schedules_are_the_papers() -> None:
    small, large = recipe("dimp/dimp18", schedule="paper"), recipe("dimp/dimp50", schedule="paper")
    assert (small.schedule.epochs, small.schedule.samples_per_epoch) == (50, 20_000)
    assert (small.schedule.decay_epochs, small.schedule.decay_factor) == ((15, 30, 45), 0.2), "section 3.6"
    settings = flat(small)
    assert (settings["network.optim_iter"], settings["sampler.max_gap"], settings["sampler.num_test_frames"]) == (
        5,
        30,
        3,
    )
    assert settings["processing.train.factor"] == 5 and small.data.sets[1:] == ("lasot", "trackingnet", "coco")
    assert small.schedule.batch_size == 26 and large.schedule.batch_size == 10, "the release's"
    assert settings["network.frozen_backbone_layers"] == [] == flat(large)["network.frozen_backbone_layers"]


def test_the_learning_rates_are_those_of_the_release() -> None:
    rates = {"filter_initializer": 5e-5, "filter_optimizer": 5e-4, "feature_extractor": 5e-5}
    shared = {f"classifier.{name}": rate for name, rate in rates.items()}
    for name, box_branch, backbone in (("dimp/dimp18", 1e-3, 2e-4), ("dimp/dimp50", 2e-4, 2e-5)):
        expected = {**shared, "bb_regressor": box_branch, "feature_extractor": backbone}
        assert recipe(name, schedule="paper").optimizer.rates == expected


def differences(one: str, other: str, schedule: str) -> dict[str, object]:
    first, second = flat(recipe(one, schedule=schedule)), flat(recipe(other, schedule=schedule))
    return {key: value for key, value in first.items() if value != second[key]}


def test_the_rows_of_table_1_are_their_differences() -> None:
    for schedule in ("short", "paper"):
        assert differences("dimp/dimp18_init", "dimp/dimp18", schedule) == {
            "network.optim_iter": 0,
            "score.parameters": "dimp/dimp18_init",
        }
        assert differences("dimp/dimp18_gd", "dimp/dimp18", schedule) == {
            "network.optimizer": "gradient",
            "score.parameters": "dimp/dimp18_gd",
        }


def test_super_dimp_is_its_differences_from_dimp50() -> None:
    expected = {
        "network.box_branch": "density",
        "network.frozen_backbone_layers": ["conv1", "bn1", "layer1", "layer2"],
        "network.init_gauss_sigma": pytest.approx(352 / 16 / 6 / 4),
        "sampler.max_gap": 100,
        "processing.train.size": 352,
        "processing.train.factor": 6.0,
        "processing.test.size": 352,
        "processing.test.factor": 6.0,
        "processing.test.center_jitter": 5.5,
        "processing.label.cells": 22,
        "processing.label.sigma_factor": pytest.approx(1 / 24),
        "processing.proposals.boxes_per_frame": 128,
        "processing.crop_type": "inside_major",
        "processing.max_scale_change": 1.5,
        "processing.transform.flip": 0.5,
        "processing.joint_transform.flip": 0.5,
        "actor.objective.iou": 0.01,
        "optimizer.rates.bb_regressor": 1e-3,
        "schedule.samples_per_epoch": 40_000,
        "schedule.batch_size": 20,
        "score.parameters": "dimp/super_dimp",
    }
    one, other = (flat(recipe(name, schedule="paper")) for name in ("dimp/super_dimp", "dimp/dimp50"))
    assert {key: one[key] for key in set(one) & set(other) if one[key] != other[key]} == expected
    proposals = {key.removeprefix("processing.proposals."): one[key] for key in set(one) - set(other)}
    assert proposals == {"sigmas": [0.05, 0.5], "true_sigma": 0.05}, "densities in place of overlaps"
    short = recipe("dimp/super_dimp").schedule
    assert short == recipe("dimp/dimp50").schedule, "a few minutes, whatever the paper's schedule"


# A network learns and tracks: some seconds.
@pytest.mark.long
def test_super_dimp_learns_and_tracks_under_its_name(workspace: Path) -> None:
    few = {**SMALL, "processing.proposals.boxes_per_frame": 8}
    assert run_training.main(["dimp", "super_dimp", "--device", "cpu", *as_words(few)]) == 0
    network = load_network(best_checkpoint("dimp/super_dimp"))
    assert isinstance(network, DiMPNet) and network.box_branch == "density"
    assert PARAMETERS["dimp/super_dimp"]().network == "dimp/super_dimp"
    assert len(network.frozen) == 4


# What table 2 adds one by one, and the parameters that learn because of it.
LADDER = {
    "network.initializer=false": "classifier.filter_initializer.",
    "network.frozen_backbone_layers=conv1,bn1,layer1,layer2,layer3": "feature_extractor.",
    "network.clf_feat_blocks=none": "classifier.feature_extractor.",
    "network.online_loss=hinge": "classifier.filter_optimizer.",
}


@pytest.mark.parametrize("setting", LADDER)
def test_the_columns_of_table_2_are_their_differences(setting: str) -> None:
    def learning(overrides: dict[str, str]) -> set[str]:
        network = recipe("dimp/dimp18", overrides).network
        with torch.device("cpu" if "network.online_loss" in overrides else "meta"):
            net = build_network(network.name, **network.options)
        unused = ("feature_extractor.layer4", "feature_extractor.fc")
        return {name for name, value in net.named_parameters() if value.requires_grad and not name.startswith(unused)}

    gone = learning({}) - learning(dict([setting.split("=")]))
    assert gone and all(name.startswith(LADDER[setting]) for name in gone)


@pytest.mark.parametrize("kind", ["hinge", "l2"])
def test_a_fixed_loss_is_that_of_equation_8_or_least_squares(kind: str) -> None:
    net = dimpnet18(online_loss=kind)  # type: ignore[arg-type]
    distance = torch.linspace(0, 12, 50)
    z = dimpnet18().classifier.filter_optimizer.radial_functions(distance).label
    maps = net.classifier.filter_optimizer.radial_functions(distance)
    sharp = (z - 0.05).abs() > 0.012  # apart from the one interval between knots in which the mask falls
    target = (z > 0.05) | (kind == "l2")
    torch.testing.assert_close(maps.mask[sharp], target[sharp].float())
    assert (maps.weight == 1).all() and sharp.sum() == 49
    scores = torch.linspace(-2, 2, 9)[:, None]
    residuals = activate(scores, maps.mask) - maps.label
    expected = torch.where(target, scores - z, scores.clamp(min=0))
    torch.testing.assert_close(residuals[:, sharp], expected[:, sharp])


def test_gradient_descent_has_a_step_for_each_coefficient_and_goes_downhill() -> None:
    torch.manual_seed(0)
    classifier = dimpnet18(optimizer="gradient").classifier
    assert tuple(classifier.filter_optimizer.get_parameter("log_step_lengths").shape) == (256, 4, 4)
    features = classifier.extract(torch.randn(2, 1, 256, 18, 18))
    boxes = torch.tensor([[[100.0, 100, 60, 60]]]).expand(2, 1, 4)
    losses = classifier.get_filter(features, boxes).losses.tolist()
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]
    first = dimpnet18(initializer=False).classifier.get_filter(features, boxes, iterations=0).filters[0]
    assert tuple(first.shape) == (1, 256, 4, 4) and not first.any()


@pytest.mark.parametrize("recursions", [0, 1, 2, 5])
def test_the_loss_weighs_each_filter_alike(recursions: int) -> None:
    scores = [torch.full((1, 1, 4, 4), 0.1 * number, requires_grad=True) for number in range(recursions + 1)]
    actor = DiMPActor(torch.nn.Identity())
    actor.answers = lambda data: (scores, torch.zeros(1, 1, 2))  # type: ignore[method-assign]
    loss, stats = actor(TensorDict(test_label=torch.ones(1, 1, 4, 4), proposal_iou=torch.ones(1, 1, 2)))
    errors = [float((each.detach() - 1).square().mean()) for each in scores]
    assert loss.item() == pytest.approx(1 + 100 * sum(errors), rel=1e-6)
    parts = ["Loss/iou", "Loss/target_clf", "Loss/test_init_clf", "Loss/test_iter_clf"][: min(recursions, 2) + 2]
    assert [name for name in stats if name.startswith("Loss/")] == ["Loss/total", *parts]
    if recursions == 5:  # these are the public weights: 100 for the first and the last filter, 400 for the mean of four
        public = 100 * errors[-1] + 100 * errors[0] + 400 * sum(errors[1:-1]) / 4
        assert loss.item() == pytest.approx(1 + public, rel=1e-6)


def batch() -> TensorDict:
    videos = SyntheticVideo(2, num_frames=12, size=(96, 128), seed=5)
    three = {"sampler.num_train_frames": 3, "sampler.num_test_frames": 3}
    return next(iter(assembled("dimp/dimp18", {**SMALL, **three}, [videos]).loader))


def test_a_step_learns_in_every_part_of_the_network_but_the_unused_layers() -> None:
    torch.manual_seed(0)
    net = dimpnet18()
    actor = DiMPActor(net)
    actor.train()
    loss, stats = actor(batch())
    loss.backward()
    idle = {name for name, parameter in net.named_parameters() if parameter.grad is None}
    assert {name.split(".")[1] for name in idle} == {"layer4", "fc"}
    parts = sum(stats[f"Loss/{name}"] for name in ("iou", "target_clf", "test_init_clf", "test_iter_clf"))
    assert stats["Loss/total"] == pytest.approx(parts, rel=1e-5)
    groups = build_optimizer(net, recipe("dimp/dimp18").optimizer).param_groups
    assert sum(len(group["params"]) for group in groups) == len(list(net.parameters()))
    assert sorted({group["lr"] for group in groups}) == [5e-5, 2e-4, 5e-4, 1e-3]


def test_labels_on_other_cells_are_refused() -> None:
    data = batch()
    data["test_label"] = data["test_label"][..., :-1]
    with pytest.raises(ValueError, match=r"scores are \(3, 2, 7, 7\), but the labels \(3, 2, 7, 6\)"):
        DiMPActor(dimpnet18(optim_iter=1), DiMPLossSettings())(data)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("optim_iter=5", "unknown setting 'optim_iter'. It is a setting of another part: network.optim_iter."),
        (
            "network.frozen_backbone_layers=bn1,layer9",
            "names 'layer9', which is no layer of the backbone. Did you mean 'layer",
        ),
        (
            "network.frozen_backbone_layers=fc",
            "names 'fc', which is no layer of the backbone. Known: conv1, bn1, layer1,",
        ),
        ("data.sets=lasto", "unknown training data set 'lasto'. Did you mean 'lasot'?"),
    ],
)
def test_a_wrong_setting_is_one_line(
    workspace: Path, capsys: pytest.CaptureFixture[str], setting: str, told: str
) -> None:
    assert run_training.main(["dimp", "dimp18", "--device", "cpu", "--set", setting]) == 1
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error


def test_frozen_layers_do_not_learn_and_keep_their_statistics() -> None:
    with torch.device("meta"):
        net = dimpnet50(frozen_backbone_layers=("conv1", "bn1", "layer1", "layer2"))
    net.train()
    assert not net.feature_extractor.bn1.training and not net.feature_extractor.layer2.training
    assert net.feature_extractor.layer3.training and net.classifier.training
    learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith(("feature_extractor.conv1", "feature_extractor.layer1")) for name in learning)
    assert "feature_extractor.layer3.0.conv1.weight" in learning
