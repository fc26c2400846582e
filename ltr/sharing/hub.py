"""Networks on the Hugging Face Hub, by the package ``huggingface_hub``, which is imported when it is needed."""

from __future__ import annotations

import re
from pathlib import Path

from ltr.admin.weight_files import CheckpointError
from ltr.sharing.folder import FILES

HUB = "hf://"
"""What begins the name of a network on the Hub, wherever a network is named."""
_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


class HubError(CheckpointError):
    """A network on the Hub that cannot be downloaded."""


def is_hub_id(text: str) -> bool:
    """Returns whether a text has the form ``user/name`` or ``user/name@revision``."""
    return _ID.fullmatch(text) is not None


def download(hub_id: str) -> Path:
    """Returns the folder of a network on the Hub, downloaded if it is not in the cache of ``huggingface_hub``.

    Only the three files of a shared network are asked for.

    Args:
        hub_id: ``user/name``, or ``user/name@revision``, a branch, a tag or a commit.

    Raises:
        HubError: it is no such name, ``huggingface_hub`` is not installed, or the Hub does not give the files.
    """
    if not is_hub_id(hub_id):
        raise HubError(f"{hub_id!r:.200} is no name on the Hub: it must be user/name, or user/name@revision")
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise HubError(
            f"{hub_id} is downloaded by the package huggingface_hub, which is not installed: "
            "pip install huggingface_hub. A folder that you have downloaded otherwise is named by its path."
        ) from error
    name, _, revision = hub_id.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(FILES)))
    except Exception as error:  # errors of the package, of the network and of the disk have no common class
        lines = str(error).strip().splitlines()
        raise HubError(
            f"{hub_id} cannot be downloaded from the Hub: {type(error).__name__}: {lines[0] if lines else ''}"
        ) from error
