"""A folder on this machine and its copy on object storage, made equal in either direction, file by file."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ltr.admin.files import PARTIAL_SUFFIX, WriteError, check_writable, sha256_of
from ltr.admin.ownership import FILES as OWNER_FILES
from ltr.admin.records import RecordError, read_record, write_record

AT_ONCE = 8  # files that travel
BATCH = 64  # files at least between two writings of the index
SETTLED = 5.0  # seconds since a file was written to, until it counts as finished while a command runs
PATIENCE = 30.0  # seconds to copy a database that others write to
INDEX = ".object_storage.json"
PARTS = f".object_storage{PARTIAL_SUFFIX}"  # folder of files on their way
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs", "memory": ""}
NOTE = ".json"
_OF_SQLITE = ("-journal", "-wal", "-shm")


class ObjectStorageError(RuntimeError):
    """Object storage cannot be reached, or holds what another machine stored meanwhile."""


@dataclass(frozen=True)
class _Entry:
    """A file when both sides were equal.

    Attributes:
        size: of the local file, in bytes.
        mtime: of the local file, in nanoseconds.
        remote: the storage's own check sum of the object; None: there was none.
        sending: SHA-256 of what is being stored in its place; None: nothing is.
    """

    size: int
    mtime: int
    remote: str | None
    sending: str | None = None

    @property
    def local(self) -> tuple[int, int]:
        return self.size, self.mtime


class Mirror:
    """A local folder and its copy on object storage.

    Args:
        url: such as ``s3://bucket/runs``; credentials and the endpoint come from the environment (``AWS_...``).
        folder: on this machine; it is made if need be, and one process uses it at a time.

    Raises:
        ObjectStorageError: the URL is none, its package is missing, or the storage refuses.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url.rstrip("/"), folder
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._gone: set[str] = set()  # what was missing here the last time
        scheme, _, place = url.partition("://")
        if scheme not in PACKAGES:
            raise ObjectStorageError(f"{url}: {scheme}:// is no object storage: known are {', '.join(PACKAGES)}")
        if not place.strip("/"):
            raise ObjectStorageError(f"{url} names no bucket: give all of it, such as s3://BUCKET/FOLDER")
        try:
            from fsspec.core import url_to_fs

            self.storage, self.root = url_to_fs(self.url)
        except ImportError as error:
            raise ObjectStorageError(
                f"{url} needs a package that is missing: pip install {PACKAGES[scheme]}"
            ) from error
        except Exception as error:  # each storage has errors of its own
            raise self._unreachable(error) from error
        check_writable(folder)

    def fetch(self) -> int:
        """Makes local files as they lie on the storage, and returns how many were fetched or removed.

        What was changed here and not stored yet, as by a run that was killed, stays as it is; what is missing here
        is fetched again.

        Raises:
            ObjectStorageError: the storage cannot be read, or a file was changed on both sides.
        """
        with self._lock:
            index, there = self._index(), self._remote()
            known = sum(entry.remote is not None for entry in index.values())
            if known and not there:
                raise ObjectStorageError(
                    f"{self.url} is empty, and {known} files of it were here: see that bucket, endpoint and "
                    f"account are the right ones. If it was emptied on purpose, remove {self.folder}, too"
                )
            changed = 0
            for name in [name for name in index if name not in there]:
                entry = index.pop(name)
                if entry.remote is not None and entry.sending is None and self._local(name) == entry.local:
                    (self.folder / name).unlink()  # another machine removed it
                    changed += 1
            wanted = [name for name, remote in there.items() if not self._is_current(name, index.get(name), remote)]

            def get(name: str) -> _Entry:
                return self._get(name, index.get(name), there[name])

            return changed + self._each(get, wanted, index)

    def store(self, last: bool = False) -> int:
        """Stores the local files that are new or changed, removes those that are gone, and returns how many.

        One file that cannot be stored does not keep back the others.

        Args:
            last: nothing is written here any more. Otherwise what was written to a moment ago waits for the next
                time, and so does the removal of what has gone since the last time.

        Raises:
            ObjectStorageError: the storage cannot be written, or another machine changed one of these files.
        """
        with self._lock:
            index = self._index()
            found = {name: at for name in self._names() if (at := self._local(name)) is not None}
            new = [name for name, at in found.items() if not _is_stored(at, index.get(name))]
            if not last:
                new = [name for name in new if name.endswith(".sqlite") or _age(found[name]) > SETTLED]
            missing = {name for name in index if self._local(name) is None}
            gone = sorted(missing if last else missing & self._gone)
            self._gone = missing
            changed = self._each(lambda name: self._put(name, index.get(name)), new, index)
            for name in gone:
                changed += self._remove(name, index[name])
                del index[name]
            if gone:
                self._write_index(index)
            return changed

    def _each(self, act: Callable[[str], _Entry | None], names: list[str], index: dict[str, _Entry]) -> int:
        """Does something with each file, some at once, and keeps in the index what came of it; returns how many.

        Raises:
            ObjectStorageError: the first that failed, after all others were done.
        """
        failed: dict[str, Exception] = {}
        done = 0
        size = max(BATCH, len(names) // 8)
        for start in range(0, len(names), size):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                for name, future in [(name, pool.submit(act, name)) for name in names[start : start + size]]:
                    try:
                        entry = future.result()
                    except (ObjectStorageError, WriteError) as error:
                        failed[name] = error
                        continue
                    if entry is not None:
                        index[name] = entry
                        done += 1
            index |= {name: entry for name, entry in self._noted().items() if name in failed}
            self._write_index(index)
        if failed:
            first = next(iter(failed.values()))
            others = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
            raise ObjectStorageError(f"{first}{others}") from first
        return done

    def _is_current(self, name: str, known: _Entry | None, remote: str) -> bool:
        """Returns whether what lies here is what lies there, or newer, as what a killed run was storing."""
        if known is None or self._local(name) is None:
            return False
        return known.remote == remote or (known.sending is not None and self._content(name) == known.sending)

    def _content(self, name: str) -> str:
        """Returns the SHA-256 of an object."""
        with self._part() as part, self._errors(name, "fetch"):
            self.storage.get_file(self._object(name), str(part))
            return sha256_of(part)

    def _get(self, name: str, known: _Entry | None, remote: str) -> _Entry:
        """Fetches a file; one that was changed here may be in its place only if it is the same."""
        path, now = self.folder / name, self._local(name)
        with self._part() as part:
            with self._errors(name, "fetch"):
                self.storage.get_file(self._object(name), str(part))
            if now is not None and not _is_stored(now, known) and sha256_of(part) != sha256_of(path):
                raise self._conflict(name)
            with self._errors(name, "fetch"):
                with open(part, "rb+") as file:
                    os.fsync(file.fileno())
                path.parent.mkdir(parents=True, exist_ok=True)
                for ending in _OF_SQLITE:  # of the database that lay here: it must not be applied to another
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                os.replace(part, path)
        return _Entry(*_stat(path), remote)

    def _put(self, name: str, known: _Entry | None) -> _Entry | None:
        """Stores a file, unless another machine did since it was fetched; None: it has gone meanwhile."""
        if "?versionId=" in name:
            raise ObjectStorageError(
                f"{self.folder / name} cannot be stored: ?versionId= in a name means something else"
            )
        with self._part() as part, self._errors(name, "store"):
            path, now = self.folder / name, self._local(name)
            if now is None or not self._copy_database(path, part):
                return None
            path = part if part.exists() else path
            before, sending = self._sum(name), sha256_of(path)
            if before != (known.remote if known else None):
                content = None if before is None else self._content(name)
                if content == sending:
                    return _Entry(*now, before)  # it is there already
                if known is None or known.sending is None or content != known.sending:
                    raise self._conflict(name)
            self._note_sending(name, _Entry(*now, before, sending))
            self.storage.makedirs(self._object(name).rpartition("/")[0], exist_ok=True)
            self.storage.put_file(str(path), self._object(name))
            return _Entry(*now, self._sum(name))

    def _remove(self, name: str, entry: _Entry) -> bool:
        """Removes an object, unless another machine changed it since; returns whether it did."""
        with self._errors(name, "remove"):
            remote = self._sum(name)
            if remote is None or (remote != entry.remote and self._content(name) != entry.sending):
                return False
            self.storage.rm_file(self._object(name))
            return True

    def _copy_database(self, path: Path, part: Path) -> bool:
        """Copies a SQLite file as it is at one moment, with what is finished; returns whether the file is there."""
        if path.suffix != ".sqlite":
            return path.exists()
        limit = time.monotonic() + PATIENCE

        def look(status: int, remaining: int, total: int) -> None:
            if time.monotonic() > limit:
                raise ObjectStorageError(f"{path} is being written to: it is stored later")

        with contextlib.ExitStack() as stack:
            try:
                source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
            except sqlite3.OperationalError:
                return path.exists()
            stack.callback(source.close)
            copy = stack.enter_context(contextlib.closing(sqlite3.connect(part)))
            source.backup(copy, pages=4096, progress=look, sleep=0.05)
        return True

    def _names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        names = (path.relative_to(self.folder).as_posix() for path in found)
        return sorted(name for name in names if not _stays_here(name))

    def _remote(self) -> dict[str, str]:
        """Returns the check sum of each object below the URL, by its name."""
        try:
            self.storage.invalidate_cache()
            found = self.storage.find(self.root, detail=True)
        except Exception as error:
            raise self._unreachable(error) from error
        sums = {}
        for path, entry in found.items():
            name = path.removeprefix(self.root).lstrip("/")
            if not name or name.endswith("/") or entry.get("type") == "directory" or _stays_here(name):
                continue
            if ".." in name.split("/") or (os.name == "nt" and set(name) & set('\\:*?"<>|')):
                raise ObjectStorageError(
                    f"{self.url}/{name} has a name that no file here can have: rename or remove it"
                )
            sums[name] = _check_sum(entry)
        return sums

    def _sum(self, name: str) -> str | None:
        self.storage.invalidate_cache()
        try:
            return _check_sum(self.storage.info(self._object(name)))
        except FileNotFoundError:
            return None

    def _object(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _local(self, name: str) -> tuple[int, int] | None:
        try:
            return _stat(self.folder / name)
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextlib.contextmanager
    def _part(self) -> Iterator[Path]:
        """Gives the name of a file on its way, in the folder so that it can be renamed, and removes it in the end."""
        folder = self.folder / PARTS
        folder.mkdir(exist_ok=True)
        part = folder / f"{os.getpid()}.{next(self._numbers)}"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def _note_sending(self, name: str, entry: _Entry) -> None:
        """Says in a small file of its own what is being stored, so that it is known after a kill."""
        note = self.folder / PARTS / f"{os.getpid()}.{next(self._numbers)}{NOTE}"
        note.write_text(json.dumps({"name": name, "entry": asdict(entry)}), encoding="utf-8")

    def _index(self) -> dict[str, _Entry]:
        index: dict[str, _Entry] = {}
        with contextlib.suppress(FileNotFoundError, RecordError, TypeError, AttributeError):
            files = read_record(self.folder / INDEX).get("files", {})
            index = {name: _Entry(**entry) for name, entry in files.items()}
        return index | self._noted()  # which a run that was killed left

    def _noted(self) -> dict[str, _Entry]:
        """Returns what was being stored when it ended."""
        found = {}
        for note in (self.folder / PARTS).glob(f"*{NOTE}"):
            with contextlib.suppress(FileNotFoundError, RecordError, TypeError, KeyError):
                noted = read_record(note)
                found[noted["name"]] = _Entry(**noted["entry"])
        return found

    def _write_index(self, index: dict[str, _Entry]) -> None:
        write_record(self.folder / INDEX, {"files": {name: asdict(entry) for name, entry in index.items()}})
        shutil.rmtree(self.folder / PARTS, ignore_errors=True)

    def _conflict(self, name: str) -> ObjectStorageError:
        return ObjectStorageError(
            f"{self.url}/{name} was changed there since it was fetched, and {self.folder / name} was changed here; "
            "neither is touched. Two machines need a --workspace each. To keep what lies there, remove the local file; "
            "to keep the local one, remove the object"
        )

    def _unreachable(self, error: Exception) -> ObjectStorageError:
        return ObjectStorageError(
            f"cannot reach {self.url}: {_reason(error)}. See that it is written as s3://BUCKET/FOLDER, that the bucket "
            "exists, and that your account and endpoint are set (AWS_PROFILE, AWS_ENDPOINT_URL, ...)"
        )

    @contextlib.contextmanager
    def _errors(self, name: str, what: str) -> Iterator[None]:
        try:
            yield
        except ObjectStorageError:
            raise
        except Exception as error:  # each storage has errors of its own
            raise ObjectStorageError(
                f"cannot {what} {self.folder / name} ({self.url}/{name}): {_reason(error)}"
            ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _stat(path: Path) -> tuple[int, int]:
    """Returns size and time of a file, those of a database with what is not yet written into it."""
    found = [path.stat()]
    with contextlib.suppress(FileNotFoundError):
        if path.suffix == ".sqlite":
            found.append(path.with_name(f"{path.name}-wal").stat())
    return sum(each.st_size for each in found), max(each.st_mtime_ns for each in found)


def _age(at: tuple[int, int]) -> float:
    return time.time() - at[1] / 1e9


def _is_stored(at: tuple[int, int], known: _Entry | None) -> bool:
    return known is not None and known.remote is not None and known.sending is None and at == known.local


def _check_sum(found: Mapping[str, Any]) -> str:
    """Returns what tells an object's contents apart: the storage's own sum, or else its size and time."""
    for key in ("ETag", "etag", "md5Hash", "md5"):
        if found.get(key):
            return str(found[key])
    times = (found.get(key) for key in ("LastModified", "last_modified", "updated", "mtime", "created"))
    at = next((time for time in times if time is not None), "")
    return f"{found.get('size')} {at.timestamp() if isinstance(at, datetime) else at}"


def _stays_here(name: str) -> bool:
    parts = name.split("/")
    file = parts[-1]
    partial = any(part.startswith(".") and PARTIAL_SUFFIX in part for part in parts)
    return partial or file == INDEX or file in OWNER_FILES or file.endswith(_OF_SQLITE)
