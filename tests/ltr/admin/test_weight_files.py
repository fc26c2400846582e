"""Weights files: what is damaged, not finite, of another kind or too large is refused; safetensors both ways."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ltr.admin import weights as command_line
from ltr.admin.checkpoint import (
    CheckpointError,
    load_checkpoint,
    load_file,
    load_network,
    load_weights,
    save_checkpoint,
)
from ltr.admin.weight_files import digest_path, write_weights
from ltr.models.backbone import resnet18
from ltr.models.builder import build_network
from ltr.registry import NETWORKS

Output = pytest.CaptureFixture[str]


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 16
    path.write_bytes(content)


# ---- damage -------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_a_weights_file_is_noticed(tmp_path: Path) -> None:
    path = saved(tmp_path / "weights.pth", {"weight": torch.zeros(1000)})
    flip(path, path.read_bytes().index(bytes(2000)) + 1000)
    with pytest.raises(CheckpointError, match=r"weights\.pth is damaged"):
        load_file(path)


def test_a_sha256_beside_a_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, {"weight": torch.arange(1000.0)}, {"made": "here"})
    assert torch.equal(load_file(path)["weight"], torch.arange(1000.0))
    assert re.fullmatch(r"[0-9a-f]{64}  weights\.safetensors\n", digest_path(path).read_text())
    flip(path, path.stat().st_size - 100)
    with pytest.raises(CheckpointError, match=r"sha256 is not the one in weights\.safetensors\.sha256 beside it"):
        load_file(path)
    digest_path(path).unlink()
    load_file(path)  # nothing is left that could notice it


def test_the_digits_of_a_sha256_in_a_files_name_are_checked(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="its sha256 does not begin with f37072fd"):
        load_file(saved(tmp_path / "resnet18-f37072fd.pth", {}))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_safetensors_file_is_refused(tmp_path: Path, part: float) -> None:
    path = tmp_path / "weights.safetensors"
    write_weights(path, {"weight": torch.zeros(1000)}, {})
    digest_path(path).unlink()
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(CheckpointError, match=r"weights\.safetensors"):
        load_file(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: {**w, "0.weight": w["0.weight"] * float("nan")}, "1 not finite: 0.weight"),
        (lambda w: {**w, "0.weight": w["0.weight"] / 0}, "1 not finite: 0.weight"),
        (lambda w: {**w, "0.weight": w["0.weight"].int()}, "1 of another kind of number: 0.weight is int32"),
        (lambda w: {**w, "0.weight": w["0.weight"].to(torch.complex64)}, "0.weight is complex64"),
        (lambda w: {**w, "1.num_batches_tracked": torch.tensor(0.5)}, "1.num_batches_tracked is float32"),
        (lambda w: {**w, "0.weight": [1.0, 2.0]}, "1 no tensors: 0.weight (list)"),
        (lambda w: {**w, 7: w["0.bias"]}, "1 unknown to the network: 7"),
        (lambda w: dict(enumerate(w.values())), "7 unknown to the network: 0, 1, 2"),
        (lambda w: [*w.values()], "is a list, not a dict of weights"),
    ],
)
def test_weights_that_would_load_silently_wrong_are_refused(change: Any, told: str) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(CheckpointError, match=re.escape(told)):
        load_weights(net, change(net.state_dict()), "weights.pth")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_backbones_file_is_checked_like_any_other(tmp_path: Path) -> None:
    weights = resnet18("layer1").state_dict() | {"fc.weight": torch.zeros(3)}
    resnet18("layer1", pretrained=str(saved(tmp_path / "good.pth", weights)))
    del weights["bn1.num_batches_tracked"]
    resnet18("layer1", pretrained=str(saved(tmp_path / "old.pth", weights)))
    weights["conv1.weight"][0] = float("nan")
    with pytest.raises(CheckpointError, match=r"nan\.pth do not fit a ResNetBackbone; 1 not finite: conv1\.weight"):
        resnet18("layer1", pretrained=str(saved(tmp_path / "nan.pth", weights)))


# ---- other people's files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_the_prefix_of_a_wrapper_is_taken_off_with_a_word(prefix: str, capsys: Output) -> None:
    net, other = nn.Linear(2, 3), nn.Linear(2, 3)
    file = f"theirs under {prefix}pth"  # what is said of a file is said once in a process
    load_weights(net, {f"{prefix}{name}": value for name, value in other.state_dict().items()}, file)
    assert torch.equal(net.weight, other.weight)
    assert f"{file}: the prefix" in capsys.readouterr().err


def test_a_network_that_has_a_module_of_that_name_keeps_it() -> None:
    net, other = (nn.ModuleDict({"module": nn.Linear(2, 3)}) for _ in range(2))
    load_weights(net, other.state_dict(), "ours.pth")
    assert torch.equal(net["module"].weight, other["module"].weight)


@pytest.mark.parametrize("number", [np.float32(0.5), np.float64(0.25), np.int64(-7), np.bool_(True), np.float16(2)])
@pytest.mark.parametrize("archive", [True, False])
def test_a_numpy_number_is_read_as_a_plain_one(tmp_path: Path, number: Any, archive: bool) -> None:
    torch.save({"loss": [number]}, tmp_path / "theirs.pth", _use_new_zipfile_serialization=archive)
    (read,) = load_file(tmp_path / "theirs.pth")["loss"]
    assert read == number and type(read) is type(number.item())


def test_what_numpy_cannot_be_read_of_is_named_with_its_key(tmp_path: Path) -> None:
    path = saved(tmp_path / "theirs.pth", {"net": {}, "mean_colour": np.zeros(3)})
    with pytest.raises(CheckpointError, match=r"object of NumPy \(\S+\) at 'mean_colour'.*torch\.from_numpy"):
        load_file(path)


def test_an_object_dtype_is_no_number(tmp_path: Path) -> None:
    path = saved(tmp_path / "theirs.pth", {"x": np.array([{}], dtype=object)})
    with pytest.raises(CheckpointError):
        load_file(path)


# ---- what a file may ask for --------------------------------------------------------------------------------------


def test_a_packed_file_that_unpacks_to_more_than_its_size_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "plain.pth", {"weight": torch.zeros(1_000_000)})
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as bomb:
        for entry in plain.namelist():
            bomb.writestr(entry, plain.read(entry))
    with pytest.raises(CheckpointError, match=r"refused to load .*bomb\.pth: it unpacks to 0\.004 GB"):
        load_file(tmp_path / "bomb.pth")


@pytest.mark.parametrize("hide", [lambda x: x, lambda x: [{"deep": (x,)}]])
def test_a_number_repeated_a_billion_times_is_refused(tmp_path: Path, hide: Any) -> None:
    path = saved(tmp_path / "bomb.pth", {"net": hide(torch.zeros(1).expand(40_000, 50_000))})
    assert path.stat().st_size < 10_000
    with pytest.raises(CheckpointError, match=r"a tensor of the shape \(40000, 50000\) would take 8 GB"):
        load_file(path)


def test_a_checkpoint_does_not_choose_where_its_network_starts(
    tmp_path: Path, toy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def started(width: int, pretrained: str | None = None, weights: str | None = None) -> nn.Module:
        asked.append((pretrained, weights))
        return nn.Linear(1, width)

    monkeypatch.setitem(NETWORKS._entries, "started", started)
    for choice in ({"pretrained": "imagenet"}, {"weights": "/etc/passwd"}):
        constructor = {"network": "started", "kwargs": {"width": 3, **choice}}
        save_checkpoint(tmp_path / "net.pth.tar", {"net": nn.Linear(1, 3).state_dict(), "constructor": constructor})
        load_network(tmp_path / "net.pth.tar")
    assert asked and set(asked) == {(None, None)}


@pytest.mark.parametrize(
    "constructor",
    [
        {"network": "toy", "kwargs": {"width": 10**12}},
        {"network": "toy", "kwargs": {"width": -1}},
        {"network": "toy", "kwargs": {"width": "wide"}},
        {"network": "toy", "kwargs": {"height": 1}},
        {"network": "toy", "kwargs": {7: 1}},
        {"network": "toy", "kwargs": [1]},
        {"network": ["toy"], "kwargs": {}},
    ],
)
def test_a_constructor_that_asks_for_nonsense_is_one_error(
    tmp_path: Path, toy: ModuleType, constructor: dict[str, Any]
) -> None:
    state = {"net": build_network("toy").state_dict(), "constructor": constructor}
    save_checkpoint(tmp_path / "net.pth.tar", state)
    with pytest.raises(CheckpointError, match=r"net\.pth\.tar"):
        load_network(tmp_path / "net.pth.tar")


def test_reading_a_network_draws_no_random_number_of_the_weights_it_checks(tmp_path: Path, toy: ModuleType) -> None:
    save_checkpoint(
        tmp_path / "net.pth.tar", {"net": (net := build_network("toy")).state_dict(), "constructor": net.constructor}
    )
    torch.manual_seed(0)
    build_network("toy")
    expected = torch.rand(1)
    torch.manual_seed(0)
    load_network(tmp_path / "net.pth.tar")
    assert torch.equal(torch.rand(1), expected)


# ---- safetensors --------------------------------------------------------------------------------------------------


def test_a_network_is_exported_checked_and_tracked_with_as_safetensors(
    tmp_path: Path, workspace: Path, toy: ModuleType, capsys: Output
) -> None:
    net = build_network("toy", width=7)
    checkpoint = workspace / "checkpoints" / "ltr" / "toy" / "sums" / "ToyNet_best.pth.tar"
    save_checkpoint(checkpoint, {"net": net.state_dict(), "constructor": net.constructor})
    out = workspace / "networks" / "toy.safetensors"
    assert command_line.main(["export", "toy/sums", str(out)]) == 0
    assert json.loads(json.dumps(load_checkpoint(out)["constructor"])) == net.constructor
    for name in (out, "toy", "toy.safetensors"):
        loaded = load_network(name)
        assert all(torch.equal(value, loaded.state_dict()[key]) for key, value in net.state_dict().items())
    assert command_line.main(["check", "toy", "toy/sums"]) == 0
    assert capsys.readouterr().out.count(": whole") == 2
    flip(out, out.stat().st_size - 3)
    assert command_line.main(["check", str(out), "toy/sums"]) == 1
    assert "sha256" in capsys.readouterr().out
    assert command_line.main(["export", "toy/sums", str(tmp_path / "toy.pth")]) == 1
    assert "end in .safetensors" in capsys.readouterr().err


def test_a_safetensors_file_of_another_program_is_a_state_dict(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(dict(resnet18("layer1").state_dict()), tmp_path / "theirs.safetensors")
    resnet18("layer1", pretrained=str(tmp_path / "theirs.safetensors"))
    with pytest.raises(CheckpointError, match=r"theirs\.safetensors was not written by this project"):
        load_checkpoint(tmp_path / "theirs.safetensors")


def test_a_pickle_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep.pth").write_bytes(b"\x80\x02" + b"(" * 100_000 + b".")
    (tmp_path / "self.pth").write_bytes(pickle.dumps([1], 2))
    for name in ("deep.pth", "self.pth"):
        with pytest.raises(CheckpointError, match=name.replace(".", r"\.")):
            load_file(tmp_path / name)


@pytest.mark.parametrize("where", ["net", "average"])
def test_numbers_that_are_not_finite_are_not_whole(tmp_path: Path, capsys: Output, where: str) -> None:
    content = {"net": {"w": torch.zeros(2)}, "average": [{"w": torch.zeros(2)}], "epoch": 1}
    assert command_line.main(["check", str(saved(tmp_path / "whole.pth", content))]) == 0
    broken = {**content, where: {"w": torch.tensor([0.0, torch.nan])}}
    assert command_line.main(["check", str(saved(tmp_path / "broken.pth", broken))]) == 1
    out = capsys.readouterr().out
    assert "whole.pth: whole" in out and "broken.pth holds numbers that are not finite" in out
