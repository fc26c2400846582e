"""``run_training.py dimp dimp18``, small, and the learning step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.actors.dimp import DiMPActor, DiMPLossSettings
from ltr.admin.checkpoint import best_checkpoint, load_network
from ltr.admin.environment import Environment
from ltr.data.tensordict import TensorDict
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18, dimpnet50
from ltr.train_settings.dimp import dimp18, dimp50
from ltr.train_settings.dimp.dimp18 import DiMPConfig

SMALL = ("epochs=1", "samples_per_epoch=2", "batch_size=2", "num_workers=0", "videos=2", "held_out_videos=1")
SMALL += ("held_out_frames=2", "train_crop.size=96", "test_crop.size=96", "frames=1", "optim_iter=2")


# A network learns and tracks: some seconds.
def test_from_boxes_to_a_network_that_can_be_loaded(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for setting in SMALL for word in ("--set", setting)]
    assert run_training.main(["dimp", "dimp18", "--device", "cpu", *words]) == 0
    output = capsys.readouterr().out
    assert "no data set is configured" in output and "run_tracker.py dimp dimp18" in output
    network = load_network(best_checkpoint("dimp/dimp18"))
    assert isinstance(network, DiMPNet) and network.classifier.filter_optimizer.iterations == 2


def test_the_schedules_are_the_papers() -> None:
    env = replace(Environment(), got10k_dir=Path("somewhere"))
    small, large = dimp18.default_config(env), dimp50.default_config(env)
    assert (small.epochs, small.samples_per_epoch, small.decay_interval, small.optim_iter) == (50, 20_000, 15, 5)
    assert (2 * small.max_gap, small.frames, small.train_crop.factor, small.sigma) == (60, 3, 5.0, 0.25)
    assert small.other_sets == ("lasot", "trackingnet", "coco")
    changed = {"network", "frozen_backbone_layers", "tracker_parameters"}
    same = {name: value for name, value in vars(large).items() if name not in changed}
    assert same == {name: vars(small)[name] for name in same}


def batch(config: DiMPConfig) -> TensorDict:
    videos = SyntheticVideo(2, num_frames=12, size=(96, 128), seed=5)
    return next(iter(dimp18.training_loader([videos], config)))


@pytest.fixture
def config() -> DiMPConfig:
    crop = DiMPConfig().train_crop
    return DiMPConfig(
        batch_size=2, samples_per_epoch=2, train_crop=replace(crop, size=96), test_crop=replace(crop, size=96)
    )


def test_a_step_learns_in_every_part_of_the_network_but_the_unused_layers(config: DiMPConfig) -> None:
    torch.manual_seed(0)
    net = dimpnet18()
    actor = DiMPActor(net)
    actor.train()
    loss, stats = actor(batch(config))
    loss.backward()
    idle = {name for name, parameter in net.named_parameters() if parameter.grad is None}
    assert {name.split(".")[1] for name in idle} == {"layer4", "fc"}
    parts = sum(stats[f"Loss/{name}"] for name in ("iou", "target_clf", "test_init_clf", "test_iter_clf"))
    assert stats["Loss/total"] == pytest.approx(parts, rel=1e-5)
    groups = dimp18.parameter_groups(net, 2e-4)
    assert sum(len(group["params"]) for group in groups) == len(list(net.parameters()))  # type: ignore[arg-type]


def test_labels_on_other_cells_are_refused(config: DiMPConfig) -> None:
    data = batch(config)
    data["test_label"] = data["test_label"][..., :-1]
    with pytest.raises(ValueError, match=r"scores are \(3, 2, 7, 7\), but the labels \(3, 2, 7, 6\)"):
        DiMPActor(dimpnet18(optim_iter=1), DiMPLossSettings())(data)


def test_frozen_layers_do_not_learn_and_keep_their_statistics() -> None:
    with torch.device("meta"):
        net = dimpnet50(frozen_backbone_layers=("conv1", "bn1", "layer1", "layer2"))
    net.train()
    assert not net.feature_extractor.bn1.training and not net.feature_extractor.layer2.training
    assert net.feature_extractor.layer3.training and net.classifier.training
    learning = {name for name, parameter in net.named_parameters() if parameter.requires_grad}
    assert not any(name.startswith(("feature_extractor.conv1", "feature_extractor.layer1")) for name in learning)
    assert "feature_extractor.layer3.0.conv1.weight" in learning
