"""Checkpoints: plain data and tensors, written whole or not at all, and read without running what is in them."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ltr.admin import published
from ltr.admin.environment import load_environment
from ltr.admin.files import write_atomically

SUFFIX = ".pth.tar"
_ARCHIVE, _PICKLE = b"PK\x03\x04", b"\x80"  # how a file of torch.save begins: today's format, and the one before
_EPOCH_FILE = re.compile(r"_ep(\d+)\.pth\.tar$")


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken, of another kind, unsafe, or of another network."""


def epoch_path(directory: Path, net_type: str, epoch: int) -> Path:
    """Returns the checkpoint's path after ``epoch``, such as ``SiamFCNet_ep0001.pth.tar``."""
    return directory / f"{net_type}_ep{epoch:04d}{SUFFIX}"


def best_path(directory: Path, net_type: str) -> Path:
    """Returns the path of the best checkpoint by the held-out score, such as ``SiamFCNet_best.pth.tar``."""
    return directory / f"{net_type}_best{SUFFIX}"


def epoch_of(path: Path) -> int | None:
    """Returns the epoch that a checkpoint's name tells, or none."""
    match = _EPOCH_FILE.search(path.name)
    return int(match[1]) if match else None


def epoch_checkpoints(directory: Path) -> list[Path]:
    """Returns the checkpoints in ``directory`` that carry an epoch, oldest epoch first."""
    paths = [path for path in directory.glob(f"*_ep*{SUFFIX}") if epoch_of(path) is not None]
    return sorted(paths, key=lambda path: (epoch_of(path), path.name))


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Writes ``state`` to ``path``, whole or not at all.

    Raises:
        CheckpointError: ``state`` holds something other than tensors and plain data, which could not be read back.
        WriteError: the disk is full, there is no permission, ...
    """
    plain_state = {key: plain(value, key) for key, value in state.items()}

    def write(partial: Path) -> None:
        # Through a Python file: a full disk is then an OSError with its number, not a RuntimeError of the archive.
        with open(partial, "wb") as file:
            try:
                torch.save(plain_state, file)
            except RuntimeError as error:
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise

    write_atomically(path, write)


def plain(value: Any, where: str = "value") -> Any:
    """Returns ``value`` with NumPy numbers and paths made plain.

    Raises:
        CheckpointError: something that is neither a tensor nor plain data; the message names where it is.
    """
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, (Path, torch.device, torch.dtype)):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    raise CheckpointError(
        f"cannot store {where}: a {type(value).__name__} is neither a tensor nor plain data, "
        "and reading it back would mean running its code"
    )


def load_checkpoint(path: str | Path, map_location: torch.device | str = "cpu") -> dict[str, Any]:
    """Returns the content of a checkpoint; no code in the file is run.

    It is one of this project or of pytracking, or bare weights that siamfc-pytorch, SiamDW or TransT publish.

    Raises:
        CheckpointError: the file is missing, truncated, no checkpoint, another program's, or would run code.
    """
    from ltr.models.bare_weights import recognised  # the models are only needed here

    content = load_file(path, map_location)
    _check_sums(Path(path))
    if not (isinstance(content, dict) and "constructor" in content):
        content = recognised(content) or content
    missing = [key for key in ("net", "constructor") if not isinstance(content, dict) or key not in content]
    if missing:
        keys = list(map(str, content))[:6] if isinstance(content, dict) else []
        found = f"the keys {', '.join(keys)}" if keys else f"a {type(content).__name__}"
        raise CheckpointError(
            f"{path} was not written by this project's training: it lacks {' and '.join(map(repr, missing))} "
            f"and holds {found}. Bare weights of other networks are given to the network's own argument."
        )
    return content


def load_file(path: str | Path, map_location: torch.device | str = "cpu") -> Any:
    """Returns whatever tensors and plain data ``path`` holds (``torch.save``'s formats); no code in the file is run.

    Objects of pytracking's own classes, which published checkpoints hold, become :class:`ltr.admin.published.StandIn`.

    Raises:
        CheckpointError: the file is missing, truncated, of another format, or would run code.
    """
    path = Path(path)
    if not path.is_file():
        reason = "it is a directory" if path.is_dir() else "there is no such file"
        raise CheckpointError(f"cannot read the checkpoint {path}: {reason}")
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {path}: {error.strerror}") from error
    if not head:
        raise CheckpointError(f"the checkpoint {path} is empty. Copy or download it again.")
    if head == _ARCHIVE and not zipfile.is_zipfile(path):
        raise CheckpointError(f"the checkpoint {path} is truncated: its end is missing. Copy or download it again.")
    if head != _ARCHIVE and head[:1] != _PICKLE:
        raise CheckpointError(f"{path} is no checkpoint: it is not in a format that torch.save writes")
    try:
        return published.read(path, map_location)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_why_refused(path, str(error))) from error
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {path}: {error.strerror or error}") from error
    except torch.cuda.OutOfMemoryError:  # says nothing about the file
        raise
    except Exception as error:  # torch's readers raise nearly anything on foreign or damaged content
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise CheckpointError(f"{path} is no checkpoint, or is damaged: {reason}") from error


def _check_sums(path: Path) -> None:
    """Compares the archive's check sums, which torch ignores: weights with flipped bits would load silently."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise CheckpointError(f"the checkpoint {path} is damaged (in {damaged}). Copy or download it again.")


def _why_refused(path: Path, message: str) -> str:
    found = published.refused_name(message)
    if found:
        return (
            f"refused to load {path}: it holds more than tensors and plain data ({found}), "
            "so loading it would run code from the file"
        )
    return f"{path} is no checkpoint, or is damaged: {message.strip().splitlines()[0][:200]}"


def load_weights(network: nn.Module, weights: Mapping[str, torch.Tensor], source: str | Path) -> None:
    """Loads ``weights`` into ``network``; they must fit exactly.

    Raises:
        CheckpointError: keys that are missing or unknown to the network, or tensors of another shape.
    """
    if not isinstance(weights, Mapping):
        raise CheckpointError(f"'net' in {source} is a {type(weights).__name__}, not a dict of weights")
    expected = network.state_dict()
    missing = [key for key in expected if key not in weights]
    unexpected = [key for key in weights if key not in expected]
    reshaped = [
        f"{key} is {tuple(weights[key].shape)} instead of {tuple(value.shape)}"
        for key, value in expected.items()
        if key in weights and isinstance(value, torch.Tensor) and weights[key].shape != value.shape
    ]
    found = {"missing": missing, "unknown to the network": unexpected, "of another shape": reshaped}
    problems = [
        f"{len(names)} {what}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
        for what, names in found.items()
        if names
    ]
    if problems:
        raise CheckpointError(f"the weights in {source} do not fit a {type(network).__name__}; {'; '.join(problems)}")
    network.load_state_dict(weights)


def load_network(path_or_name: str | Path, map_location: torch.device | str = "cpu") -> nn.Module:
    """Returns the network of a checkpoint, in evaluation mode; no code in the file is run.

    Args:
        path_or_name: a path, of a checkpoint of this project or one that pytracking published; a file's name in the
            environment's ``network_dir``; or a training recipe ``module/name``, which stands for its best checkpoint.
        map_location: the device to load to.

    Raises:
        CheckpointError: as :func:`load_checkpoint`, or the weights do not fit the network.
        RegistryError: the network is not registered; a plugin may be missing.
    """
    from ltr.models.builder import build_network  # the models are only needed here

    path = find_checkpoint(path_or_name)
    content = load_checkpoint(path, map_location)
    constructor = content["constructor"]
    if isinstance(constructor, published.StandIn):
        try:
            constructor = published.network_of(constructor, content.get("settings"))
        except ValueError as error:
            raise CheckpointError(f"{path} is a published checkpoint of another kind: {error}") from error
    if not isinstance(constructor, dict) or not {"network", "kwargs"} <= constructor.keys():
        raise CheckpointError(
            f"{path} does not say how its network is built. "
            "Train with a network made by ltr.models.builder.build_network."
        )
    try:
        network = build_network(constructor["network"], **constructor["kwargs"])
    except TypeError as error:
        raise CheckpointError(f"{path} was made by another version of the network: {error}") from error
    load_weights(network, content["net"], path)
    return network.to(map_location).eval()


def find_checkpoint(path_or_name: str | Path) -> Path:
    """Returns the file that ``path_or_name`` stands for, as :func:`load_network` takes it.

    Raises:
        CheckpointError: there is none; the message says where it was looked for.
    """
    path = Path(path_or_name).expanduser()
    if path.is_file():
        return path
    looked_for = [path]
    network_dir = load_environment().network_dir
    if not path.is_absolute():
        candidates = [network_dir / path, network_dir / f"{path}{SUFFIX}", network_dir / f"{path}.pth"]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        looked_for.append(candidates[0])
    name = str(path_or_name)
    if re.fullmatch(r"(ltr/)?[\w-]+/[\w-]+", name):
        return best_checkpoint(name)
    raise CheckpointError(f"there is no checkpoint {name!r}: looked for {' and '.join(map(str, looked_for))}")


def best_checkpoint(recipe: str) -> Path:
    """Returns the newest best checkpoint of the training recipe ``module/name``.

    A recipe without a held-out score has no best checkpoint; then it is the newest epoch's.

    Raises:
        CheckpointError: the recipe was not trained yet; the message says which command trains it.
    """
    module, _, name = recipe.removeprefix("ltr/").partition("/")
    directory = load_environment().workspace_dir / "checkpoints" / "ltr" / module / name
    best = sorted(directory.glob(f"*_best{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    candidates = best or epoch_checkpoints(directory)
    if not candidates:
        raise CheckpointError(
            f"there is no checkpoint of {module}/{name} in {directory}. "
            f"Train it with: python ltr/run_training.py {module} {name}"
        )
    return candidates[-1]
