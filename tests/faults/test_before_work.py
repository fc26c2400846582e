"""What can be checked before work is checked before work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import save_checkpoint
from ltr.models.backbone import resnet
from ltr.models.builder import build_network
from ltr.registry import load_plugins
from pytracking import run_tracker, run_vot
from pytracking.confidence.__main__ import main as confidence
from pytracking.registry import TRACKERS
from socl_plugins.top_map import annotated
from socl_plugins.top_map.__main__ import main as top_map
from socl_plugins.top_map.objectness import DEFAULT_TABLE
from tests.faults.conftest import TOYS

Output = pytest.CaptureFixture[str]


@pytest.fixture
def no_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proposal is computed nor a frame tracked."""
    load_plugins([str(TOYS)])
    monkeypatch.setattr(annotated, "propose_target", lambda *arguments: pytest.fail("proposals were computed"))
    monkeypatch.setattr(TRACKERS["drift"], "initialize", lambda *arguments: pytest.fail("a frame was tracked"))


@pytest.mark.usefixtures("no_work")
def test_a_batch_larger_than_an_epoch(capsys: Output) -> None:
    words = ["--set", "schedule.batch_size=100000", "--set", "schedule.samples_per_video=none", "--device", "cpu"]
    assert run_training.main(["socl", "socl_res18", *words]) == 1
    assert "too few for one batch of 100000" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
def test_videos_that_are_too_few_for_a_calibration(capsys: Output) -> None:
    assert confidence(["fit", "drift/plain", "toys", "--plugin", str(TOYS)]) == 1
    assert "too few to fit a confidence: give 5 or more" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("wrong", [("--interval", "vot2081"), ("--protocol", "pysto")])
def test_a_challenge_or_protocol_of_vot_that_is_unknown(wrong: tuple[str, str], capsys: Output) -> None:
    assert run_vot.main(["drift", "plain", "--plugin", str(TOYS), "--dataset", "toys", *wrong]) == 1
    assert "Did you mean" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("name", ["edges", "log_ratio"])
def test_a_table_of_likelihoods_that_is_not_finite(name: str, folder: Path, capsys: Output) -> None:
    table = json.loads(DEFAULT_TABLE.read_text())
    table[name][0][0] = float("nan")
    (folder / "table.json").write_text(json.dumps(table))
    for command in (["build"], ["show", "--out", "x.png"], ["stats"]):
        assert top_map([*command, "--dataset", "synthetic", "--set", f"likelihoods={folder / 'table.json'}"]) == 1
        assert "numbers that are not finite" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("command", ["show", "fit"])
def test_a_file_that_could_not_be_written_in_the_end(command: str, folder: Path, capsys: Output) -> None:
    (folder / "x.png").mkdir()
    assert top_map([command, "--dataset", "synthetic", "--out", str(folder / "x.png")]) == 1
    assert "it is a directory" in capsys.readouterr().err


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("wrong", [("--temperature", "0"), ("--eta", "nan"), ("--noise-px", "-1")])
def test_numbers_that_no_map_can_be_made_with(wrong: tuple[str, str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        top_map(["stats", "--dataset", "synthetic", *wrong])
    assert ended.value.code == 2 and "expected a number" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["not finite", "integers"])
def test_weights_that_no_tracker_can_use(wrong: str, folder: Path, capsys: Output) -> None:
    network = build_network("siamfc_resnet18")
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    name = next(iter(weights))
    weights[name] = weights[name].int() if wrong == "integers" else torch.full_like(weights[name], float("nan"))
    save_checkpoint(folder / "net.pth.tar", {"net": weights, "constructor": network.constructor})
    words = ["siamfc", "untrained_res18", "--set", f"network={folder / 'net.pth.tar'}", "--plugin", str(TOYS)]
    for command in (run_tracker.main, run_vot.main):
        assert command([*words, "--dataset", "toys"]) == 1
        said = capsys.readouterr().err
        assert said.count("net.pth.tar") == 1 and name in said and "error: " in said, said


@pytest.mark.parametrize("data", ["nowhere", "otb", "vot2018"])
def test_a_data_set_that_is_not_there_is_told_before_weights_are_downloaded(
    data: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(resnet, "_load_imagenet", lambda *arguments: pytest.fail("weights were downloaded"))
    load_plugins([])
    command = run_vot.main if data == "vot2018" else run_tracker.main
    assert command(["siamfc", "imagenet_res18", "--dataset", data]) == 1
    said = capsys.readouterr().err
    assert data.rstrip("0128") in said and "download" not in said


def test_training_videos_that_are_not_there_are_told_before_weights_are_downloaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setattr(resnet, "_load_imagenet", lambda *arguments: pytest.fail("weights were downloaded"))
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(folder / "nowhere"))
    words = ["--device", "cpu", "--set", "network.pretrained=imagenet"]
    assert run_training.main(["siamfc", "box_siam_res18", *words]) == 1
    said = capsys.readouterr().err
    assert "nowhere" in said and "download" not in said
