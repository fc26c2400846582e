"""Many independent tasks at once: on this machine's cores, or on a cluster, through joblib."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ltr.admin.processes import end_with_parent, named_worker_deaths

T = TypeVar("T")
R = TypeVar("R")

BACKENDS = ("loky", "ray", "dask")
WORKER_DIED = "what was finished is kept, and the same command goes on from there; fewer --jobs need less memory"
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")  # of a container, on Linux
LARGEST_KEPT = 31 << 20  # bytes; glibc learns from no block of more than 32 MiB


def add_jobs_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--jobs N`` and ``--backend``, as :func:`cluster` and joblib take them."""
    parser.add_argument(
        "--jobs", type=workers, default=-1, metavar="N", help="worker processes (default: one for each core)"
    )
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        help="joblib's: loky (default), or the cluster that RAY_ADDRESS or DASK_SCHEDULER_ADDRESS names",
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


def workers(text: str) -> int:
    """Returns a number of processes: from 1 on, or -1 for all cores."""
    if text != "-1" and not (text.isdecimal() and len(text) < 6 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, or -1 for all cores, not {text[:40]!r}")
    return int(text)


def run_in_rounds(
    function: Callable[[T], R], tasks: Iterable[T], jobs: int = -1, per_worker: int = 64
) -> Iterator[list[R]]:
    """Yields the results of a function for the tasks, in their order, a round of them at a time.

    A round ends when its last task does; the caller can then write what came of it. Where the tasks run is the business
    of :func:`cluster`.

    Args:
        function: of one task; both are sent to the workers.
        tasks: drawn from as the rounds begin.
        jobs: worker processes; -1: one for each core.
        per_worker: tasks in a round, for each worker.

    Raises:
        ProcessDied: a worker process was killed; the rounds before were yielded.
    """
    from joblib import Parallel, delayed, effective_n_jobs

    left = iter(tasks)
    with named_worker_deaths(WORKER_DIED), Parallel(n_jobs=jobs) as parallel:
        size = per_worker * effective_n_jobs(jobs)  # on a cluster, its cores count
        while batch := list(islice(left, size)):
            yield parallel(delayed(_run)(function, task, os.getpid()) for task in batch)


def _run(function: Callable[[T], R], task: T, starter: int) -> R:
    if os.getppid() == starter:  # a worker process on this machine, and not of a cluster
        end_with_parent()
    return function(task)


@contextlib.contextmanager
def cluster(backend: str | None) -> Iterator[None]:
    """Sends what joblib runs to a backend, while it is open.

    Args:
        backend: ``loky`` (or none) on this machine; ``ray`` or ``dask`` on the cluster that is connected, that
            RAY_ADDRESS or DASK_SCHEDULER_ADDRESS names, or else one on this machine.

    Raises:
        ValueError: the backend's package is not installed.
    """
    from joblib import parallel_config

    # Named to joblib's Parallel itself, Dask fails.
    with _connect(backend), parallel_config(backend=backend or "loky"):
        yield


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


def keep_freed_memory() -> None:
    """Makes this process keep memory that it frees, to be used again, rather than give it back at once.

    The C library (glibc) learns what to keep from the largest block that was freed. In a fresh worker process none was,
    and a TOP map then costs a thousand page faults, a twentieth of its time.
    """
    import numpy as np

    np.empty(LARGEST_KEPT, np.uint8)  # never written to, so that it takes no memory


def _connect(backend: str | None) -> contextlib.AbstractContextManager[Any]:
    if backend == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise ValueError("--backend ray needs Ray, which is not installed here: pip install ray") from error
        register_ray()  # joblib then connects to RAY_ADDRESS
    if backend == "dask":
        try:
            from dask.distributed import Client, get_client
        except ImportError as error:
            message = "--backend dask needs Dask, which is not installed here: pip install dask distributed"
            raise ValueError(message) from error
        try:
            get_client()  # the caller's
        except ValueError:
            return Client()  # of DASK_SCHEDULER_ADDRESS
    return contextlib.nullcontext()
