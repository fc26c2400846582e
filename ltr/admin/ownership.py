"""One run at a time in a directory that it writes to.

The directory holds a lock file, which the operating system frees when its process ends in whatever way, and beside it
who holds it. So a second run can be told whom to wait for, and what a killed run left is taken over.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ltr.admin.files import check_writable, remove_leftovers
from ltr.admin.records import RecordError, read_record, write_record

OWNER_FILE = ".owner.json"
LOCK_FILE = ".owner.lock"
FILES = (OWNER_FILE, LOCK_FILE)


class OwnershipError(RuntimeError):
    """Another run writes to the directory."""


@dataclass(frozen=True)
class Owner:
    """Who writes to a directory. It can be sent to worker processes, which write in its name.

    Attributes:
        directory: the directory.
        pid: of the process that holds it.
        host: where that process runs.
        started: since when, as local time.
        token: differs between any two owners.
    """

    directory: str
    pid: int
    host: str
    started: str
    token: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.started}"

    def check(self) -> None:
        """Checks that the directory is still held: to be called before each write, and before results are scored.

        Raises:
            OwnershipError: another run holds it, or the directory was removed or replaced.
        """
        found = _read_owner(Path(self.directory))
        if found is None or found.token != self.token:
            who = "it was removed or replaced" if found is None else f"{found} writes to it now"
            raise OwnershipError(f"{self.directory} no longer belongs to this run: {who}. This run stops writing there")


_held: dict[str, Owner] = {}


@contextlib.contextmanager
def own(
    directory: Path, otherwise: str, *, wait: bool = False, say: Callable[[str], None] | None = None
) -> Iterator[Owner]:
    """Holds ``directory``, which is made if need be, while open; within one process it may be held again inside.

    Partial files that killed runs left in it are removed.

    Args:
        directory: what the run writes to.
        otherwise: what a second run can do, such as ``"choose another directory with --out"``, for the message.
        wait: wait for the other run to end, rather than raise.
        say: takes a line where a killed run's directory is taken over, or waited for; by default standard error.

    Raises:
        OwnershipError: another run holds it, and ``wait`` is false.
        WriteError: it cannot be written to.
    """
    say = say or _print_line
    path = str(Path(directory).absolute())
    outer = _held.get(path)
    if outer is not None and outer.pid == os.getpid():  # a forked process holds nothing of its parent's
        yield outer
        return
    check_writable(Path(path))
    lock = FileLock(Path(path) / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        holder = _holder(Path(path))
        if not wait:
            raise OwnershipError(
                f"{directory} is being written to by {holder}: wait until it has ended, or {otherwise}"
            ) from None
        say(f"{directory} is being written to by {holder}: waiting until it has ended")
        lock.acquire()
    try:
        before = _read_owner(Path(path))
        if before is not None:
            say(f"{directory} was left by a run that did not end properly ({before}); this run takes it over")
        remove_leftovers(Path(path), older_than=0)
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        owner = Owner(path, os.getpid(), platform.node(), started, uuid.uuid4().hex)
        write_record(Path(path) / OWNER_FILE, asdict(owner))
        _held[path] = owner
        try:
            yield owner
        finally:
            _held.pop(path, None)
            now = _read_owner(Path(path))
            if now is not None and now.token == owner.token:
                with contextlib.suppress(OSError):
                    (Path(path) / OWNER_FILE).unlink()
    finally:
        lock.release()


def _holder(directory: Path) -> str:
    for _ in range(20):  # the file comes a moment after the lock
        found = _read_owner(directory)
        if found is not None:
            return str(found)
        time.sleep(0.05)
    return "another process"


def _read_owner(directory: Path) -> Owner | None:
    with contextlib.suppress(FileNotFoundError, RecordError, TypeError):
        return Owner(**read_record(directory / OWNER_FILE))
    return None


def _print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
