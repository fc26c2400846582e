"""Fine-tuning: a recipe that begins with the weights of a checkpoint, ours or a published one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import best_checkpoint, load_checkpoint, save_checkpoint
from ltr.models.builder import build_network
from tests.foreign import Foreign, published
from tests.recipes import SMALL_DIMP, WITHOUT_SCORE, as_words

STILL = {"optimizer.learning_rate": 1e-12, "schedule.average_decay": None}  # what is trained is what was begun with


@pytest.fixture
def ours(tmp_path: Path, workspace: Path) -> tuple[Path, torch.nn.Module]:
    torch.manual_seed(1)
    options = {"output_layer": "layer2", "stride": 8, "border": 3, "normalise": True, "calibrated": True}
    net = build_network("siamfc_resnet18", **options)
    save_checkpoint(tmp_path / "ours.pth.tar", {"net": net.state_dict(), "constructor": net.constructor})
    return tmp_path / "ours.pth.tar", net


def train(recipe: str, start: object, more: dict[str, Any]) -> int:
    return run_training.main([*recipe.split("/"), "--device", "cpu", *as_words({**more, "start": start})])


def last(recipe: str) -> dict[str, Any]:
    (file,) = best_checkpoint(recipe).parent.glob("*_ep0001.pth.tar")
    return dict(load_checkpoint(file))


@pytest.mark.long
def test_our_own_network_is_learned_on_from(
    ours: tuple[Path, torch.nn.Module], capsys: pytest.CaptureFixture[str]
) -> None:
    file, net = ours
    assert train("siamfc/box_siam_res18", file, {**WITHOUT_SCORE, **STILL}) == 0
    count = len(list(net.parameters()))
    assert f"start: {count} of {count} weights are those of {file}\n" in capsys.readouterr().out
    checkpoint = last("siamfc/box_siam_res18")
    assert checkpoint["settings"]["config"]["start"] == str(file), "it is recorded"
    for name, value in net.named_parameters():
        torch.testing.assert_close(checkpoint["net"][name], value.detach(), rtol=0, atol=1e-6)
    twenty = {**WITHOUT_SCORE, "schedule.samples_per_epoch": 40, "schedule.average_decay": None}
    assert train("siamfc/box_siam_res18", file, twenty) == 0
    trained = last("siamfc/box_siam_res18")["net"]
    assert any(not torch.equal(trained[name], value) for name, value in net.named_parameters()), "and then it learns"


def test_what_does_not_fit_is_listed(ours: tuple[Path, torch.nn.Module], capsys: pytest.CaptureFixture[str]) -> None:
    more = {**WITHOUT_SCORE, "network.projection": True}
    assert train("siamfc/box_siam_res18", ours[0], more) == 0
    assert "; as initialised: projection." in capsys.readouterr().out


@pytest.mark.long
def test_a_published_dimp_is_learned_on_from(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = build_network("dimpnet18", init_gauss_sigma=0.3)
    make = Foreign("ltr")
    make.write(published(make, net), tmp_path / "dimp18.pth")
    small = {key: value for key, value in SMALL_DIMP.items() if not key.startswith("score")}
    steps = {**small, "score": None, "schedule.samples_per_epoch": 40, "runtime.keep_checkpoints": 1}
    assert train("dimp/dimp18", tmp_path / "dimp18.pth", steps) == 0
    said = capsys.readouterr().out
    count = len(list(net.parameters()))
    assert f"start: {count} of {count} weights are those of {tmp_path / 'dimp18.pth'}\n" in said


def test_a_network_of_another_family_is_refused_before_work(
    ours: tuple[Path, torch.nn.Module], workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {key: value for key, value in SMALL_DIMP.items() if not key.startswith("score")}
    assert train("dimp/dimp18", ours[0], {**small, "score": None}) == 1
    error = capsys.readouterr().err
    assert "none of its weights fits. It is a SiamFCNet, and the recipe trains a DiMPNet" in error
    assert train("siamfc/box_siam_res18", "nowhere.pth", WITHOUT_SCORE) == 1
    assert "nowhere.pth" in capsys.readouterr().err
    assert not list(workspace.rglob("*.pth.tar"))
