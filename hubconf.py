"""Networks for ``torch.hub``.

>>> import torch
>>> net = torch.hub.load("path/to/this/checkout", "siamfc_res18", source="local")              # doctest: +SKIP
>>> net = torch.hub.load("path/to/this/checkout", "pretrained", "my_tracker", source="local")  # doctest: +SKIP

An entry point builds a network with random weights, or, with ``source``, returns the one of a folder that
``ltr.save_pretrained`` wrote: the folder's path, the URL that it lies at, ``hf://user/name`` on the Hugging Face Hub,
or a checkpoint's path. Loading runs no code of the folder.
"""

from pathlib import Path as _Path

from torch import nn as _nn

from ltr.models.builder import build_network as _build_network
from ltr.sharing.url import downloaded as _downloaded

dependencies = ["torch", "torchvision", "numpy", "scipy", "cv2", "safetensors", "psutil", "filelock"]


def siamfc_alexnet(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns SiamFC on AlexNet, untrained, or a trained one from ``source``."""
    return _network("siamfc_alexnet", source)


def siamfc_res18(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns SiamFC on a ResNet-18 as SoCL trains it, untrained, or a trained one from ``source``."""
    return _network("siamfc_resnet18", source, output_layer="layer2", stride=8, border=3, normalise=True)


def siamfc_res22(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns SiamFC on a ResNet-22 as PUL trains it, untrained, or a trained one from ``source``."""
    return _network("siamfc_resnet22", source, normalise=True)


def dimp18(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns DiMP on a ResNet-18, untrained, or a trained one from ``source``."""
    return _network("dimpnet18", source)


def dimp50(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns DiMP on a ResNet-50, untrained, or a trained one from ``source``."""
    return _network("dimpnet50", source)


def transt50(source: "str | _Path | None" = None) -> _nn.Module:
    """Returns TransT on a ResNet-50, untrained, or a trained one from ``source``."""
    return _network("transt50", source)


def pretrained(source: "str | _Path") -> _nn.Module:
    """Returns the network of a shared folder, its URL, ``hf://user/name`` or a checkpoint, whatever its kind."""
    from ltr.admin.checkpoint import load_network

    return load_network(_downloaded(source))


def _network(name: str, source: "str | _Path | None", **arguments: object) -> _nn.Module:
    if source is None:
        return _build_network(name, **arguments).eval()
    network = pretrained(source)
    found = network.constructor["network"]  # type: ignore[index]
    if found != name:
        raise ValueError(f"{source} holds a {found}, not a {name}; the entry point 'pretrained' takes every kind")
    return network
