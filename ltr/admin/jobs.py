"""How many tasks run at once, and what each process of them may use."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

BACKENDS = ("loky", "ray", "dask")
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container, on Linux
SHORT_SPIN = "1000"  # turns of GNU's loop, some microseconds: two threads alone on two cores are then hardly slower
LARGEST_KEPT = 31 << 20  # bytes; glibc learns from no block of more than 32 MiB


def add_jobs_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--jobs N`` and ``--backend``, as :func:`ltr.admin.workers.open_workers` takes them."""
    parser.add_argument(
        "--jobs", type=workers, default=-1, metavar="N", help="worker processes (default: one for each core)"
    )
    add_backend_option(parser)


def add_backend_option(parser: argparse._ActionsContainer) -> None:
    """Adds ``--backend``, as :func:`ltr.admin.workers.open_workers` takes it."""
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        help="where workers run: loky, on this machine (default), or on the cluster that RAY_ADDRESS or "
        "DASK_SCHEDULER_ADDRESS names",
    )


def local_cores() -> int:
    """Returns this process's share of the cores that it may use, at least 1: torchrun says how many processes share."""
    return max(usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")), 1)


def usable_cores() -> int:
    """Returns how many cores this process may use: those it is bound to, or its container's share if that is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = CPU_LIMIT.read_bytes().split()  # microseconds of all cores in a period, or ``max``
        cores = min(cores, -(-int(quota) // int(period)))
    return max(cores, 1)


def threads_each(processes: int) -> int:
    """Returns how many threads each of so many processes takes that share the cores this one may use, at least 1.

    ``OMP_NUM_THREADS`` in the environment is the most that anybody asked for.
    """
    share = max(usable_cores() // max(processes, 1), 1)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, max(int(asked), 1)) if asked.isdecimal() and len(asked) < 6 else share


def let_waiting_threads_sleep() -> None:
    """Makes torch's threads sleep while they wait for one another, here and in the processes started from here.

    By default they wait in a loop for some milliseconds. Where another program keeps a core busy, they so take the time
    that the thread they wait for needs: ``python benchmarks/threads.py`` shows it. OpenMP reads this when torch is
    imported, so it comes before that. Whoever set ``OMP_WAIT_POLICY`` keeps what it says.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", SHORT_SPIN)


def workers(text: str) -> int:
    """Returns a number of processes: from 1 on, or -1 for all cores."""
    if text != "-1" and not (text.isdecimal() and len(text) < 6 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, or -1 for all cores, not {text[:40]!r}")
    return int(text)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keeps OpenCV and torch to one thread, since the workers share the cores already."""
    import cv2
    import torch

    threads = cv2.getNumThreads(), torch.get_num_threads()
    # Not 1: OpenCV would wait for ever for its pool of threads in a process that was forked from one that used it.
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads[0])
        torch.set_num_threads(threads[1])


def use_threads(threads: int) -> None:
    """Has OpenCV and torch take so many threads in this process.

    It does not import torch, which takes seconds that a tracker without a network can do without; where torch comes
    later, it reads the number from the environment.
    """
    import cv2

    cv2.setNumThreads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def keep_freed_memory() -> None:
    """Makes this process keep memory that it frees, to be used again, rather than give it back at once.

    The C library (glibc) learns what to keep from the largest block that was freed. In a fresh worker process none was,
    and a TOP map then costs a thousand page faults, a twentieth of its time.
    """
    import numpy as np

    np.empty(LARGEST_KEPT, np.uint8)  # never written to, so that it takes no memory
