"""A workspace on object storage (S3, or what else fsspec reaches): a copy on this machine, kept equal to it.

What lies there is fetched before a command runs; files that the command has finished are stored every half minute and
when it ends, however it ends. Object storage has no locks and no renaming, but an object is replaced whole or not at
all: so runs work on local files as always, and only whole files travel. What one machine stored since another one
fetched it is never written over: that file is named, and both versions stay.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import os
import re
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltr.admin.files import PARTIAL_SUFFIX, WriteError, write_atomically
from ltr.admin.ownership import FILES as OWNER_FILES
from ltr.admin.ownership import own
from ltr.admin.records import RecordError, read_record, write_record

EVERY = 30.0  # seconds from the end of one storing to the next
AT_ONCE = 8  # files that travel
INDEX = ".object_storage.json"
INSTALL = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
_OF_SQLITE = ("-journal", "-wal", "-shm")


class ObjectStorageError(RuntimeError):
    """Object storage cannot be reached, or holds what another machine stored meanwhile."""


def local_copy(url: str) -> Path:
    """Returns the folder on this machine that holds the files of ``url``: below ``XDG_CACHE_HOME`` or ``~/.cache``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", url).strip("-")[:80]
    name = f"{readable}-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:8]}"
    return cache / "pytracking-socl" / "workspaces" / name


@dataclass(frozen=True)
class _Entry:
    """A file when both sides were equal.

    Attributes:
        size: of the local file, in bytes.
        mtime: of the local file, in nanoseconds.
        remote: the storage's own check sum of the object; None while it is being written from here.
    """

    size: int
    mtime: int
    remote: str | None


class Mirror:
    """A local folder and its copy on object storage.

    Args:
        url: as fsspec reads it; credentials and the endpoint come from the environment (``AWS_...``).
        folder: on this machine.

    Raises:
        ObjectStorageError: the URL is none, its package is missing, or the storage refuses.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url.rstrip("/"), folder
        self._lock = threading.Lock()
        if not url.partition("://")[2].strip("/"):
            raise ObjectStorageError(f"{url} names no bucket: give all of it, such as s3://BUCKET/FOLDER")
        with self._errors("open"):
            from fsspec.core import url_to_fs

            self.storage, self.root = url_to_fs(self.url)

    def fetch(self) -> int:
        """Makes local files as they lie on the storage, and returns how many were fetched or removed.

        What was changed here and not stored yet, as by a run that was killed, stays as it is.

        Raises:
            ObjectStorageError: the storage cannot be read, or a file was changed on both sides.
        """
        with self._lock, self._errors("fetch"):
            index, there = self._index(), self._remote()
            wanted = [name for name, remote in there.items() if not self._is_current(name, index.get(name), remote)]
            try:
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    for name, at in zip(wanted, pool.map(lambda name: self._get(name, index.get(name)), wanted)):
                        index[name] = _Entry(*at, there[name])
                gone = [name for name in index if name not in there]
                removed = 0
                for name in gone:
                    entry = index.pop(name)
                    if entry.remote is not None and self._local(name) == (entry.size, entry.mtime):
                        (self.folder / name).unlink()  # another machine removed it
                        removed += 1
            finally:
                self._write_index(index)
            return len(wanted) + removed

    def store(self) -> int:
        """Stores the local files that are new or changed, removes those that are gone, and returns how many.

        Raises:
            ObjectStorageError: the storage cannot be written, or another machine changed one of these files.
        """
        with self._lock, self._errors("store into"):
            index = self._index()
            found = {name: at for name in self._names() if (at := self._local(name)) is not None}
            new = {name: at for name, at in found.items() if not _is_stored(at, index.get(name))}
            gone = [name for name in index if self._local(name) is None]
            if not new and not gone:
                return 0
            there = self._remote()
            for name in new:
                known = index.get(name)
                if (known is None or known.remote is not None) and there.get(name) != (known and known.remote):
                    raise self._conflict(name)
            index |= {name: _Entry(*at, None) for name, at in new.items()}  # being written from here: a kill shows it
            self._write_index(index)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._put, new))
            removed = [name for name in gone if name in there and there[name] == index[name].remote]
            for name in removed:
                self.storage.rm_file(self._object(name))
            there = self._remote() if new else there
            index |= {name: _Entry(*at, there.get(name)) for name, at in new.items()}
            self._write_index({name: entry for name, entry in index.items() if name not in gone})
            return len(new) + len(removed)

    def _is_current(self, name: str, known: _Entry | None, remote: str) -> bool:
        """Returns whether what lies here is what lies there, or newer, as what a killed run was storing."""
        return known is not None and known.remote in (remote, None) and self._local(name) is not None

    def _names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.folder).as_posix() for path in found if not _stays_here(path.name))

    def _remote(self) -> dict[str, str]:
        """Returns the check sum of each object below the URL, by its name."""
        self.storage.invalidate_cache()
        found = self.storage.find(self.root, detail=True)
        sums = {path.removeprefix(self.root).lstrip("/"): _check_sum(entry) for path, entry in found.items()}
        return {name: value for name, value in sums.items() if name and not _stays_here(name.rpartition("/")[2])}

    def _get(self, name: str, known: _Entry | None) -> tuple[int, int]:
        """Fetches a file, unless one that was changed here lies in its place; returns its size and time."""
        path, now = self.folder / name, self._local(name)
        changed_here = now is not None and (known is None or now != (known.size, known.mtime))

        def write(partial: Path) -> None:
            self.storage.get_file(self._object(name), str(partial))
            if changed_here and not filecmp.cmp(partial, path, shallow=False):
                raise self._conflict(name)

        write_atomically(path, write)
        return self._stat(path)

    def _put(self, name: str) -> None:
        path = self.folder / name
        with contextlib.ExitStack() as stack:
            if path.suffix == ".sqlite":  # a database that is being written to is never read as a file
                whole = Path(stack.enter_context(tempfile.TemporaryDirectory())) / path.name
                source = stack.enter_context(contextlib.closing(sqlite3.connect(path)))
                source.backup(stack.enter_context(contextlib.closing(sqlite3.connect(whole))))
                path = whole
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile: the next time tells the storage
                self.storage.makedirs(self._object(name).rpartition("/")[0], exist_ok=True)
                self.storage.put_file(str(path), self._object(name))

    def _object(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _local(self, name: str) -> tuple[int, int] | None:
        try:
            return self._stat(self.folder / name)
        except FileNotFoundError:
            return None

    @staticmethod
    def _stat(path: Path) -> tuple[int, int]:
        found = path.stat()
        return found.st_size, found.st_mtime_ns

    def _index(self) -> dict[str, _Entry]:
        with contextlib.suppress(FileNotFoundError, RecordError, TypeError):
            return {name: _Entry(**entry) for name, entry in read_record(self.folder / INDEX).items()}
        return {}

    def _write_index(self, index: dict[str, _Entry]) -> None:
        write_record(self.folder / INDEX, {name: asdict(entry) for name, entry in index.items()})

    def _conflict(self, name: str) -> ObjectStorageError:
        return ObjectStorageError(
            f"{self.url}/{name} was changed there since it was fetched, and {self.folder / name} was changed here; "
            "neither is touched. Two machines need a --workspace each. To keep what lies there, remove the local file; "
            "to keep the local one, remove the object"
        )

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except ImportError as error:
            scheme = self.url.partition("://")[0]
            package = INSTALL.get(scheme, f"the package that fsspec needs for {scheme}://")
            raise ObjectStorageError(f"{self.url} needs a package that is missing: pip install {package}") from error
        except (ObjectStorageError, WriteError, RecordError):
            raise
        except Exception as error:  # each storage has errors of its own
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ObjectStorageError(
                f"cannot {what} {self.url}: {reason}. See that it is written as fsspec reads it, such as "
                "s3://BUCKET/FOLDER, that it exists and that your credentials and endpoint are set (AWS_PROFILE, "
                "AWS_ENDPOINT_URL, ...)"
            ) from error


@contextlib.contextmanager
def workspace_at(url: str) -> Iterator[Path]:
    """Gives the local copy of a workspace on object storage, which is stored while open and when it closes.

    A storing that fails in between is told on standard error and tried again; the last one raises.

    Raises:
        ObjectStorageError: see :class:`Mirror`; also in one process of several that torchrun started.
        OwnershipError: another command on this machine has the same workspace open.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ObjectStorageError(
            f"{url}: processes of torchrun need one folder that they all see, not object storage; give --workspace a "
            "shared folder and copy it when it is done"
        )
    folder = local_copy(url)
    mirror = Mirror(url, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with own(folder, f"give --workspace another folder of {url.partition('://')[0]}://"):
        fetched = mirror.fetch()
        print(f"{url}: the copy on this machine is {folder} ({fetched} files fetched)", file=sys.stderr, flush=True)
        ended = threading.Event()
        storing = threading.Thread(target=_store_often, args=(mirror, ended), daemon=True, name="object storage")
        storing.start()
        failed = True
        try:
            yield folder
            failed = False
        finally:
            ended.set()
            storing.join()
            _store_at_the_end(mirror, failed)


def _store_often(mirror: Mirror, ended: threading.Event) -> None:
    while not ended.wait(EVERY):
        try:
            mirror.store()
        except Exception as error:  # the command's own work goes on; the end tries again
            print(f"{error} (tried again in {EVERY:.0f} s)", file=sys.stderr, flush=True)


def _store_at_the_end(mirror: Mirror, failed: bool) -> None:
    try:
        print(f"{mirror.url}: {mirror.store()} files stored at the end", file=sys.stderr, flush=True)
    except ObjectStorageError as error:
        told = f"{error}. What was made lies in {mirror.folder}; the same command stores it once that is mended"
        if not failed:
            raise ObjectStorageError(told) from error
        print(told, file=sys.stderr, flush=True)  # the command's own error is the one that ends it


def _is_stored(at: tuple[int, int], known: _Entry | None) -> bool:
    return known is not None and known.remote is not None and at == (known.size, known.mtime)


def _check_sum(found: Mapping[str, Any]) -> str:
    """Returns what tells an object's contents apart: the storage's own sum, or else its size and time."""
    for key in ("ETag", "etag", "md5Hash", "md5"):
        if found.get(key):
            return str(found[key])
    times = (found.get(key) for key in ("LastModified", "last_modified", "updated", "mtime", "created"))
    return f"{found.get('size')} {next((time for time in times if time is not None), '')}"


def _stays_here(name: str) -> bool:
    return name == INDEX or name in OWNER_FILES or PARTIAL_SUFFIX in name or name.endswith(_OF_SQLITE)
