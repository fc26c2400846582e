from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ltr.admin import checkpoint
from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_network, save_checkpoint
from ltr.admin.files import WriteError, partial_path
from ltr.models.builder import build_network

REPOSITORY = Path(__file__).resolve().parents[3]


class RunsCode:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def state_of(net: nn.Module, **more: Any) -> dict[str, Any]:
    return {"net": net.state_dict(), "constructor": getattr(net, "constructor", None), "epoch": 1, **more}


def toy_checkpoint(path: Path, width: int = 4) -> nn.Module:
    net = build_network("toy", width=width)
    save_checkpoint(path, state_of(net))
    return net


def test_a_checkpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = {
        "net": {"weight": torch.arange(3.0)},
        "constructor": None,
        "numbers": [1, 2.5, True, None, "text", (1, 2)],
        "score": np.float32(0.5),
        "path": tmp_path,
        "by_epoch": {1: 0.25},
    }
    save_checkpoint(tmp_path / "net.pth.tar", state)
    content = load_checkpoint(tmp_path / "net.pth.tar")
    assert torch.equal(content["net"]["weight"], torch.arange(3.0))
    assert content["numbers"] == state["numbers"]
    assert content["score"] == 0.5
    assert content["path"] == str(tmp_path)
    assert content["by_epoch"] == {1: 0.25}


def test_what_could_not_be_read_back_is_refused_when_saving(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot store hooks\.Score\[1\]: a Linear"):
        save_checkpoint(tmp_path / "net.pth.tar", {"net": {}, "hooks": {"Score": [0, nn.Linear(1, 1)]}})
    assert os.listdir(tmp_path) == []


# ---- what is not a good checkpoint ------------------------------------------------------------------------------


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing\.pth\.tar: there is no such file"):
        load_checkpoint(tmp_path / "nothing.pth.tar")
    with pytest.raises(CheckpointError, match="it is a directory"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("kept", [0.2, 0.9, 0.999])
def test_a_truncated_checkpoint_is_named_as_such(tmp_path: Path, toy: ModuleType, kept: float) -> None:
    path = tmp_path / "net.pth.tar"
    toy_checkpoint(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match=r"net\.pth\.tar is truncated"):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x80", b"PK\x03\x04", bytes(1000), b"\x89PNG\r\n"])
def test_a_file_of_another_format_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.pth.tar"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"net\.pth\.tar"):
        load_checkpoint(path)


@pytest.mark.parametrize("part", [b"data.pkl", b"data/0"])
def test_damaged_bytes_in_the_middle_are_noticed_in_structure_and_in_weights(tmp_path: Path, part: bytes) -> None:
    path = tmp_path / "net.pth.tar"
    save_checkpoint(path, {"net": {"weight": torch.zeros(1000)}, "constructor": None})
    content = bytearray(path.read_bytes())
    start = content.index(part) + len(part) + 64
    content[start : start + 64] = b"\xff" * 64
    path.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=r"net\.pth\.tar.* damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize("foreign", [{"state_dict": {}}, {"weight": torch.zeros(1)}, [1, 2], torch.zeros(2)])
def test_another_programs_file_is_told_by_what_it_lacks(tmp_path: Path, foreign: Any) -> None:
    torch.save(foreign, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"net\.pth was not written by this project.*lacks 'net'"):
        load_checkpoint(tmp_path / "net.pth")


@pytest.mark.parametrize("archive", [True, False])
def test_a_checkpoint_that_would_run_code_is_refused_and_nothing_runs(tmp_path: Path, archive: bool) -> None:
    path, marker = tmp_path / "net.pth.tar", tmp_path / "code_ran"
    state = {"net": {}, "constructor": None, "extra": RunsCode(marker)}
    if archive:
        torch.save(state, path)
    else:
        path.write_bytes(pickle.dumps(state, protocol=2))
    with pytest.raises(CheckpointError, match=r"net\.pth\.tar") as caught:
        load_checkpoint(path)
    assert "refused" in str(caught.value)
    assert "system" in str(caught.value)
    assert not marker.exists()


# ---- networks ---------------------------------------------------------------------------------------------------


def test_a_network_comes_back_from_its_checkpoint_alone(tmp_path: Path, workspace: Path, toy: ModuleType) -> None:
    net = toy_checkpoint(tmp_path / "net.pth.tar", width=7)
    loaded = load_network(tmp_path / "net.pth.tar")
    assert not loaded.training
    assert loaded.hidden.out_features == 7
    for name, value in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_network_is_found_by_file_name_in_the_networks_directory(workspace: Path, toy: ModuleType) -> None:
    toy_checkpoint(workspace / "networks" / "added.pth.tar")
    assert isinstance(load_network("added.pth.tar"), toy.ToyNet)
    assert isinstance(load_network("added"), toy.ToyNet)
    with pytest.raises(CheckpointError, match="no checkpoint 'subtracted.pth.tar': looked for .*networks"):
        load_network("subtracted.pth.tar")


def test_a_recipes_name_stands_for_its_newest_best_checkpoint(workspace: Path, toy: ModuleType) -> None:
    directory = workspace / "checkpoints" / "ltr" / "toy" / "sums"
    with pytest.raises(CheckpointError, match=r"Train it with: python ltr/run_training\.py toy sums"):
        load_network("toy/sums")
    toy_checkpoint(directory / "ToyNet_ep0009.pth.tar", width=2)
    toy_checkpoint(directory / "ToyNet_ep0010.pth.tar", width=3)
    assert load_network("toy/sums").hidden.out_features == 3  # without a score there is no best one
    toy_checkpoint(directory / "ToyNet_best.pth.tar", width=5)
    assert load_network("toy/sums").hidden.out_features == 5
    assert checkpoint.best_checkpoint("ltr/toy/sums") == directory / "ToyNet_best.pth.tar"


def test_weights_that_do_not_fit_are_told_by_their_names(tmp_path: Path, workspace: Path, toy: ModuleType) -> None:
    net = build_network("toy")
    weights = net.state_dict()
    weights["hiden.weight"] = weights.pop("hidden.weight")
    weights["out.bias"] = torch.zeros(3)
    save_checkpoint(tmp_path / "net.pth.tar", {**state_of(net), "net": weights})
    with pytest.raises(CheckpointError) as caught:
        load_network(tmp_path / "net.pth.tar")
    message = str(caught.value)
    assert "1 missing: hidden.weight" in message
    assert "1 unknown to the network: hiden.weight" in message
    assert "out.bias is (3,) instead of (1,)" in message


def test_a_checkpoint_that_does_not_say_how_its_network_is_built_cannot_give_one(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "net.pth.tar", state_of(nn.Linear(1, 1)))
    with pytest.raises(CheckpointError, match="does not say how its network is built"):
        load_network(tmp_path / "net.pth.tar")


# ---- saving when things go wrong --------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
def test_a_full_disk_while_saving_leaves_the_earlier_checkpoint(tmp_path: Path, toy: ModuleType) -> None:
    path = tmp_path / "net.pth.tar"
    net = toy_checkpoint(path)
    partial_path(tmp_path / "net.pth.tar").symlink_to("/dev/full")
    with pytest.raises(WriteError, match=r"cannot write .*net\.pth\.tar: No space left") as caught:
        save_checkpoint(path, state_of(nn.Linear(1000, 100)))
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == ["net.pth.tar"]
    assert torch.equal(load_checkpoint(path)["net"]["out.bias"], net.state_dict()["out.bias"])


def test_no_permission_to_write_is_named_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "workspace").touch()  # root may write anywhere, but not below a file
    with pytest.raises(WriteError, match=r"cannot write .*workspace/checkpoints/net\.pth\.tar"):
        save_checkpoint(tmp_path / "workspace" / "checkpoints" / "net.pth.tar", {"net": {}})


@pytest.mark.long
def test_a_run_killed_while_saving_leaves_the_earlier_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "net.pth.tar"
    program = """
        import sys, time, torch
        from ltr.admin import files
        from ltr.admin.checkpoint import save_checkpoint
        save_checkpoint(sys.argv[1], {"net": {}, "constructor": None, "epoch": 1})
        def hang(path):
            print("saving", flush=True)
            time.sleep(60)
        files._force_to_disk = hang
        save_checkpoint(sys.argv[1], {"net": {"w": torch.zeros(1000)}, "constructor": None, "epoch": 2})
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "saving\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert len(list(tmp_path.glob(".*.partial"))) == 1
    assert load_checkpoint(path)["epoch"] == 1
