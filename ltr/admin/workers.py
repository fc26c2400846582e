"""Who runs many independent tasks: processes on this machine's cores, or the machines of a cluster."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from ltr.admin.clusters import open_dask, open_ray
from ltr.admin.processes import end_with_parent, named_worker_deaths
from ltr.registry import load_plugins

T = TypeVar("T")
R = TypeVar("R")

WORKER_DIED = "what was finished is kept, and the same command goes on from there; fewer --jobs need less memory"


class Workers(Protocol):
    """Runs tasks, as :func:`open_workers` gives it."""

    def count(self) -> int:
        """Returns how many tasks run at once now, at least 1."""

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[tuple[int, R], None, None]:
        """Yields each task's number, from 0, and its result, as they are done.

        Raises:
            ProcessDied: a worker process was killed, or on a cluster those that ran one task, again and again.
        """


class LocalWorkers:
    """Processes on this machine, joblib's.

    Args:
        parallel: joblib's ``Parallel`` with ``return_as="generator_unordered"``.
        jobs: worker processes; -1: one for each core.
        advice: what is kept and how to go on when one dies.
    """

    def __init__(self, parallel: Any, jobs: int, advice: str) -> None:
        self.parallel, self.jobs, self.advice = parallel, jobs, advice

    def count(self) -> int:
        from joblib import effective_n_jobs

        return int(effective_n_jobs(self.jobs))

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[tuple[int, R], None, None]:
        from joblib import delayed

        with named_worker_deaths(self.advice):
            yield from self.parallel(
                delayed(_run)(number, function, task, os.getpid()) for number, task in enumerate(tasks)
            )


@contextlib.contextmanager
def open_workers(
    backend: str | None = None,
    jobs: int = -1,
    advice: str = WORKER_DIED,
    say: Callable[[str], None] | None = None,
) -> Iterator[Workers]:
    """Gives workers, while it is open.

    Args:
        backend: ``loky`` (or none), or another of joblib's: on this machine; ``ray`` or ``dask``: on the cluster that
            is connected, that RAY_ADDRESS or DASK_SCHEDULER_ADDRESS names, or else one on this machine. Its machines
            may go and come; they need this project installed, and the data at the same paths.
        jobs: tasks at once; -1: one for each core.
        advice: what is kept and how to go on, for the message when workers die.
        say: takes a line when machines of a cluster go or come; by default standard error.

    Raises:
        ValueError: the backend's package is not installed, or its cluster does not answer.
    """
    if backend in ("ray", "dask"):
        with (open_ray if backend == "ray" else open_dask)(jobs, advice, say or _print_line) as cluster:
            yield cluster
        return
    from joblib import Parallel, parallel_config

    with (
        parallel_config(backend=backend or "loky"),
        Parallel(n_jobs=jobs, return_as="generator_unordered") as parallel,
    ):
        yield LocalWorkers(parallel, jobs, advice)


@lru_cache(maxsize=1)
def load_plugins_once(plugins: tuple[str, ...]) -> None:
    """Loads plugins that the starting process has, in a worker, which knows nothing of ``--plugin``.

    Once for all of its tasks: to look through what is installed takes as long as a TOP map.
    """
    load_plugins(plugins)


def _run(number: int, function: Callable[[T], R], task: T, starter: int) -> tuple[int, R]:
    if os.getppid() == starter:
        end_with_parent()
    return number, function(task)


def _print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
