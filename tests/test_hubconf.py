"""``torch.hub`` finds the networks in a checkout, untrained or from a shared folder or its URL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import ltr
from ltr.admin.checkpoint import CheckpointError
from ltr.models.builder import build_network
from ltr.sharing import url
from tests.conftest import load_module

REPOSITORY = Path(__file__).resolve().parents[1]
CODE = """
import sys, torch
for words in (sys.argv[2:], []):
    net = torch.hub.load(sys.argv[1], "siamfc_res18", *words, source="local")
    total = sum(float(value.detach().sum()) for value in net.parameters())
    print(type(net).__name__, net.constructor["network"], net.training, total)
"""


@pytest.fixture
def shared(tmp_path: Path, workspace: Path) -> tuple[Path, nn.Module]:
    torch.manual_seed(3)
    net = build_network("siamfc_resnet18", output_layer="layer2", stride=8, border=3, normalise=True)
    return ltr.save_pretrained(net, tmp_path / "mine"), net


@pytest.mark.long
def test_torch_loads_a_network_from_any_directory(shared: tuple[Path, nn.Module], tmp_path: Path) -> None:
    folder, net = shared
    command = [sys.executable, "-c", CODE, str(REPOSITORY), str(folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    trained, untrained = done.stdout.splitlines()
    total = sum(float(value.detach().sum()) for value in net.parameters())
    *words, sum_there = trained.split()
    assert words == ["SiamFCNet", "siamfc_resnet18", "False"]
    assert float(sum_there) == pytest.approx(total, rel=1e-6)  # threads add in another order
    assert untrained.startswith("SiamFCNet siamfc_resnet18 False ") and untrained != trained


def test_every_entry_point_says_what_it_is_and_names_a_network() -> None:
    module = load_module(REPOSITORY / "hubconf.py")
    entries = {name: entry for name, entry in vars(module).items() if callable(entry) and not name.startswith("_")}
    assert set(entries) == {
        "siamfc_alexnet", "siamfc_res18", "siamfc_res22", "dimp18", "dimp50", "transt50", "pretrained",
    }  # fmt: skip
    assert all(entry.__doc__ and entry.__module__ == module.__name__ for entry in entries.values())
    assert {type(entry()).__name__ for name, entry in entries.items() if name.startswith(("siamfc", "dimp18"))} == {
        "SiamFCNet",
        "DiMPNet",
    }
    for name in module.dependencies:
        __import__(name)


def test_a_folder_of_another_kind_is_told(shared: tuple[Path, nn.Module]) -> None:
    folder, net = shared
    module = load_module(REPOSITORY / "hubconf.py")
    assert torch.equal(next(module.pretrained(folder).parameters()), next(net.parameters()))
    with pytest.raises(ValueError, match="holds a siamfc_resnet18, not a transt50; the entry point 'pretrained'"):
        module.transt50(folder)


def test_a_url_is_downloaded_once_and_again_where_it_changed(
    shared: tuple[Path, nn.Module], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, net = shared
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    asked: list[str] = []
    fetch = torch.hub.download_url_to_file

    def counted(address: str, *rest: object, **more: object) -> None:
        asked.append(address.rpartition("/")[2])
        fetch(address, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.hub, "download_url_to_file", counted)
    address = folder.as_uri()
    for _ in range(2):
        loaded = ltr.load(url.downloaded(f"{address}/"))
        assert all(torch.equal(value, net.state_dict()[name]) for name, value in loaded.state_dict().items())
    assert asked == ["config.json", "model.safetensors", "config.json"]
    other = build_network("siamfc_alexnet")
    ltr.save_pretrained(other, folder, overwrite=True)
    assert type(ltr.load(url.downloaded(address)).backbone).__name__ == type(other.backbone).__name__
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json cannot be downloaded"):
        url.downloaded(address)


def test_a_url_with_other_weights_is_refused(
    shared: tuple[Path, nn.Module], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, _ = shared
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    config = json.loads((folder / "config.json").read_text())
    config["weights"]["sha256"] = "0" * 64
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="is damaged or was replaced"):
        ltr.load(url.downloaded(folder.as_uri()))
