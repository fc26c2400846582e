"""A workspace on object storage (S3, or what else fsspec reaches): a copy on this machine, kept equal to it.

What lies there is fetched before a command runs; files that the command has finished are stored every half minute and
when it ends, however it ends. Object storage has no locks and no renaming, but an object is replaced whole or not at
all: so runs work on local files as always, and only whole files travel. A file that was changed on both sides is named,
and both versions stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from ltr.admin.mirror import Mirror, ObjectStorageError
from ltr.admin.ownership import own

__all__ = ["ObjectStorageError", "local_copy", "workspace_at"]

EVERY = 30.0  # seconds from the end of one storing to the next, if it does not take long itself
REST = 10.0  # as many times as a storing took the next one waits
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")

_open: dict[str, Path] = {}


def local_copy(url: str) -> Path:
    """Returns the folder on this machine that holds the files of ``url``: below ``XDG_CACHE_HOME`` or ``~/.cache``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", url).strip("-")[:80]
    server = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), "")
    digest = hashlib.sha256(f"{url.rstrip('/')} {server}".encode()).hexdigest()
    return cache / "pytracking-socl" / "workspaces" / f"{readable}-{digest[:8]}"


@contextlib.contextmanager
def workspace_at(url: str) -> Iterator[Path]:
    """Gives the local copy of a workspace on object storage, which is stored while open and when it closes.

    A storing that fails in between is told on standard error and tried again; the last one raises.

    Raises:
        ObjectStorageError: see :class:`Mirror`; also in one process of several that torchrun started.
        OwnershipError: another command on this machine has the same workspace open.
    """
    if url in _open:  # a command that was started by another one, in its process
        yield _open[url]
        return
    if os.environ.get("WORLD_SIZE", "1") not in ("", "1"):
        raise ObjectStorageError(
            f"{url}: processes of torchrun need one folder that they all see, not object storage; give --workspace a "
            "shared folder and copy it when it is done"
        )
    folder = local_copy(url)
    mirror = Mirror(url, folder)
    with own(folder, f"give --workspace another folder of {url.partition('://')[0]}://"):
        fetched = mirror.fetch()
        print(f"{url}: the copy on this machine is {folder} ({fetched} files fetched)", file=sys.stderr, flush=True)
        ended = threading.Event()
        storing = threading.Thread(target=_store_often, args=(mirror, ended), daemon=True, name="object storage")
        storing.start()
        _open[url] = folder
        failed = True
        try:
            yield folder
            failed = False
        finally:
            del _open[url]
            ended.set()
            _store_at_the_end(mirror, storing, failed)


def _store_often(mirror: Mirror, ended: threading.Event) -> None:
    pause = EVERY
    while not ended.wait(pause):
        start = time.monotonic()
        try:
            mirror.store()
        except Exception as error:  # the command's own work goes on; the next time tries again
            print(f"{error} (tried again later)", file=sys.stderr, flush=True)
        pause = max(EVERY, REST * (time.monotonic() - start))


def _store_at_the_end(mirror: Mirror, storing: threading.Thread, failed: bool) -> None:
    where = f"What was made lies in {mirror.folder}; the same command stores it"
    try:
        storing.join()
        print(f"{mirror.url}: {mirror.store(last=True)} files stored at the end", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print(f"{mirror.url}: not all of it is stored there. {where}", file=sys.stderr, flush=True)
        raise
    except Exception as error:
        told = f"{error}. {where} once that is mended"
        if not failed:
            raise ObjectStorageError(told) from error
        print(told, file=sys.stderr, flush=True)  # the command's own error is the one that ends it
