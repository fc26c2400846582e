"""Checkpoints: plain data and tensors, written whole or not at all, and read without running what is in them."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ltr.admin import published
from ltr.admin.environment import load_environment, program
from ltr.admin.files import write_atomically
from ltr.admin.weight_files import SAFETENSORS, CheckpointError, load_file, read_about, write_weights
from ltr.registry import TRAIN_SETTINGS, RegistryError, near_names
from ltr.sharing.folder import CONFIG, WEIGHTS, looks_shared, read_config, read_folder
from ltr.sharing.hub import HUB, download

SUFFIX = ".pth.tar"
WRAPPERS = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before the names of weights
_EPOCH_FILE = re.compile(r"_ep(\d+)\.pth\.tar$")


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

    It is one of this project or of pytracking, or bare weights that siamfc-pytorch, SiamDW or TransT publish; or the
    folder of a shared network (:mod:`ltr.sharing.folder`).

    Raises:
        CheckpointError: the file is missing, truncated, no checkpoint, another program's, or would run code.
    """
    from ltr.models.bare_weights import recognised  # the models are only needed here

    if Path(path).is_dir():
        return read_folder(Path(path), map_location)
    content = load_file(path, map_location)
    about = read_about(Path(path))
    if about is not None:
        content = {"net": content, **about}
    elif not (isinstance(content, dict) and "constructor" in content):
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


def export_weights(path_or_name: str | Path, out: Path) -> Path:
    """Writes a network's weights, and how it is built, as a safetensors file, and its sha256 beside it.

    Args:
        path_or_name: as :func:`load_network` takes it, which reads what is written here, too.
        out: the file to write; its name ends in ``.safetensors``.

    Raises:
        CheckpointError: there is no such checkpoint, it is damaged, or ``out`` has another ending.
        WriteError: the file cannot be written.
    """
    if out.suffix != SAFETENSORS:
        raise CheckpointError(f"{out}: weights are written as safetensors; let the name end in {SAFETENSORS}")
    network = load_network(path_or_name)
    content = load_checkpoint(find_checkpoint(path_or_name))
    settings = content.get("settings")
    about = {"constructor": network.constructor, "settings": settings if isinstance(settings, dict) else None}
    write_weights(out, network.state_dict(), about)
    return out


def load_weights(
    network: nn.Module, weights: Mapping[str, torch.Tensor], source: str | Path, more_allowed: bool = False
) -> None:
    """Loads ``weights`` into ``network``; they must fit exactly.

    Prefixes that come from a wrapper (``module.``, ``_orig_mod.``) are taken off, which is said on standard error.

    Args:
        network: to load into.
        weights: by name.
        source: where they come from, for messages.
        more_allowed: weights that the network does not have are left out.

    Raises:
        CheckpointError: keys that are missing or unknown to the network, tensors of another shape or kind of number, or
            numbers that are not finite.
    """
    fitting = fitting_weights(network, weights, source, more_allowed)
    network.load_state_dict(fitting)


def fitting_weights(
    network: nn.Module, weights: Mapping[str, torch.Tensor], source: str | Path, more_allowed: bool = False
) -> dict[str, torch.Tensor]:
    """Returns ``weights`` under the names of the network's own, see :func:`load_weights`."""
    if not isinstance(weights, Mapping):
        raise CheckpointError(f"'net' in {source} is a {type(weights).__name__}, not a dict of weights")
    expected = network.state_dict()
    given = _without_wrappers(weights, expected, source)
    problems: dict[str, list[str]] = {}
    for name, own in expected.items():
        if name not in given and not name.endswith("num_batches_tracked"):  # which old files lack
            problems.setdefault("missing", []).append(name)
        elif name in given and isinstance(own, torch.Tensor) and (misfit := _misfit(name, given[name], own)):
            problems.setdefault(misfit[0], []).append(misfit[1])
    if not more_allowed:
        unknown = [str(name) for name in given if name not in expected]
        problems |= {"unknown to the network": unknown} if unknown else {}
    if problems:
        told = [
            f"{len(names)} {what}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
            for what, names in problems.items()
        ]
        raise CheckpointError(f"the weights in {source} do not fit a {type(network).__name__}; {'; '.join(told)}")
    return {name: given.get(name, own) for name, own in expected.items()}


def _misfit(name: str, value: Any, own: torch.Tensor) -> tuple[str, str] | None:
    """Returns what kind of misfit a value is for the network's own, and how it is told; None if it fits."""
    if not isinstance(value, torch.Tensor):
        return "no tensors", f"{name} ({type(value).__name__})"
    if value.shape != own.shape:
        return "of another shape", f"{name} is {tuple(value.shape)} instead of {tuple(own.shape)}"
    if (value.is_floating_point(), value.is_complex()) != (own.is_floating_point(), own.is_complex()):
        return "of another kind of number", f"{name} is {str(value.dtype).removeprefix('torch.')}"
    if not bool(torch.isfinite(value).all()):
        return "not finite", name
    return None


def _without_wrappers(weights: Mapping[Any, Any], expected: Mapping[str, Any], source: str | Path) -> Mapping[Any, Any]:
    for prefix in WRAPPERS * 2:  # either may be around the other
        wrapped = [name for name in weights if isinstance(name, str) and name.startswith(prefix)]
        if wrapped and len(wrapped) == len(weights) and not any(name.startswith(prefix) for name in expected):
            _say_once(f"{source}: the prefix {prefix!r} is taken off the names of its weights")
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


@cache
def _say_once(line: str) -> None:
    """Says on standard error what is worth saying once, however often a command reads the file."""
    print(line, file=sys.stderr)


def load_network(path_or_name: str | Path, map_location: torch.device | str = "cpu") -> nn.Module:
    """Returns the network of a checkpoint, in evaluation mode; no code in the file is run.

    Args:
        path_or_name: a path, of a checkpoint of this project or one that pytracking published, or of the folder of a
            shared network; a name of such in the environment's ``network_dir``; a training recipe ``module/name``,
            which stands for its best checkpoint; or ``hf://user/name``, a network on the Hugging Face Hub.
        map_location: the device to load to.

    Raises:
        CheckpointError: as :func:`load_checkpoint`, or the weights do not fit the network.
        RegistryError: the network is not registered; a plugin may be missing.
    """
    from ltr.models.builder import STARTING_POINT, build_network  # the models are only needed here

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
    name, arguments = constructor["network"], constructor["kwargs"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise CheckpointError(f"{path} does not say how its network is built: its constructor is {constructor!r:.200}")
    # Not the file's business: these would make reading it download weights, or read files of its choice.
    arguments = {key: value for key, value in arguments.items() if key not in STARTING_POINT}
    try:
        with torch.device("meta"):  # takes no memory: the weights say whether the network may take it
            sketch = build_network(name, **arguments)
    except RegistryError as error:
        raise RegistryError(f"{path}: {error}") from error
    except Exception:  # a network that cannot be built without numbers; what is wrong with the arguments comes below
        sketch = None
    if sketch is not None:
        fitting_weights(sketch, content["net"], path)
    try:
        network = build_network(name, **arguments)
    except RegistryError:
        raise
    except Exception as error:
        raise CheckpointError(f"{path} was made by another version of the network {name}: {error}") from error
    load_weights(network, content["net"], path)
    return network.to(map_location).eval()


def find_checkpoint(path_or_name: str | Path) -> Path:
    """Returns the file or folder that ``path_or_name`` stands for, as :func:`load_network` takes it.

    Raises:
        CheckpointError: there is none; the message says where it was looked for.
    """
    if str(path_or_name).startswith(HUB):
        return download(str(path_or_name).removeprefix(HUB))
    path = Path(path_or_name).expanduser()
    if path.is_file() or looks_shared(path):
        return path
    looked_for = [path]
    network_dir = load_environment().network_dir
    if not path.is_absolute():
        candidates = [network_dir / f"{path}{suffix}" for suffix in ("", SUFFIX, ".pth", SAFETENSORS)]
        for candidate in candidates:
            if candidate.is_file() or looks_shared(candidate):
                return candidate
        looked_for.append(candidates[0])
    name = str(path_or_name)
    if re.fullmatch(r"(ltr/)?[\w-]+/[\w-]+", name):
        return best_checkpoint(name)
    if path.is_dir():
        read_config(path)  # raises, and says what it lacks
    raise CheckpointError(f"there is no checkpoint {name!r}: looked for {' and '.join(map(str, looked_for))}")


def content_digest(path: Path) -> str:
    """Returns 16 hexadecimal digits that change with the content of a checkpoint, or of a shared network's folder."""
    files = [path / name for name in (WEIGHTS, CONFIG)] if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


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
        if f"{module}/{name}" not in TRAIN_SETTINGS:
            near = near_names(f"{module}/{name}", TRAIN_SETTINGS.names())
            raise CheckpointError(f"there is no checkpoint in {directory}, and no recipe {module}/{name}.{near}")
        raise CheckpointError(
            f"there is no checkpoint of {module}/{name} in {directory}. "
            f"Train it with: python {program('ltr/run_training.py')} {module} {name}"
        )
    return candidates[-1]
