"""Writing a network as a folder to give away, and reading one, from a folder or from the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ltr.admin.checkpoint import CheckpointError, find_checkpoint, load_checkpoint, load_network
from ltr.registry import TRAIN_SETTINGS
from ltr.sharing.card import card, config_of
from ltr.sharing.folder import check_free, looks_shared, read_config, write_folder
from ltr.sharing.hub import HUB, is_hub_id

_LICENSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_TRACKER = re.compile(r"[\w.-]+/[\w.+/-]+")


def save_pretrained(
    network: str | Path | nn.Module,
    folder: str | Path,
    license: str | None = None,
    tracker: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a network as a folder and returns its path; see :func:`ltr.save_pretrained`."""
    folder = Path(folder).expanduser()
    check_free(folder, overwrite)  # before a large file is read
    if license is not None and not _LICENSE.fullmatch(license):
        raise ValueError(f"the license is {license!r:.100}; give its short name, such as cc-by-4.0 or apache-2.0")
    if tracker is not None and not _TRACKER.fullmatch(tracker):
        raise ValueError(f"the tracker is {tracker!r:.100}; give it as TRACKER/PARAMETERS, such as siamfc/socl_res18")
    content: Mapping[str, Any] = {}
    if isinstance(network, nn.Module):
        net = network
    else:
        path = find_checkpoint(network)
        content, net = load_checkpoint(path), load_network(path)
    constructor = getattr(net, "constructor", None)
    if not isinstance(constructor, dict):
        raise CheckpointError(
            f"a {type(net).__name__} does not say how it is built, so it cannot be shared: build it with "
            "ltr.models.builder.build_network"
        )
    weights = net.state_dict()
    bad = [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]
    if bad:
        raise CheckpointError(f"the network cannot be shared: {bad[0]} holds numbers that are not finite")
    settings = content.get("settings")
    known = {**content, "constructor": constructor, "settings": settings if isinstance(settings, dict) else None}
    license = license or content.get("license")
    tracker = tracker or content.get("tracker") or _tracker_of(known["settings"])
    config = config_of(known, weights, license, tracker)
    write_folder(folder, weights, config, card(config, folder.resolve().name), overwrite)
    return folder


def from_pretrained(folder_or_id: str | Path, device: str | torch.device = "cpu") -> nn.Module:
    """Returns the network of a folder or of the Hub; arguments and errors are those of :func:`ltr.from_pretrained`."""
    text = str(folder_or_id)
    path = Path(folder_or_id).expanduser()
    if text.startswith(HUB):
        return load_network(text, device)
    if looks_shared(path) or path.is_dir():
        read_config(path)
        return load_network(path, device)
    if path.exists():
        raise CheckpointError(f"{path} is a file, and no folder of a shared network: ltr.load reads checkpoints")
    if isinstance(folder_or_id, str) and is_hub_id(text):
        return load_network(f"{HUB}{text}", device)
    raise CheckpointError(f"there is no folder {path}, and {text!r:.200} is no name on the Hub, such as user/name")


def _tracker_of(settings: Mapping[str, Any] | None) -> str | None:
    """Returns ``tracker/parameters`` of the recipe that a network was trained by, if it is known."""
    recipe = f"{(settings or {}).get('module_name')}/{(settings or {}).get('script_name')}"
    family = getattr(TRAIN_SETTINGS[recipe], "tracker", None) if recipe in TRAIN_SETTINGS else None
    return f"{family}/{recipe.partition('/')[2]}" if family else None
