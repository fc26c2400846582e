"""A small JSON file that says by itself whether it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltr.admin.files import write_bytes_atomically

SUM = "sha256"


class RecordError(ValueError):
    """A record that cannot be read, or that is not what was written."""


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Writes ``content`` (plain data) as JSON with a check sum of its own, whole or not at all."""
    plain = json.loads(json.dumps(content))  # as it will be read: tuples are lists, keys are text
    write_bytes_atomically(path, (json.dumps({**plain, SUM: _sum(plain)}, indent=1) + "\n").encode())


def read_record(path: Path) -> dict[str, Any]:
    """Returns the content of a record, without its check sum. A record without one is taken as it is.

    Raises:
        FileNotFoundError: there is none.
        RecordError: it is damaged; the message names it.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is damaged: it is no JSON text ({error})") from error
    if not isinstance(content, dict):
        raise RecordError(f"{path} is damaged: it holds no JSON object")
    expected = content.pop(SUM, None)
    if expected is not None and expected != _sum(content):
        raise RecordError(f"{path} is damaged: its content does not fit its check sum")
    return content


def _sum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
