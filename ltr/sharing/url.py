"""Shared networks that lie at a URL: their two files that are read, downloaded into torch's folder for such things."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import torch

from ltr.admin.files import write_folder_atomically
from ltr.admin.weight_files import CheckpointError
from ltr.sharing.folder import CONFIG, WEIGHTS, read_config

_URL = re.compile(r"(https?|file)://.+")


def downloaded(source: str | Path) -> str | Path:
    """Returns the local folder of a network at a URL; of what is no URL, the same.

    The description is asked for each time, the weights only where those that it names are not here yet.

    Args:
        source: ``https://...``, ``http://...`` or ``file://...``: what stands before ``/config.json``; or another text.

    Raises:
        CheckpointError: there is no shared network at the URL, or it cannot be downloaded.
    """
    if not isinstance(source, str) or not _URL.fullmatch(source):
        return source
    url = source.rstrip("/")
    folder = Path(torch.hub.get_dir()) / "pytracking-socl" / hashlib.sha256(url.encode()).hexdigest()[:16]

    def write(partial: Path) -> None:
        _download(f"{url}/{CONFIG}", partial / CONFIG)
        kept = folder / WEIGHTS
        if kept.is_file() and (folder / CONFIG).is_file() and _digest(folder) == _digest(partial):
            shutil.copyfile(kept, partial / WEIGHTS)
            return
        _download(f"{url}/{WEIGHTS}", partial / WEIGHTS)
        read_config(partial)

    write_folder_atomically(folder, write)
    return folder


def _digest(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["weights"]["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _download(url: str, file: Path) -> None:
    try:
        torch.hub.download_url_to_file(url, str(file), progress=False)
    except Exception as error:  # urllib's errors, and those of sockets, have no common class
        raise CheckpointError(f"{url} cannot be downloaded: {type(error).__name__}: {error}") from error
