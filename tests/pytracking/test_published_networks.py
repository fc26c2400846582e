"""``run_tracker.py TRACKER --network FILE`` tracks with what others publish, and says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ltr.admin.checkpoint import load_network
from ltr.models.builder import build_network
from ltr.models.tracking import siamfc_alexnet, siamfc_resnet22
from ltr.models.tracking.dimpnet import dimpnet50
from ltr.registry import load_plugins
from pytracking import run_tracker
from pytracking.evaluation import Sequence, SequenceList
from pytracking.registry import BENCHMARKS, PARAMETERS
from pytracking.tracker.matching import SETS, match_network
from tests.foreign import ARGUMENTS, Foreign, published

DIMP50 = {**ARGUMENTS, "clf_feat_blocks": 0, "out_feature_dim": 512, "optim_iter": 5}
SUPER = {**DIMP50, "init_gauss_sigma": 22 / 24, "frozen_backbone_layers": ["conv1", "bn1", "layer1", "layer2"]}


@pytest.fixture
def two_frames(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a data set of one video, of two frames."""
    frames = [np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)] * 2
    boxes = np.array([[30.0, 20, 20, 20]] * 2)
    load_plugins()  # what they register stays for other tests
    BENCHMARKS.names()
    entries = {**BENCHMARKS._entries, "two_frames": lambda: SequenceList([Sequence("One", frames, "", boxes)])}
    monkeypatch.setattr(BENCHMARKS, "_entries", entries)
    return "two_frames"


@pytest.fixture(scope="module")
def large() -> nn.Module:
    torch.manual_seed(0)
    return dimpnet50()


def checkpoint(path: Path, net: nn.Module, function: str, arguments: Mapping[str, Any], recipe: str = "") -> Path:
    make = Foreign("ltr.admin")
    state = published(make, net, function, arguments)
    if recipe:
        state["settings"].script_name = recipe
    make.write(state, path)
    return path


def track(*arguments: str) -> int:
    quick = ("use_augmentation=no", "net_opt_iter=1", "device=cpu")
    words = [word for setting in quick for word in ("--set", setting)] if arguments[0] == "dimp" else []
    return run_tracker.main([*arguments, "--dataset_name", "two_frames", *words])


@pytest.mark.parametrize("recipe", ["", "super_dimp"])
@pytest.mark.long
def test_a_super_dimp_is_told_from_the_dimp50_whose_constructor_it_names(
    two_frames: str, tmp_path: Path, large: nn.Module, recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = DIMP50 if recipe else SUPER
    path = checkpoint(tmp_path / "super_dimp.pth.tar", large, "dimpnet50", arguments, recipe)
    assert match_network("dimp", path).parameters == "super_dimp"
    assert track("dimp", "--network", str(path)) == 0
    out = capsys.readouterr().out
    assert "holds SuperDiMP" in out and "Its parameter set: dimp super_dimp" in out and "learned a density" in out
    assert track("dimp", "dimp50", "--set", f"network={path}") == 1, "as DiMP-50 it cannot be tracked"
    captured = capsys.readouterr()
    assert "asked for: dimp50" in captured.out and "track with the parameter set dimp super_dimp" in captured.err


@pytest.mark.long
def test_a_dimp50_is_one(two_frames: str, tmp_path: Path, large: nn.Module, capsys: pytest.CaptureFixture[str]) -> None:
    path = checkpoint(tmp_path / "dimp50.pth", large, "dimpnet50", DIMP50)
    assert track("dimp", "--network", str(path)) == 0
    assert "holds DiMP-50: built by dimpnet50. Its parameter set: dimp dimp50\n" in capsys.readouterr().out
    frozen = checkpoint(tmp_path / "own.pth", large, "dimpnet50", SUPER, "dimp50")
    assert match_network("dimp", frozen).parameters == "dimp50", "who froze layers in a recipe of DiMP's has DiMP"


@pytest.mark.parametrize(
    ("function", "family"),
    [
        ("klcedimpnet50", "PrDiMP"),
        ("kysnet_res50", "KYS"),
        ("tompnet101", "ToMP"),
        ("atom_resnet18", "ATOM"),
        ("target_candidate_matching_net_resnet50", "KeepTrack"),
    ],
)
def test_other_families_are_refused_by_name(
    two_frames: str, tmp_path: Path, function: str, family: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint(tmp_path / "other.pth", nn.Linear(1, 1), function, {})
    assert track("dimp", "--network", str(path)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and f"it holds {family} ({function})" in error and "other.pth" in error


@pytest.mark.parametrize("holder", ["", "state_dict"])
@pytest.mark.parametrize(
    ("tracker", "network", "parameters"),
    [("siamfc", "siamfc_alexnet", "siamfc_pytorch"), ("siamfc", "siamfc_resnet22", "siamdw_res22")],
)
def test_bare_weights_of_siamfc_and_siamdw_are_tracked_with(
    two_frames: str,
    tmp_path: Path,
    holder: str,
    tracker: str,
    network: str,
    parameters: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.manual_seed(0)
    weights: Any = build_network(network).state_dict()
    if holder:
        weights = {holder: {f"module.{name}": value for name, value in weights.items()}}
    torch.save(weights, tmp_path / "weights.pth")
    assert track(tracker, "--network", str(tmp_path / "weights.pth")) == 0
    out = capsys.readouterr().out
    assert f"Its parameter set: {tracker} {parameters}" in out and f"{tracker}/{parameters}" in out
    assert track(tracker, parameters, "--set", f"network={tmp_path / 'weights.pth'}") == 0


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.long
def test_a_published_transt_is_tracked_with(
    two_frames: str, tmp_path: Path, whole: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    net, path, make = build_network("transt50", hidden=64), tmp_path / "transt.pth", Foreign("ltr.admin")
    if whole:
        state = published(make, net, "transt_resnet50", {})
        vars(state["settings"]).update(hidden_dim=256, nheads=8, dim_feedforward=64, featurefusion_layers=4)
        state["constructor"].args = (state["settings"],)
        make.write(state, path)
    else:
        torch.save({"net": build_network("transt50").state_dict()}, path)
    assert track("transt", "--network", str(path)) == 0
    assert "holds TransT on a ResNet-50" in capsys.readouterr().out


def test_what_no_set_is_known_for_is_said(two_frames: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(siamfc_alexnet().state_dict(), tmp_path / "weights.pth")
    assert track("transt", "--network", str(tmp_path / "weights.pth")) == 1
    assert "Its network fits siamfc siamfc_pytorch" in capsys.readouterr().err


def test_siamdw_sees_bgr_and_ours_rgb(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = siamfc_resnet22().eval()
    torch.save(theirs.state_dict(), tmp_path / "CIResNet22.pth")
    picture = 255 * torch.rand(1, 3, 127, 127)
    with torch.no_grad():
        expected = theirs(picture.flip(1))
        for ours in (load_network(tmp_path / "CIResNet22.pth"), siamfc_resnet22(weights=tmp_path / "CIResNet22.pth")):
            torch.testing.assert_close(ours.eval()(picture), expected, rtol=1e-4, atol=1e-3)


def test_each_set_that_is_named_exists() -> None:
    named = {f"{tracker}/{parameters}" for tracker, sets in SETS.items() for parameters, _ in sets.values()}
    assert named <= set(PARAMETERS.names())
