"""Networks given away as folders: what is in them, what is refused, and that they track as before."""

from __future__ import annotations

import hashlib
import json
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import ltr
import pytracking
from ltr.admin import weights as weights_command
from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_network, save_checkpoint
from ltr.admin.files import WriteError
from ltr.config.start import begin_with
from ltr.models.builder import build_network
from ltr.registry import RegistryError
from ltr.sharing.folder import CONFIG, FILES, WEIGHTS
from ltr.sharing.hub import HubError
from pytracking.evaluation import get_dataset
from socl_plugins import command
from socl_plugins.clicks.label_cost import recorded_cost
from tests.recipes import FEW_PROPOSALS, SMALL

Output = pytest.CaptureFixture[str]
QUICK_DIMP = {"use_augmentation": "no", "net_opt_iter": "1"}
FAMILIES: Mapping[str, tuple[str, dict[str, Any], str, dict[str, str]]] = {
    "SiamFC": ("siamfc_alexnet", {}, "siamfc/siamfc_pytorch", {}),
    "SoCL": ("siamfc_resnet18", {"output_layer": "layer2", "stride": 8, "border": 3}, "siamfc/socl_res18", {}),
    "DiMP": ("dimpnet18", {"filter_size": 4, "init_gauss_sigma": 0.3}, "dimp/dimp18", QUICK_DIMP),
    "TransT": ("transt18", {"fusion_layers": 1, "hidden": 16}, "transt/transt50", {}),
    "PUL": ("siamfc_resnet22", {"normalise": True}, "siamfc/res_pul", {}),
}


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return build_network("siamfc_resnet18", output_layer="layer2", stride=8, border=3)


@pytest.fixture
def shared(net: nn.Module, tmp_path: Path, workspace: Path) -> Path:
    return ltr.save_pretrained(net, tmp_path / "mine")


def same(left: nn.Module, right: nn.Module) -> bool:
    other = right.state_dict()
    return all(torch.equal(value, other[name]) for name, value in left.state_dict().items()) and len(other) > 0


def change(folder: Path, change_config: Any) -> None:
    config = json.loads((folder / CONFIG).read_text())
    changed = change_config(config)
    (folder / CONFIG).write_text(json.dumps(config if changed is None else changed))


def replace_weights(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    """Puts other weights there, with the sha256 that fits them."""
    from safetensors.torch import save_file

    save_file(weights, folder / WEIGHTS)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    change(folder, lambda config: config["weights"].update(sha256=digest))


# ---- there and back -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.long
def test_a_network_of_each_family_tracks_from_its_folder_as_from_its_checkpoint(
    family: str, tmp_path: Path, workspace: Path, capsys: Output
) -> None:
    name, arguments, tracker, settings = FAMILIES[family]
    torch.manual_seed(0)
    net = build_network(name, **arguments)
    checkpoint = tmp_path / "net.pth.tar"
    save_checkpoint(checkpoint, {"net": net.state_dict(), "constructor": net.constructor})
    by_command, by_function = tmp_path / "by command", tmp_path / "by_function"
    words = ["share", str(checkpoint), "--out", str(by_command), "--tracker", tracker, "--license", "cc-by-4.0"]
    assert command.main(words) == 0
    assert "model.safetensors" in capsys.readouterr().out
    assert ltr.save_pretrained(net, by_function, tracker=tracker, license="cc-by-4.0") == by_function
    for folder in (by_command, by_function):
        assert {path.name for path in folder.iterdir()} == set(FILES)
        assert same(net, ltr.from_pretrained(folder)) and same(net, ltr.load(folder))
        assert not ltr.load(folder).training
    configs = [json.loads((folder / CONFIG).read_text()) for folder in (by_command, by_function)]
    assert configs[0]["weights"] == configs[1]["weights"] and configs[0]["tracker"] == tracker
    sequence = get_dataset("synthetic")[0]
    frames = [sequence.frame(number) for number in range(3)]
    # A path stays a path: the workspace's folder of networks may hold the folder, too.
    tracks = [
        pytracking.track(frames, tracker, box=sequence.ground_truth_rect[0], overrides={**settings, "network": network})
        for network in (checkpoint, by_command)
    ]
    np.testing.assert_array_equal(tracks[0].boxes, tracks[1].boxes)


@pytest.mark.long
def test_the_card_tells_what_the_run_recorded(tmp_path: Path, workspace: Path) -> None:
    result = ltr.train("socl/socl_res18", {**SMALL, **FEW_PROPOSALS}, seed=7, device="cpu")
    folder = ltr.save_pretrained("socl/socl_res18", tmp_path / "mine")
    text = (folder / "README.md").read_text()
    cost = recorded_cost(load_checkpoint(result.checkpoint or ""))
    assert cost is not None and cost == recorded_cost(load_checkpoint(folder)), "reports show it as before"
    for said in (
        "license: unknown",
        "- train: synthetic, 2 videos",
        "- videos: 2\n- frames: 60\n- clicks: 60\n- boxes: 0\n",
        f"- hours: {cost.hours:.4g}\n- dollars: {cost.dollars:.4g}\n- prices: at the paper's prices",
        "- time of a click was measured: no",
        f"| AUC | {result.untrained:.4g} | {result.trained:.4g} |",
        "- recipe: `socl/socl_res18`, schedule short, seed 7",
        f"torch {torch.__version__}",
        'pytracking.track("VIDEO.mp4", "siamfc/socl_res18", click=(105, 170), overrides={"network": "mine"})',
        "not stated: ask whoever gave you",
    ):
        assert said in text, said
    config = json.loads((folder / CONFIG).read_text())
    assert config["training"]["settings"]["config"]["actor.objective.tau"] == 0.07
    again = ltr.save_pretrained(folder, tmp_path / "again", license="cc0-1.0")
    passed_on = json.loads((again / CONFIG).read_text())
    assert passed_on["training"] == config["training"] and passed_on["weights"] == config["weights"]


def test_no_folder_of_this_machine_gets_into_what_is_given_away(
    tmp_path: Path, net: nn.Module, workspace: Path
) -> None:
    settings = {
        "config": {
            "start": "/home/ann/secret/first.pth",
            "data.sets": ["C:\\data\\x.json"],
            "a": "clips in /home/ann/c, 2",
        }
    }
    state = {"net": net.state_dict(), "constructor": net.constructor, "settings": settings}
    save_checkpoint(tmp_path / "net.pth.tar", state)
    folder = ltr.save_pretrained(tmp_path / "net.pth.tar", tmp_path / "mine")
    config = json.loads((folder / CONFIG).read_text())["training"]["settings"]["config"]
    assert config == {"start": "first.pth", "data.sets": ["x.json"], "a": "clips in c, 2"}
    assert "ann" not in (folder / "README.md").read_text()


def test_wherever_a_network_is_named_its_folder_can_be(
    shared: Path, net: nn.Module, workspace: Path, capsys: Output
) -> None:
    (workspace / "networks").mkdir()
    shared.rename(workspace / "networks" / "mine")
    assert same(net, load_network("mine")), "by its name in network_dir"
    other = build_network("siamfc_resnet18", output_layer="layer2", stride=8, border=3)
    assert begin_with(other, "mine").startswith("start: 30 of 30 weights are those of mine")
    assert same(net, other)
    assert weights_command.main(["check", "mine"]) == 0
    assert weights_command.main(["export", "mine", str(workspace / "mine.safetensors")]) == 0
    assert same(net, load_network(workspace / "networks" / "mine" / WEIGHTS)), "the file tells how it is built, too"


def test_a_folder_that_holds_something_is_kept(shared: Path, net: nn.Module, tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="a network lies there; --overwrite replaces it"):
        ltr.save_pretrained(net, shared)
    (shared / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(WriteError, match=r"it holds other files \(notes.txt\)"):
            ltr.save_pretrained(net, shared, overwrite=overwrite)
    (shared / "notes.txt").unlink()
    other = build_network("siamfc_alexnet")
    ltr.save_pretrained(other, shared, overwrite=True)
    assert same(other, ltr.load(shared)) and [path.name for path in tmp_path.glob(".*")] == []
    with pytest.raises(WriteError, match="there is a file of that name"):
        ltr.save_pretrained(net, shared / CONFIG)


def test_nothing_half_written_stays(net: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ltr.sharing.folder.sha256_of", full)
    with pytest.raises(OSError, match="No space left"):
        ltr.save_pretrained(net, tmp_path / "mine")
    assert not list(tmp_path.iterdir())


# ---- what is refused ----------------------------------------------------------------------------------------------


def test_other_weights_are_refused(shared: Path, net: nn.Module) -> None:
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    first = next(iter(weights))
    replace_weights(shared, {name: value for name, value in weights.items() if name != first})
    with pytest.raises(CheckpointError, match=f"mine do not fit a SiamFCNet; 1 missing: {first}"):
        ltr.from_pretrained(shared)
    replace_weights(shared, {**weights, "more": torch.zeros(2)})
    with pytest.raises(CheckpointError, match="1 unknown to the network: more"):
        ltr.from_pretrained(shared)
    replace_weights(shared, {**weights, first: torch.zeros(2)})
    with pytest.raises(CheckpointError, match=f"1 of another shape: {first} is "):
        ltr.from_pretrained(shared)
    replace_weights(shared, {**weights, first: weights[first] * torch.nan})
    with pytest.raises(CheckpointError, match=f"1 not finite: {first}"):
        ltr.from_pretrained(shared)


def test_a_flipped_bit_or_a_wrong_hash_is_noticed(shared: Path) -> None:
    content = bytearray((shared / WEIGHTS).read_bytes())
    content[-5] ^= 1
    (shared / WEIGHTS).write_bytes(content)
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors is damaged or was replaced: its sha256 is .*config\.json"
    ):
        ltr.load(shared)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            lambda c: c["network"].update(name="siamfc_resnet81"),
            r"mine: unknown network 'siamfc_resnet81'.*Did you mean",
        ),
        (lambda c: c["network"].update(arguments={"stride": "wide"}), "another version of the network"),
        (lambda c: c["network"].update(arguments={"depth": 3}), "another version of the network siamfc_resnet18"),
        (lambda c: c["network"].pop("name"), r"config\.json: network\.name is missing"),
        (lambda c: c["network"].pop("arguments"), r"network\.arguments is missing"),
        (lambda c: c.pop("network"), r"network\.name is missing"),
        (lambda c: c["weights"].update(sha256="0" * 63), r"weights\.sha256 is missing"),
        (lambda c: c["weights"].update(sha256="0" * 64), r"damaged or was replaced"),
        (lambda c: c.update(format_version=2), r"format_version is 2, and this version of the project reads 1"),
        (lambda c: {"model_type": "bert"}, r"config\.json is not of this project but of 'bert'"),
        (lambda c: [c], r"config\.json is not of this project"),
    ],
)
def test_a_description_that_is_wrong_is_one_named_error(shared: Path, wrong: Any, told: str) -> None:
    def changed(config: dict[str, Any]) -> Any:
        result = wrong(config)
        return result if isinstance(result, list) or (isinstance(result, dict) and "model_type" in result) else None

    change(shared, changed)
    with pytest.raises((CheckpointError, RegistryError), match=told):
        ltr.from_pretrained(shared)


def test_half_a_folder_or_another_one_is_told_what_it_lacks(shared: Path, tmp_path: Path, capsys: Output) -> None:
    (shared / CONFIG).rename(tmp_path / CONFIG)
    for read in (ltr.load, ltr.from_pretrained):
        with pytest.raises(CheckpointError, match=r"mine lacks config\.json"):
            read(shared)
    (shared / WEIGHTS).unlink()
    (tmp_path / CONFIG).rename(shared / CONFIG)
    with pytest.raises(CheckpointError, match=r"mine lacks model\.safetensors"):
        ltr.load(shared)
    (tmp_path / "empty").mkdir()
    for read in (ltr.load, ltr.from_pretrained):
        with pytest.raises(CheckpointError, match=r"empty lacks config\.json and model\.safetensors"):
            read(tmp_path / "empty")
    (shared / CONFIG).write_text("{")
    (shared / WEIGHTS).touch()
    with pytest.raises(CheckpointError, match=r"config\.json is damaged: it is no JSON text"):
        ltr.load(shared)
    assert command.main(["share", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    assert "error: the folder" in capsys.readouterr().err and not (tmp_path / "out").exists()
    with pytest.raises(CheckpointError, match="no folder of a shared network: ltr.load reads checkpoints"):
        ltr.from_pretrained(shared / CONFIG)


def test_reading_a_folder_runs_no_code_of_it(shared: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "exploded",))

    (shared / WEIGHTS).write_bytes(pickle.dumps(Bomb()))
    (shared / "hubconf.py").write_text(f"open({str(tmp_path / 'exploded')!r}, 'w')")
    digest = hashlib.sha256((shared / WEIGHTS).read_bytes()).hexdigest()
    change(shared, lambda config: config["weights"].update(sha256=digest))
    with pytest.raises(CheckpointError, match="is no safetensors file, or is damaged"):
        ltr.from_pretrained(shared)
    assert not (tmp_path / "exploded").exists()


def test_what_cannot_be_shared_is_told(tmp_path: Path, net: nn.Module, workspace: Path) -> None:
    with pytest.raises(CheckpointError, match="a Linear does not say how it is built"):
        ltr.save_pretrained(nn.Linear(1, 1), tmp_path / "mine")
    with pytest.raises(ValueError, match="give its short name"):
        ltr.save_pretrained(net, tmp_path / "mine", license="do what\nyou want")
    with pytest.raises(ValueError, match="give it as TRACKER/PARAMETERS"):
        ltr.save_pretrained(net, tmp_path / "mine", tracker="siamfc")
    next(net.parameters()).data[0] = torch.nan
    with pytest.raises(CheckpointError, match="numbers that are not finite"):
        ltr.save_pretrained(net, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


# ---- the Hub ------------------------------------------------------------------------------------------------------


def test_the_hub_is_asked_for_three_files_only(shared: Path, net: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    stand_in = ModuleType("huggingface_hub")  # at the boundary of the network alone: what comes back is a real folder

    def snapshot_download(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision, allow_patterns))
        if name == "ann/none":
            raise OSError("404 Client Error: Repository Not Found\nmore")
        return str(shared)

    stand_in.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", stand_in)
    assert same(net, ltr.from_pretrained("ann/mine"))
    assert same(net, ltr.load("hf://ann/mine@v1.0"))
    assert asked == [("ann/mine", None, list(FILES)), ("ann/mine", "v1.0", list(FILES))]
    sequence = get_dataset("synthetic")[0]
    frames, box = [sequence.frame(0), sequence.frame(1)], sequence.ground_truth_rect[0]
    pytracking.track(frames, "siamfc/socl_res18", box=box, overrides={"network": "hf://ann/mine"})
    with pytest.raises(HubError, match="ann/none cannot be downloaded from the Hub: OSError: 404 Client Error"):
        ltr.from_pretrained("ann/none")


def test_without_its_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(HubError, match="pip install huggingface_hub"):
        ltr.from_pretrained("ann/mine")


def test_what_is_neither_a_folder_nor_a_name_is_told() -> None:
    with pytest.raises(CheckpointError, match="there is no folder nowhere, and 'nowhere' is no name on the Hub"):
        ltr.from_pretrained("nowhere")
    with pytest.raises(HubError, match="it must be user/name"):
        ltr.load("hf://nowhere")
