"""The folder of a shared network: ``model.safetensors``, ``config.json`` and ``README.md``.

``config.json`` says how the network is built and the sha256 of the weights. Both files are data: reading them runs
nothing. The sha256 finds damage and files that do not belong together; it does not say who made them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ltr.admin.files import WriteError, sha256_of, write_bytes_atomically, write_folder_atomically
from ltr.admin.weight_files import CheckpointError, read_safetensors, safetensors_bytes

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
FILES = (WEIGHTS, CONFIG, CARD)
FORMAT, VERSION = "pytracking-socl", 1
LARGEST_CONFIG = 4 << 20
"""Bytes of a ``config.json`` that is read: a recipe's settings take some ten thousand."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def looks_shared(path: Path) -> bool:
    """Returns whether a path is a folder with at least one of the two files that a network is read from."""
    return path.is_dir() and any((path / name).is_file() for name in (CONFIG, WEIGHTS))


def read_config(folder: Path) -> dict[str, Any]:
    """Returns the checked content of a folder's ``config.json``.

    Raises:
        CheckpointError: the folder lacks a file, or ``config.json`` is damaged, of another program, of a later version.
    """
    missing = [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        what = "it is half a shared network; copy or download it again"
        if len(missing) == 2:
            what = "it is a directory, but not that of a shared network"
        raise CheckpointError(f"the folder {folder} lacks {' and '.join(missing)}: {what}")
    path = folder / CONFIG
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise CheckpointError(f"{path} is no description of a network: it is larger than {LARGEST_CONFIG} bytes")
        config = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged: it is no JSON text ({error}). Copy or download it again.") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        found = config.get("format", config.get("model_type")) if isinstance(config, dict) else None
        whose = f" but of {found!r:.60}" if found is not None else ""
        raise CheckpointError(f'{path} is not of this project{whose}: it has no "format": "{FORMAT}"')
    version = config.get("format_version")
    if version != VERSION:
        raise CheckpointError(
            f"{path}: format_version is {version!r:.60}, and this version of the project reads {VERSION}. "
            "Install the version that it was written with."
        )
    _check_fields(path, config)
    return config


def read_folder(folder: Path, map_location: torch.device | str = "cpu") -> dict[str, Any]:
    """Returns a shared network as the content of a checkpoint: ``net``, ``constructor``, what is known of its training.

    Raises:
        CheckpointError: as :func:`read_config`, or the weights are damaged, or not those that ``config.json`` names.
    """
    config = read_config(folder)
    path = folder / WEIGHTS
    wanted, found = config["weights"]["sha256"], sha256_of(path)
    if wanted != found:
        raise CheckpointError(
            f"{path} is damaged or was replaced: its sha256 is {found[:12]}..., and weights.sha256 in {CONFIG} is "
            f"{wanted[:12]}.... Copy or download the folder again."
        )
    network = config["network"]
    training = config.get("training")
    weights = {name: tensor.to(map_location) for name, tensor in read_safetensors(path).items()}
    return {
        **(training if isinstance(training, dict) else {}),
        "net": weights,
        "constructor": {"network": network["name"], "kwargs": network["arguments"]},
        "score": config.get("score"),
        "license": config.get("license"),
        "tracker": config.get("tracker"),
    }


def write_folder(
    folder: Path, weights: Mapping[str, torch.Tensor], config: Mapping[str, Any], card: str, overwrite: bool = False
) -> None:
    """Writes a folder whole or not at all; the sha256 of the weights is added to ``config.json``.

    Args:
        folder: that does not exist, or is empty.
        weights: by name.
        config: plain data, see ``ltr.sharing.card``.
        card: the text of ``README.md``.
        overwrite: let it take the place of a shared network; other files are never removed.

    Raises:
        WriteError: there is something already, or it cannot be written.
    """
    check_free(folder, overwrite)
    constructor = {"network": config["network"]["name"], "kwargs": config["network"]["arguments"]}

    def write(partial: Path) -> None:
        # What stands in the file itself lets it be read without its folder, too. One text only: the order of several is
        # another each time, and so would be the sha256 of the same network.
        content = safetensors_bytes(weights, {"about": json.dumps({"constructor": constructor})})
        write_bytes_atomically(partial / WEIGHTS, content)
        full = {**config, "weights": {**config["weights"], "sha256": sha256_of(partial / WEIGHTS)}}
        write_bytes_atomically(partial / CONFIG, (json.dumps(full, indent=1, ensure_ascii=False) + "\n").encode())
        write_bytes_atomically(partial / CARD, card.encode())

    write_folder_atomically(folder, write)


def check_free(folder: Path, overwrite: bool) -> None:
    """Raises WriteError if there is something in the place of a folder that may not be replaced."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WriteError(17, f"cannot write the folder {folder}: there is a file of that name; choose another one")
    there = sorted(path.name for path in folder.iterdir())
    if not there:
        return
    others = [name for name in there if name not in FILES]
    if others:
        raise WriteError(
            17, f"cannot write the folder {folder}: it holds other files ({', '.join(others[:3])}); choose another name"
        )
    if not overwrite:
        raise WriteError(17, f"cannot write the folder {folder}: a network lies there; --overwrite replaces it")


def _check_fields(path: Path, config: Mapping[str, Any]) -> None:
    network, weights = config.get("network"), config.get("weights")
    if not isinstance(network, dict) or not isinstance(network.get("name"), str):
        raise CheckpointError(f"{path}: network.name is missing: it must name a kind of network")
    if not isinstance(network.get("arguments"), dict):
        raise CheckpointError(f"{path}: network.arguments is missing: it must hold the arguments of {network['name']}")
    if not isinstance(weights, dict) or not _SHA256.fullmatch(str(weights.get("sha256"))):
        raise CheckpointError(f"{path}: weights.sha256 is missing: it must be 64 hexadecimal digits")
