"""Devices: those that are not here are named before anything is computed, and mps is asked for no float64."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.admin.devices import DeviceError, double_device, named_device
from ltr.data.tensordict import TensorDict
from pytracking import run_tracker
from pytracking.parameter.params import TrackerParams

Output = pytest.CaptureFixture[str]


@pytest.fixture
def no_mps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", "mps:3", "", "meta"])
def test_what_is_no_device_is_told_what_there_is(name: str) -> None:
    with pytest.raises(DeviceError, match="choose auto, cpu, cuda, cuda:1 or mps"):
        named_device(name)
    with pytest.raises(DeviceError):
        TrackerParams(device=name).torch_device  # noqa: B018


def test_an_mps_that_is_not_here_is_one_named_error(no_mps: None, workspace: Path, capsys: Output) -> None:
    with pytest.raises(DeviceError, match=r"device=mps: torch finds no such GPU here \(.*\)\. Use device=cpu"):
        named_device("mps")
    words = ["siamfc", "untrained_res18", "--dataset", "synthetic", "--set", "device=mps"]
    assert run_tracker.main(words) == 1
    assert "device=mps: torch finds no such GPU here" in capsys.readouterr().err
    small = ["--set", "data.embedded_videos=2", "--set", "score=none"]
    assert run_training.main(["siamfc", "box_siam_res18", "--device", "mps", *small]) == 1
    assert "device=mps: torch finds no such GPU here" in capsys.readouterr().err


def test_a_gpu_beyond_those_that_are_here_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert named_device("cuda:1") == torch.device("cuda:1") and named_device("auto").type == "cuda"
    with pytest.raises(DeviceError, match="device=cuda:2: there are 2 GPUs here, counted from cuda:0"):
        named_device("cuda:2")


def test_where_mps_is_it_is_taken_if_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert named_device("mps") == torch.device("mps") and named_device("auto") == torch.device("cpu")


def test_float64_is_computed_elsewhere_than_on_mps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert double_device("mps") == torch.device("cpu")
    assert double_device(torch.device("cuda:1")) == torch.device("cuda:1") and double_device(None).type == "cpu"
    asked: list[tuple[torch.dtype, str]] = []
    move = torch.Tensor.to

    def recorded(tensor: torch.Tensor, target: object, **more: object) -> torch.Tensor:
        if target == "mps":
            asked.append((tensor.dtype, "mps"))
            return tensor
        return move(tensor, target, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(torch.Tensor, "to", recorded)
    TensorDict(a=torch.zeros(2, dtype=torch.float64), b=torch.zeros(2, dtype=torch.uint8)).to("mps")
    assert asked == [(torch.float32, "mps"), (torch.uint8, "mps")]
