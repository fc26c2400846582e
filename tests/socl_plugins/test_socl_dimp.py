"""``run_training.py dimp socl_dimp18``: what it sees of labels, what it makes of them, and that it never sees a box."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_checkpoint
from ltr.admin.environment import Environment
from ltr.admin.settings import SettingsError
from ltr.data.crops import Region
from ltr.data.labels import LabelSettings
from ltr.data.processing.dimp import View
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Compose
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import siamfc_resnet18
from ltr.registry import load_plugins
from ltr.train_settings.dimp import dimp18
from pytracking.registry import PARAMETERS
from socl_plugins.clicks import PointAnnotated, SparseBoxAnnotated, dataset_labels, write_points
from socl_plugins.dimp import SoftLabelSettings, WeakDiMPActor, WeakDiMPProcessing
from socl_plugins.dimp.processing import clicked_box, soft_label
from socl_plugins.pseudo_label import PseudoBoxStore, describe, method_settings
from socl_plugins.pseudo_label.build import build_store
from socl_plugins.pseudo_label.store import STORES, store_file
from socl_plugins.stores import StoreError
from socl_plugins.top_map import Proposals, ProposalSettings
from socl_plugins.train_settings.dimp import socl_dimp18
from socl_plugins.train_settings.dimp.socl_dimp18 import SoCLDiMPConfig

PERIOD = 4

load_plugins()


def small_config(**changes: object) -> SoCLDiMPConfig:
    crop = dimp18.DiMPConfig().train_crop
    config = SoCLDiMPConfig(
        samples_per_epoch=4,
        batch_size=2,
        max_gap=6,
        frames=2,
        optim_iter=1,
        train_crop=replace(crop, size=96),
        test_crop=replace(crop, size=96),
        period=PERIOD,
        method="interpolation",
        prepare_frames=0,
        click_proposals=ProposalSettings(random_count=200, keep=16),
    )
    return replace(config, **changes)  # type: ignore[arg-type]


def train_two_steps(root: Path, workspace: Path, config: SoCLDiMPConfig) -> dict[str, torch.Tensor]:
    """Returns the weights after two steps on the data set at ``root``."""
    env = replace(Environment(workspace_dir=workspace), got10k_dir=root)
    if config.boxes == "pseudo":
        sparse = SparseBoxAnnotated(Got10k(root, "train"), config.period)
        method = method_settings(config.method)
        path = workspace / STORES / store_file(sparse, config.method)
        store = PseudoBoxStore(path, about=describe(method, PERIOD, 0.0))
        build_store(sparse, store, method, jobs=1, progress=False)
    dataset, labels = socl_dimp18.weak_labels(env, config)
    assert (labels.boxes, labels.clicks) == (6, 18)
    assert (labels.tracked_frames > 0) == (config.boxes == "pseudo")
    torch.manual_seed(0)
    net = dimp18.build_net(config)
    processing = WeakDiMPProcessing(config.soft, *dimp18.processing_arguments(config))
    actor = WeakDiMPActor(net)
    optimizer = torch.optim.Adam(dimp18.parameter_groups(net, 1e-3))
    for data in dimp18.training_loader([dataset], config, 0, processing):
        loss, _ = actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.state_dict()


# Networks learn four times: some seconds.
@pytest.mark.parametrize(("boxes", "extent"), [("pseudo", "top_map"), ("pseudo", "box"), ("sparse", "top_map")])
def test_deleting_every_dense_box_changes_no_weight(
    tmp_path: Path, boxes: Literal["pseudo", "sparse"], extent: Literal["top_map", "box"]
) -> None:
    root, config = tmp_path / "data", small_config(boxes=boxes, soft=SoftLabelSettings(extent=extent))
    export_got10k(SyntheticVideo(2, num_frames=12, size=(96, 128), seed=11), root, "train")
    whole = train_two_steps(root, tmp_path / "a", config)
    write_points(PointAnnotated(Got10k(root, "train")), root / "train")
    for path in root.rglob("groundtruth.txt"):
        lines = path.read_text().split()
        path.write_text("\n".join(x if n % PERIOD == 0 else "nan,nan,nan,nan" for n, x in enumerate(lines)))
    assert sum(path.read_text().count("nan,nan,nan,nan") for path in root.rglob("groundtruth.txt")) == 18
    sparse = train_two_steps(root, tmp_path / "b", config)
    assert all(torch.equal(value, sparse[name]) for name, value in whole.items())

    # The same check would notice a difference: other boxes give other weights.
    for path in root.rglob("groundtruth.txt"):
        lines = path.read_text().split()
        path.write_text("\n".join(x if "nan" in x else f"{x}9" for x in lines))
    other = train_two_steps(root, tmp_path / "c", config)
    assert any(not torch.equal(value, other[name]) for name, value in sparse.items())


def test_the_box_branch_learns_only_from_frames_with_a_box_the_classifier_from_all() -> None:
    actor = WeakDiMPActor(torch.nn.Identity())
    data = TensorDict(proposal_iou=torch.zeros(1, 2, 3), test_has_box=torch.tensor([[True, False]]))
    iou = torch.tensor([[[1.0, 1, 1], [9, 9, 9]]], requires_grad=True)
    loss = actor.iou_loss(iou, data)
    assert loss.item() == 1
    loss.backward()
    assert iou.grad is not None and (iou.grad[0, 1] == 0).all() and (iou.grad[0, 0] != 0).all()
    data["test_has_box"] = torch.tensor([[False, False]])
    assert actor.iou_loss(iou, data).item() == 0


def test_the_target_of_a_click_has_its_centre_and_the_proposals_size() -> None:
    found = Proposals(np.array([[10.0, 20, 30, 40]], np.float32), np.ones(1, np.float32))
    click = np.array([50.0, 60.0])
    np.testing.assert_allclose(clicked_box(click, found), [35, 40, 30, 40], rtol=1e-6)
    other = np.array([1.0, 2, 10, 20])
    np.testing.assert_allclose(clicked_box(click, found, other), [45, 50, 10, 20], err_msg="or that of another box")
    np.testing.assert_allclose(clicked_box(click, found, np.full(4, np.nan)), [35, 40, 30, 40], rtol=1e-6)


@pytest.mark.parametrize("filter_size", [3, 4])
def test_a_soft_label_lies_on_the_target_and_falls_with_its_map(filter_size: int) -> None:
    box = np.array([[96.0, 128, 64, 64]])
    settings = LabelSettings(18, 0.05, filter_size)
    view = View(
        np.zeros((288, 288, 3), np.uint8), Region(0.0, 0.0, 288.0, 288), Compose().draw(np.random.default_rng(0))
    )
    proposals = [Proposals(box.astype(np.float32), np.ones(1, np.float32))]
    hard, mixed, whole = (
        soft_label(box, [view], proposals, settings, SoftLabelSettings(softness), 288)[0] for softness in (0, 0.3, 1)
    )
    np.testing.assert_allclose(mixed, 0.7 * hard + 0.3 * whole, atol=1e-7)
    assert (mixed <= hard).all(), "what is background for DiMP stays below the hinge's threshold"
    # The map is the target's box on the score's cells, whose middles are 16 k, or 16 k + 8 for an odd filter.
    top = np.divide(whole, hard, out=np.zeros_like(whole), where=hard > 1e-4)
    cells = np.arange(len(top)) * 16 + (8 if filter_size == 3 else 0)
    inside = (cells >= 128) & (cells <= 192)
    rows, columns = np.nonzero(top > 0.99)
    assert set(cells[rows]) <= set(cells[inside]) and set(cells[columns]) <= {*range(96, 161)}
    assert abs(cells[rows].mean() - 160) <= 8 and abs(cells[columns].mean() - 128) <= 8


def test_a_backbone_that_socl_learned_is_taken_over_and_another_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = siamfc_resnet18()
    monkeypatch.setattr(socl_dimp18, "load_network", lambda name: learned if name == "socl/a" else torch.nn.ReLU())
    net = dimp18.build_net(small_config())
    deep = net.feature_extractor.get_parameter("layer3.0.conv1.weight").clone()
    socl_dimp18.start_from(net, "socl/a")
    weights = net.feature_extractor.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in learned.backbone.state_dict().items())
    assert torch.equal(weights["layer3.0.conv1.weight"], deep)
    with pytest.raises(SettingsError, match="backbone=other"):
        socl_dimp18.start_from(net, "other")


def test_it_starts_from_what_socl_has_learned_in_this_workspace(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SoCLDiMPConfig().backbone == "auto"
    assert socl_dimp18.learned_backbone() is None
    assert "run_training.py socl socl_res18" in capsys.readouterr().out
    path = workspace / "checkpoints" / "ltr" / "socl" / "socl_res18" / "SiamFCNet_best.pth.tar"
    path.parent.mkdir(parents=True)
    path.touch()
    assert socl_dimp18.learned_backbone() == str(path)
    assert str(path) in capsys.readouterr().out


def test_missing_pseudo_boxes_are_an_error_with_the_whole_command_before_proposals_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_got10k(SyntheticVideo(1, num_frames=4, size=(60, 80)), tmp_path / "data", "train")
    monkeypatch.setattr(socl_dimp18, "with_proposals", lambda *arguments: pytest.fail("proposals were made"))
    env = replace(Environment(workspace_dir=tmp_path / "work"), got10k_dir=tmp_path / "data")
    command = "build --dataset got10k_train --method interpolation --period 4 --noise-px 5$"
    with pytest.raises(StoreError, match=command):
        socl_dimp18.weak_labels(env, small_config(noise_px=5.0))


def test_it_is_dimp18_but_for_its_labels() -> None:
    env = replace(Environment(), got10k_dir=Path("somewhere"))
    own, base = socl_dimp18.default_config(env), dimp18.default_config(env)
    same = {name for name in vars(base) if getattr(own, name) == getattr(base, name)}
    assert set(vars(base)) - same == {"other_sets", "tracker_parameters"}
    weak, boxes = PARAMETERS["dimp/socl_dimp18"](), PARAMETERS["dimp/dimp18"]()
    assert weak == replace(boxes, network="dimp/socl_dimp18")
    short = socl_dimp18.default_config(Environment())
    assert socl_dimp18.default_config(replace(Environment(), lasot_dir=Path("x"))) == short, "of GOT-10k alone"
    with pytest.raises(SettingsError, match="other_sets have boxes"):
        replace(own, other_sets=("lasot",))


# A network learns and tracks: some seconds.
def test_from_clicks_to_a_network_whose_labels_are_counted(workspace: Path) -> None:
    small = ("epochs=1", "samples_per_epoch=2", "batch_size=2", "num_workers=0", "videos=2", "held_out_videos=1")
    small += ("held_out_frames=2", "train_crop.size=96", "test_crop.size=96", "frames=1", "optim_iter=1")
    small += ("prepare_frames=0", "click_proposals.random_count=200")
    words = [word for setting in small for word in ("--set", setting)]
    assert run_training.main(["dimp", "socl_dimp18", "--device", "cpu", *words]) == 0
    checkpoint = load_checkpoint(best_checkpoint("dimp/socl_dimp18"))
    sparse = SparseBoxAnnotated(socl_dimp18.training_videos(Environment(), 2), 10)
    labels = dataset_labels(sparse)
    assert labels.boxes <= 6 and labels.clicks > 40
    dollars = checkpoint["stats"]["labels"]["dollars"][0]
    assert dollars == pytest.approx(0.036 * labels.boxes + 0.005 * labels.clicks, rel=0.02)

    # A network that came since and does not fit stops a new run, but not one that has its weights already.
    path = workspace / "checkpoints" / "ltr" / "socl" / "socl_res18" / "SiamFCNet_best.pth.tar"
    path.parent.mkdir(parents=True)
    path.touch()
    assert run_training.main(["dimp", "socl_dimp18", "--device", "cpu", *words]) == 1
    assert run_training.main(["dimp", "socl_dimp18", "--device", "cpu", *words, "--resume"]) == 0
    after = load_checkpoint(best_checkpoint("dimp/socl_dimp18"))["net"]
    assert all(torch.equal(value, after[name]) for name, value in checkpoint["net"].items())
