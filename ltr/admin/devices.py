"""Devices by their names: one that this machine does not have is told before anything is computed."""

from __future__ import annotations

import re

import torch

from ltr.registry import near_names

KINDS = ("auto", "cpu", "cuda", "mps")
_NAME = re.compile(r"(cpu|mps|cuda(:\d+)?)")


class DeviceError(ValueError):
    """A device that does not exist, or that torch does not find on this machine."""


def named_device(name: str) -> torch.device:
    """Returns the device of a name.

    >>> named_device("cpu")
    device(type='cpu')

    Args:
        name: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` (the GPU of Apple's chips), or ``auto``: the first NVIDIA or AMD
            GPU where there is one, else the CPU. ``mps`` is only taken where it is named.

    Raises:
        DeviceError: it is no such name, or torch finds no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not _NAME.fullmatch(name):
        raise DeviceError(f"device is {name!r:.60}: choose auto, cpu, cuda, cuda:1 or mps.{near_names(name, KINDS)}")
    device = torch.device(name)
    if device.type == "cuda":
        _check_cuda(device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        built = torch.backends.mps.is_built()
        why = "this is no Mac with Apple's chip, or its macOS is too old" if built else "this torch is built without it"
        raise DeviceError(f"device=mps: torch finds no such GPU here ({why}). Use device=cpu.")
    return device


def double_device(device: torch.device | str | None) -> torch.device:
    """Returns where numbers of a device are computed in float64: there, or on the CPU for ``mps``, which has none."""
    found = torch.device("cpu" if device is None else device)
    return torch.device("cpu") if found.type == "mps" else found


def _check_cuda(device: torch.device) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise DeviceError(f"device={device}: torch finds no GPU here. Use device=cpu, or install torch for your GPU.")
    if device.index is not None and device.index >= count:
        raise DeviceError(f"device={device}: there are {count} GPUs here, counted from cuda:0")
