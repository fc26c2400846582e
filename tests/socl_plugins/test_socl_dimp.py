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
from ltr.config.overrides import flat
from ltr.data.crops import Region
from ltr.data.labels import LabelSettings
from ltr.data.processing.dimp import AugmentedCrop
from ltr.data.tensordict import TensorDict
from ltr.data.transforms import Compose
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.named import embedded_videos
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import siamfc_resnet18
from ltr.models.tracking.dimpnet import dimpnet18
from ltr.registry import load_plugins
from pytracking.registry import PARAMETERS
from socl_plugins.clicks import PointAnnotated, SparseBoxAnnotated, dataset_labels, write_points
from socl_plugins.dimp import SoftLabelSettings, WeakDiMPActor, start
from socl_plugins.dimp.processing import clicked_box, soft_label
from socl_plugins.pseudo_label import PseudoBoxStore, describe, method_settings
from socl_plugins.pseudo_label.build import store_pseudo_boxes
from socl_plugins.pseudo_label.store import STORES, store_file
from socl_plugins.stores import StoreError
from socl_plugins.top_map import Proposals
from tests.recipes import SMALL_DIMP, as_words, assembled, recipe

PERIOD = 4

load_plugins()


def small(boxes: str = "pseudo", extent: str = "top_map", **labels: object) -> dict[str, object]:
    """Returns the settings of four small samples; ``labels`` are options of the labels."""
    return {
        **SMALL_DIMP,
        "schedule.samples_per_epoch": 4,
        "sampler.max_gap": 6,
        "sampler.num_train_frames": 2,
        "sampler.num_test_frames": 2,
        "data.labels.period": PERIOD,
        "data.labels.method": "interpolation",
        "data.labels.boxes": boxes,
        "data.labels.prepare_frames": 0,
        "data.labels.proposals.random_count": 200,
        "data.labels.proposals.keep": 16,
        "processing.soft.extent": extent,
        **{f"data.labels.{name}": value for name, value in labels.items()},
    }


def train_two_steps(root: Path, workspace: Path, settings: dict[str, object]) -> dict[str, torch.Tensor]:
    """Returns the weights after two steps on the data set at ``root``."""
    env = replace(Environment(workspace_dir=workspace), got10k_dir=root)
    dataset = Got10k(root, "train")
    if settings["data.labels.boxes"] == "pseudo":
        sparse = SparseBoxAnnotated(dataset, PERIOD)
        method = method_settings("interpolation")
        path = workspace / STORES / store_file(sparse, "interpolation")
        store = PseudoBoxStore(path, about=describe(method, PERIOD, 0.0))
        store_pseudo_boxes(sparse, store, method, jobs=1, progress=False)
    torch.manual_seed(0)
    parts = assembled("dimp/socl_dimp18", settings, [dataset], env)
    labels = dataset_labels(parts.loader.dataset.datasets[0])  # type: ignore[attr-defined]
    assert (labels.boxes, labels.clicks) == (6, 18)
    assert (labels.tracked_frames > 0) == (settings["data.labels.boxes"] == "pseudo")
    optimizer = torch.optim.Adam(parts.actor.net.parameters(), 1e-4)
    for data in parts.loader:
        loss, _ = parts.actor(data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return parts.actor.net.state_dict()


# Networks learn four times: some seconds.
@pytest.mark.parametrize(("boxes", "extent"), [("pseudo", "top_map"), ("pseudo", "box"), ("sparse", "top_map")])
@pytest.mark.long
def test_deleting_every_dense_box_changes_no_weight(
    tmp_path: Path, boxes: Literal["pseudo", "sparse"], extent: Literal["top_map", "box"]
) -> None:
    root, config = tmp_path / "data", small(boxes, extent)
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
    view = AugmentedCrop(
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
    monkeypatch.setattr(start, "load_network", lambda name: learned if name == "socl/a" else torch.nn.ReLU())
    net = dimpnet18()
    deep = net.feature_extractor.get_parameter("layer3.0.conv1.weight").clone()
    start.start_from(net, "socl/a")
    weights = net.feature_extractor.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in learned.backbone.state_dict().items())
    assert torch.equal(weights["layer3.0.conv1.weight"], deep)
    with pytest.raises(SettingsError, match="backbone=other"):
        start.start_from(net, "other")


def test_it_starts_from_what_socl_has_learned_in_this_workspace(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert recipe("dimp/socl_dimp18").hooks["start_backbone"].options["backbone"] == "auto"
    assert start.learned_backbone() is None
    assert "run_training.py socl socl_res18" in capsys.readouterr().out
    path = workspace / "checkpoints" / "ltr" / "socl" / "socl_res18" / "SiamFCNet_best.pth.tar"
    path.parent.mkdir(parents=True)
    path.touch()
    assert start.learned_backbone() == str(path)
    assert str(path) in capsys.readouterr().out


def test_missing_pseudo_boxes_are_an_error_with_the_whole_command_before_proposals_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_got10k(SyntheticVideo(1, num_frames=4, size=(60, 80)), tmp_path / "data", "train")
    monkeypatch.setattr(
        "socl_plugins.dimp.annotated.with_proposals", lambda *arguments: pytest.fail("proposals were made")
    )
    env = replace(Environment(workspace_dir=tmp_path / "work"), got10k_dir=tmp_path / "data")
    command = "build --dataset got10k_train --method interpolation --period 4 --noise-px 5$"
    with pytest.raises(StoreError, match=command):
        assembled("dimp/socl_dimp18", small(noise_px=5.0), [Got10k(tmp_path / "data", "train")], env)


def test_it_is_dimp18_but_for_its_labels() -> None:
    for schedule in ("short", "paper"):
        own, base = (flat(recipe(f"dimp/{name}", schedule=schedule)) for name in ("socl_dimp18", "dimp18"))
        differ = {key for key, value in base.items() if own.get(key, value) != value}
        assert differ == {"data.sets", "data.labels", "processing", "actor", "score.parameters"}
    weak, boxes = PARAMETERS["dimp/socl_dimp18"](), PARAMETERS["dimp/dimp18"]()
    assert weak == replace(boxes, network="dimp/socl_dimp18")


# A network learns and tracks: some seconds.
@pytest.mark.long
def test_from_clicks_to_a_network_whose_labels_are_counted(workspace: Path) -> None:
    few = {"data.labels.prepare_frames": 0, "data.labels.proposals.random_count": 200}
    words = as_words({**SMALL_DIMP, **few})
    assert run_training.main(["dimp", "socl_dimp18", "--device", "cpu", *words]) == 0
    checkpoint = load_checkpoint(best_checkpoint("dimp/socl_dimp18"))
    sparse = SparseBoxAnnotated(embedded_videos(2), 10)
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
