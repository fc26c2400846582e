"""Processes that end with the one that started them, that are stopped in good order, or that are killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from types import FrameType

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>
LOOK_EVERY = 1.0  # seconds between two looks at the parent, where the system does not tell of its end

_LOADER = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) (.*)", re.DOTALL)
_watched: set[int] = set()


class ProcessDied(RuntimeError):
    """Another process that this one needs was killed, or ended by itself without an error."""


def end_with_parent(parent: int | None = None) -> None:
    """Makes this process end as soon as its parent has ended, however that ended. May be called many times.

    Linux means by the parent the thread that started this process: it must live as long as the process is wanted.

    Args:
        parent: number of the process that started this one, if known: were it dead already, this process ends now.
    """
    if os.getpid() in _watched:
        return
    _watched.clear()  # of a process that this one was forked from
    _watched.add(os.getpid())
    expected = os.getppid() if parent is None else parent
    told = False
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            told = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    if os.getppid() != expected:
        os._exit(1)
    if not told:
        threading.Thread(target=_watch, args=(expected,), daemon=True, name="end with parent").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os._exit(1)


@contextlib.contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Makes SIGTERM stop this process as Ctrl-C does (KeyboardInterrupt), while open.

    A command that a shell starts in the background may ignore SIGINT, so that SIGTERM is the one way to stop it in good
    order.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may choose
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def named_worker_deaths(advice: str) -> Iterator[None]:
    """Turns what joblib and torch raise when a worker process dies into one line.

    Args:
        advice: what is kept and how to go on.

    Raises:
        ProcessDied: a worker process died.
    """
    try:
        yield
    except BrokenProcessPool as error:
        signals = sorted(set(re.findall(r"SIG[A-Z]+|EXIT\(\d+\)", str(error))))
        raise ProcessDied(_death("a worker process", ", ".join(signals), advice)) from error
    except RuntimeError as error:
        found = _LOADER.match(str(error.__cause__ or "")) or _LOADER.match(str(error))  # the cause names the signal
        if found is None:
            raise
        how = found[2].strip().partition("\n")[0].partition(". ")[0].rstrip(".")
        raise ProcessDied(_death(f"the worker process {found[1].strip()} that reads data", how, advice)) from error


def _death(who: str, how: str, advice: str) -> str:
    killed = "SIGKILL" in how or "Killed" in how
    memory = ", as the system does when memory runs out" if killed else ""
    return f"{who} died{f' ({how})' if how else ''}{memory}: {advice}"
