"""Files of weights, read without running code from them and only whole: torch.save's formats and safetensors.

What is checked before anything is read: the archive's own check sums, which torch ignores; the sha256 in
``FILE.sha256`` where such a file lies beside it, as :func:`write_weights` leaves one; the eight digits of it in a name
such as ``resnet18-f37072fd.pth``, as torchvision gives them; and that the content unpacks to no more than the file's
size.
"""

from __future__ import annotations

import json
import pickle
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from ltr.admin import published
from ltr.admin.files import sha256_of, write_bytes_atomically
from ltr.dataset.text import read_lines

SAFETENSORS = ".safetensors"
_ARCHIVE, _PICKLE = b"PK\x03\x04", b"\x80"  # how a file of torch.save begins: today's format, and the one before
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8})\.\w+$")


class CheckpointError(ValueError):
    """A checkpoint that is missing, broken, of another kind, unsafe, or of another network."""


def load_file(path: str | Path, map_location: torch.device | str = "cpu") -> Any:
    """Returns whatever tensors and plain data ``path`` holds; no code in the file is run.

    Objects of pytracking's own classes, which published checkpoints hold, become :class:`ltr.admin.published.StandIn`;
    a safetensors file gives a dict of its tensors.

    Raises:
        CheckpointError: the file is missing, damaged, of another format, would run code, or would take more memory
            than its size.
    """
    path = Path(path)
    if not path.is_file():
        reason = "it is a directory" if path.is_dir() else "there is no such file"
        raise CheckpointError(f"cannot read the checkpoint {path}: {reason}")
    try:
        with open(path, "rb") as file:
            head = file.read(9)
        _check_digest(path)
        if head[8:] == b"{":
            return _read_safetensors(path)[0]
        _check_format(path, head)
        content = published.read(path, map_location)
    except CheckpointError:
        raise
    except pickle.UnpicklingError as error:
        raise CheckpointError(_why_refused(path, str(error))) from error
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {path}: {error.strerror or error}") from error
    except torch.cuda.OutOfMemoryError:  # says nothing about the file
        raise
    except Exception as error:  # torch's readers raise nearly anything on foreign or damaged content
        raise CheckpointError(f"{path} is no checkpoint, or is damaged: {_first_line(error)}") from error
    _check_size(content, path)
    return content


def write_weights(path: str | Path, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Writes a safetensors file with weights and plain data about them, and its sha256 beside it.

    Raises:
        WriteError: see :func:`ltr.admin.files.write_bytes_atomically`.
    """
    path = Path(path)
    content = safetensors_bytes(weights, {"about": json.dumps(about)})
    digest_path(path).unlink(missing_ok=True)  # first: no moment leaves new weights beside an old digest
    write_bytes_atomically(path, content)
    write_bytes_atomically(digest_path(path), f"{sha256_of(path)}  {path.name}\n".encode())


def safetensors_bytes(weights: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> bytes:
    """Returns the content of a safetensors file: weights by name, and texts about them."""
    from safetensors.torch import save

    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
    return bytes(save(tensors, dict(metadata)))


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Returns the tensors of a safetensors file, by name.

    Raises:
        CheckpointError: it is damaged, or of another format.
    """
    try:
        return _read_safetensors(path)[0]
    except OSError as error:
        raise CheckpointError(f"cannot read the weights {path}: {error.strerror or error}") from error
    except Exception as error:  # the reader raises nearly anything on foreign or damaged content
        raise CheckpointError(f"{path} is no safetensors file, or is damaged: {_first_line(error)}") from error


def read_about(path: Path) -> dict[str, Any] | None:
    """Returns what :func:`write_weights` was told about the weights; None for a file of another format or program."""
    if path.suffix != SAFETENSORS:
        return None
    try:
        about = json.loads(_read_safetensors(path)[1].get("about", "null"))
    except Exception as error:
        raise CheckpointError(f"{path} is damaged: {_first_line(error)}") from error
    return about if isinstance(about, dict) else None


def digest_path(path: Path) -> Path:
    """Returns where the sha256 of a file is kept, in the format of the program ``sha256sum``."""
    return path.with_name(f"{path.name}.sha256")


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    from safetensors.torch import load

    content = path.read_bytes()  # and not mapped to memory, so that a file that is cut off meanwhile does no harm
    tensors = load(content)
    size = int.from_bytes(content[:8], "little")
    return tensors, json.loads(content[8 : 8 + size]).get("__metadata__", {})


def _check_digest(path: Path) -> None:
    beside, named = digest_path(path), _HASH_IN_NAME.search(path.name)
    wanted = read_lines(beside)[:1] if beside.is_file() else []
    if wanted and sha256_of(path) != wanted[0].partition(" ")[0]:
        raise CheckpointError(
            f"{path} is damaged or was replaced: its sha256 is not the one in {beside.name} beside it. Copy both "
            "again, or delete that file if the weights were changed on purpose."
        )
    if named and not sha256_of(path).startswith(named[1]):
        raise CheckpointError(f"{path} is damaged: its sha256 does not begin with {named[1]}. Download it again.")


def _check_format(path: Path, head: bytes) -> None:
    if not head:
        raise CheckpointError(f"the checkpoint {path} is empty. Copy or download it again.")
    if head[:4] == _ARCHIVE:
        if not zipfile.is_zipfile(path):
            raise CheckpointError(f"the checkpoint {path} is truncated: its end is missing. Copy or download it again.")
        _check_archive(path)
    elif head[:1] != _PICKLE:
        raise CheckpointError(f"{path} is no checkpoint: it is not in a format that torch.save writes, or safetensors")


def _check_archive(path: Path) -> None:
    """Compares the archive's check sums, which torch ignores: weights with flipped bits would load silently."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > path.stat().st_size:  # torch.save packs nothing
                raise CheckpointError(
                    f"refused to load {path}: it unpacks to {size / 1e9:.3g} GB, more than the file's size, which no "
                    "file of torch.save does"
                )
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"the checkpoint {path} is damaged ({_first_line(error)}). Copy or download it again."
        ) from error
    if damaged:
        raise CheckpointError(f"the checkpoint {path} is damaged (in {damaged}). Copy or download it again.")


def _check_size(content: Any, path: Path) -> None:
    """Refuses tensors of more bytes than the file, such as one number repeated a billion times."""
    size = path.stat().st_size
    for tensor in tensors_in(content):
        needed = tensor.numel() * tensor.element_size()
        if needed > size:
            raise CheckpointError(
                f"refused to load {path}: a tensor of the shape {tuple(tensor.shape)} would take {needed / 1e9:.3g} "
                "GB, more than the file's size"
            )


def tensors_in(content: Any) -> Iterator[torch.Tensor]:
    """Yields every tensor of what :func:`load_file` returned, however deep it lies."""
    left, seen = [content], set()
    while left:
        value = left.pop()
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (Mapping, list, tuple, set, published.StandIn)) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, published.StandIn):
                value = vars(value)
            left += value.values() if isinstance(value, Mapping) else value


def _why_refused(path: Path, message: str) -> str:
    found = published.refused_name(message)
    if not found:
        return f"{path} is no checkpoint, or is damaged: {message.strip().splitlines()[0][:200]}"
    where = _key_before(path, found)
    if found.split(".")[0] == "numpy":
        return (
            f"{path} holds an object of NumPy ({found}){where}, which is read only as a plain number or tensor. "
            "Convert it in the program that wrote it, with float(value) or torch.from_numpy(value), and save again."
        )
    return (
        f"refused to load {path}: it holds more than tensors and plain data ({found}){where}, "
        "so loading it would run code from the file"
    )


def _key_before(path: Path, name: str) -> str:
    """Returns `` at 'key'`` for the last text before an object of a class, which nearly always is its key."""
    if not zipfile.is_zipfile(path):
        return ""
    with zipfile.ZipFile(path) as archive:
        entry = next((entry for entry in archive.namelist() if entry.endswith("/data.pkl")), None)
        if entry is None:
            return ""
        text = ""
        for operation, argument, _ in pickletools.genops(archive.read(entry)):
            if operation.name == "GLOBAL":
                if str(argument).replace(" ", ".") == name:
                    return f" at {text!r}" if text else ""
            elif isinstance(argument, str):
                text = argument
    return ""


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
