"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

PARTIAL_SUFFIX = ".partial"
LONGEST_NAME = 120  # characters of a file's name that are kept in its temporary name; file systems allow 255 in all

_FIXES = {
    errno.ENOSPC: "the disk is full: free some space, or choose a directory on another disk",
    errno.EDQUOT: "your disk quota is used up: free some space, or choose a directory on another disk",
    errno.EFBIG: "files may not become so large here: raise the limit (ulimit -f), or choose another disk",
    errno.EACCES: "check the permissions of its directory, or choose another one",
    errno.EPERM: "check the permissions of its directory, or choose another one",
    errno.EROFS: "the disk is mounted read-only: choose a directory on another one",
    errno.ENOTDIR: "a part of this path is a file and not a directory: choose another directory",
    errno.EEXIST: "a part of this path is a file and not a directory: choose another directory",
}


class WriteError(OSError):
    """A file could not be written; what was there before is untouched."""

    def __str__(self) -> str:
        return str(self.args[1]) if len(self.args) > 1 else super().__str__()


def write_atomically(path: str | Path, write: Callable[[Path], None]) -> None:
    """Writes ``path`` so that it always holds the old content or the new, and never a part.

    ``write`` gets a temporary name in the same directory (:func:`partial_path`). What it wrote is forced to the disk
    and then moved over ``path``. A process killed in between leaves at most a hidden ``*.partial`` file, which the next
    writer of ``path`` removes, or the next run that owns the directory (:func:`ltr.admin.ownership.own`).

    Raises:
        WriteError: the disk is full, the directory cannot be made or written to, ... The ``errno`` is kept.
    """
    path = Path(path)
    partial = partial_path(path)
    try:
        with _write_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(partial)
            _force_to_disk(partial)
            os.replace(partial, path)
    except BaseException:  # also Ctrl-C: nothing half-written stays behind
        _remove(partial)
        raise
    _force_directory_to_disk(path.parent)
    _remove_leftovers_of(path)


def check_writable(directory: Path) -> None:
    """Makes ``directory`` if need be, and a file in it for a moment, so that a run that cannot write stops at once.

    Raises:
        WriteError: see :func:`write_atomically`.
    """
    probe = directory / f".can_be_written.{os.getpid()}"  # this process's own: others may look at the same moment
    with _write_errors(probe):
        directory.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink(missing_ok=True)


@contextlib.contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fix = _FIXES.get(error.errno or 0, "see whether the directory exists and can be written to")
        reason = error.strerror or str(error)
        raise WriteError(error.errno or errno.EIO, f"cannot write {path}: {reason}; {fix}") from error


def check_file_writable(path: Path) -> None:
    """Checks that a file can be written later: in its directory, under a name not too long and not a directory's.

    Raises:
        WriteError: see :func:`write_atomically`.
    """
    check_writable(path.parent)
    try:
        is_directory = path.is_dir()
    except OSError as error:
        reason = f"{error.strerror}: {path.name[:40]}..."
        raise WriteError(error.errno or errno.EIO, f"cannot write into {path.parent}: {reason}") from error
    if is_directory:
        raise WriteError(errno.EISDIR, f"cannot write {path}: it is a directory; give the file another name")


def check_keeps(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Checks that what will be written takes the place of nothing that is read.

    Raises:
        WriteError: an output is one of the inputs, by whatever path.
    """
    given = [path for path in inputs if path.is_file()]
    for output in outputs:
        for path in given:
            if output.exists() and output.samefile(path):
                raise WriteError(
                    errno.EEXIST, f"{output} would take the place of {path}, which is read: choose another --out"
                )


def write_bytes_atomically(path: str | Path, content: bytes | memoryview) -> None:
    """Writes ``content`` to ``path`` whole or not at all; errors as in :func:`write_atomically`."""

    def write(partial: Path) -> None:
        with open(partial, "wb") as file:
            file.write(content)

    write_atomically(path, write)


def write_folder_atomically(folder: Path, write: Callable[[Path], None]) -> None:
    """Writes a folder so that it is there whole, or as it was before.

    ``write`` gets an empty folder of a temporary name beside it, which then takes the place of ``folder``; what lay
    there is removed. A process that is killed in between leaves at most hidden ``*.partial`` folders.

    Raises:
        WriteError: as :func:`write_atomically`.
    """
    partial = partial_path(folder)
    old = partial.with_name(f"{partial.name}.old")
    try:
        with _write_errors(folder):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        write(partial)
        with _write_errors(folder):
            if folder.exists():
                os.replace(folder, old)
            os.replace(partial, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    _force_directory_to_disk(folder.parent)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's content, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def partial_path(path: Path) -> Path:
    """Returns the temporary name that this process writes ``path`` under: it tells the host and the process."""
    return path.with_name(f"{_partial_start(path)}{os.getpid()}{PARTIAL_SUFFIX}")


def remove_leftovers(directory: Path, older_than: float = 3600.0) -> None:
    """Removes the partial files in ``directory`` and below it that were untouched for ``older_than`` seconds."""
    for partial in directory.rglob(f".*{PARTIAL_SUFFIX}*"):
        with contextlib.suppress(OSError):  # another process may have removed it first
            if time.time() - partial.stat().st_mtime >= older_than:
                partial.unlink()


def _remove_leftovers_of(path: Path) -> None:
    """Removes partial files of ``path`` whose writer, a process on this host, has ended."""
    for partial in path.parent.glob(f"{glob.escape(_partial_start(path))}*{PARTIAL_SUFFIX}*"):
        pid = partial.name.removeprefix(_partial_start(path)).partition(".")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            _remove(partial)


def _partial_start(path: Path) -> str:
    return f".{path.name[:LONGEST_NAME]}.{platform.node()[:60].replace('.', '-')}."


def _force_to_disk(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _force_directory_to_disk(directory: Path) -> None:
    # Makes the rename survive a power cut. Not every file system can, and the file itself is whole either way.
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
