"""Tasks on the machines of a Ray or Dask cluster, of which some may go and others come while it works.

joblib has backends for both. Its Ray backend gives each task to a process that was chosen before: when that one's
machine goes, all that the round had is lost and the command fails, and a machine that comes gets nothing. Its Dask
backend sends the function, and with it the list of all videos, again with every task. Here each task is one of the
cluster's own, which runs it again where the machine that had it goes, and the function is sent once to each process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from ltr.admin.environment import PATHS, load_environment
from ltr.admin.path_variables import using_paths
from ltr.admin.processes import ProcessDied

T = TypeVar("T")
R = TypeVar("R")

DEATHS = 3  # of processes that ran a task, before the next one is held against the task
IN_ADVANCE = 2  # tasks sent for each core: one that runs, and one that is there when it ends
LOOK_EVERY = 2.0  # seconds between two looks at which machines there are

Paths = dict[str, str]
Say = Callable[[str], None]


class Cluster(ABC):
    """Runs tasks on a cluster. A subclass says how its engine sends a task, and who its members are.

    Args:
        jobs: tasks at once; -1: as many as the cluster has cores.
        advice: what is kept and how to go on, for the message of an error.
        say: takes a line when members go or come.
    """

    def __init__(self, jobs: int, advice: str, say: Say) -> None:
        self.jobs, self.advice, self.say = jobs, advice, say
        self.paths = _paths()
        self._members = self.members()
        self._looked = time.monotonic()
        if not self._members:
            say("the cluster has no worker yet: waiting for one")

    @abstractmethod
    def members(self) -> dict[str, int]:
        """Returns the members that are there now, by name, and how many tasks each can run at once."""

    @abstractmethod
    def share(self, function: Callable[[Any], Any]) -> Any:
        """Gives a function to the cluster, and returns what :meth:`submit` takes in its place."""

    @abstractmethod
    def submit(self, shared: Any, task: Any) -> Any:
        """Sends a task, and returns a handle of it."""

    @abstractmethod
    def done(self, handles: Sequence[Any], seconds: float) -> list[Any]:
        """Waits at most so long, and returns the handles of those that are done."""

    @abstractmethod
    def result(self, handle: Any) -> Any:
        """Returns what came of a task that is done, or raises what it raised."""

    @abstractmethod
    def cancel(self, handles: Sequence[Any]) -> None:
        """Drops tasks that nobody waits for any more."""

    def count(self) -> int:
        """Returns how many tasks run at once now, at least 1."""
        self._look()
        cores = sum(self._members.values())
        return max(min(cores, self.jobs) if self.jobs > 0 else cores, 1)

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[tuple[int, R], None, None]:
        """Yields each task's number, from 0, and its result, as they are done.

        What a member that goes had not finished is run again by others.

        Raises:
            ProcessDied: the processes that ran one task died more than ``DEATHS`` times, or the cluster is gone.
        """
        shared = self.share(function)
        left = enumerate(tasks)
        running: dict[Any, int] = {}
        try:
            while True:
                ahead = self.jobs if self.jobs > 0 else IN_ADVANCE * self.count()
                for number, task in islice(left, max(ahead - len(running), 0)):
                    running[self.submit(shared, task)] = number
                if not running:
                    return
                self._look()
                for handle in self.done(list(running), LOOK_EVERY):
                    yield running.pop(handle), self.result(handle)
        finally:
            if running:
                self.cancel(list(running))

    def _look(self) -> None:
        """Says which members have gone or come since the last look."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        before, self._members, self._looked = self._members, self.members(), time.monotonic()
        gone, new = sorted(before.keys() - self._members), sorted(self._members.keys() - before)
        left = f"{len(self._members)} with {sum(self._members.values())} cores are there"
        if gone:
            self.say(f"{', '.join(gone)} has gone: others do again what was unfinished there; {left}")
        if new:
            self.say(f"{', '.join(new)} has come; {left}")
        if before and not self._members:
            self.say("no worker is left: waiting for one to come, Ctrl-C stops; finished work is kept")

    def _died(self, error: BaseException) -> ProcessDied:
        what = f"{DEATHS + 1} worker processes in a row died of one task ({type(error).__name__})"
        return ProcessDied(f"{what}, as they do when memory runs out: {self.advice}")

    def _lost(self, error: BaseException) -> ProcessDied:
        return ProcessDied(f"the cluster cannot be reached any more ({type(error).__name__}): {self.advice}")


class RayCluster(Cluster):
    """A Ray cluster; a member is a machine."""

    def __init__(self, jobs: int, advice: str, say: Say) -> None:
        import ray

        self._run: Any = ray.remote(num_cpus=1, max_retries=DEATHS)(_run_kept)
        super().__init__(jobs, advice, say)

    def members(self) -> dict[str, int]:
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        named = ((f"node {node['NodeManagerAddress']} ({node['NodeID'][:8]})", node) for node in nodes)
        return {name: int(node["Resources"]["CPU"]) for name, node in named}

    def share(self, function: Callable[[Any], Any]) -> Any:
        import ray

        return uuid.uuid4().hex, [ray.put(function)]  # in a list, Ray leaves it to the worker to read it

    def submit(self, shared: Any, task: Any) -> Any:
        return self._run.remote(*shared, task, self.paths)

    def done(self, handles: Sequence[Any], seconds: float) -> list[Any]:
        import ray

        some, others = ray.wait(list(handles), num_returns=1, timeout=seconds)
        return [*some, *ray.wait(others, num_returns=len(others), timeout=0)[0]] if some and others else list(some)

    def result(self, handle: Any) -> Any:
        import ray
        from ray import exceptions

        try:
            return ray.get(handle)
        except exceptions.RayTaskError as error:
            raise error.cause from error
        except exceptions.RayError as error:
            raise self._died(error) from error

    def cancel(self, handles: Sequence[Any]) -> None:
        import ray

        for handle in handles:
            ray.cancel(handle)


class DaskCluster(Cluster):
    """A Dask cluster; a member is a worker process, which runs one task at a time however many threads it has."""

    def __init__(self, client: Any, jobs: int, advice: str, say: Say) -> None:
        self.client = client
        super().__init__(jobs, advice, say)

    def members(self) -> dict[str, int]:
        with self._errors():
            return {f"worker {address}": 1 for address in self.client.ncores()}

    def share(self, function: Callable[[Any], Any]) -> Any:
        # A task that returns it, so that it can be made again when the workers that have it are gone.
        return self.client.submit(_same, function, key=f"function-{uuid.uuid4().hex}")

    def submit(self, shared: Any, task: Any) -> Any:
        return self.client.submit(_run_here, shared, task, self.paths, key=f"task-{uuid.uuid4().hex}")

    def done(self, handles: Sequence[Any], seconds: float) -> list[Any]:
        from dask.distributed import wait

        with contextlib.suppress(TimeoutError), self._errors():
            wait(handles, timeout=seconds, return_when="FIRST_COMPLETED")
        return [handle for handle in handles if handle.done()]

    def result(self, handle: Any) -> Any:
        from dask.distributed import KilledWorker

        try:
            with self._errors():
                return handle.result()
        except KilledWorker as error:
            raise self._died(error) from error

    def cancel(self, handles: Sequence[Any]) -> None:
        with contextlib.suppress(Exception):  # a cluster that is gone runs nothing
            self.client.cancel(handles)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        from concurrent.futures import CancelledError

        try:
            yield
        except CancelledError as error:  # Dask's own is one
            raise self._lost(error) from error
        except OSError as error:
            if isinstance(error, TimeoutError) or self.client.status == "running":
                raise
            raise self._lost(error) from error


@contextlib.contextmanager
def open_ray(jobs: int, advice: str, say: Say) -> Iterator[RayCluster]:
    """Gives the Ray cluster that is connected, that RAY_ADDRESS names, or else one on this machine.

    Raises:
        ValueError: Ray is not installed, or no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError("--backend ray needs Ray, which is not installed here: pip install ray") from error
    mine = not ray.is_initialized()
    if mine:
        try:
            ray.init(log_to_driver=False, logging_level=logging.WARNING)
        except (ConnectionError, RuntimeError) as error:
            address = os.environ.get("RAY_ADDRESS", "not set")
            raise ValueError(f"RAY_ADDRESS is {address}, and no cluster answers: {error}") from error
    try:
        yield RayCluster(jobs, advice, say)
    finally:
        if mine:
            ray.shutdown()


@contextlib.contextmanager
def open_dask(jobs: int, advice: str, say: Say) -> Iterator[DaskCluster]:
    """Gives the Dask cluster that is connected, that DASK_SCHEDULER_ADDRESS names, or else one on this machine.

    Raises:
        ValueError: Dask is not installed, or no scheduler answers.
    """
    try:
        from dask import config
        from dask.distributed import Client, get_client
    except ImportError as error:
        message = "--backend dask needs Dask, which is not installed here: pip install dask distributed"
        raise ValueError(message) from error
    mine = None
    try:
        client = get_client()  # the caller's
    except ValueError:
        address = config.get("scheduler-address", None)
        try:
            mine = client = Client(address) if address else Client(threads_per_worker=1, dashboard_address=None)
        except OSError as error:
            raise ValueError(f"DASK_SCHEDULER_ADDRESS is {address}, where no scheduler answers: {error}") from error
    try:
        yield DaskCluster(client, jobs, advice, say)
    finally:
        if mine is not None:
            mine.close()


def _paths() -> Paths:
    """Returns where things lie, as it is told to the workers, which may be started anywhere, with anything set."""
    environment = load_environment()
    paths = {name: environment.path(name) for name in PATHS}
    return {name: str(path.absolute()) for name, path in paths.items() if path is not None}


_kept: tuple[str, Callable[[Any], Any]] | None = None
_one_at_a_time = threading.Lock()


def _run_kept(name: str, reference: list[Any], task: Any, paths: Paths) -> Any:
    """Runs a task with a function that this process keeps, once it has read it."""
    global _kept
    if _kept is None or _kept[0] != name:
        import ray

        _kept = (name, ray.get(reference[0]))
    return _run_here(_kept[1], task, paths)


def _run_here(function: Callable[[Any], Any], task: Any, paths: Paths) -> Any:
    # Random numbers and the number of threads are the process's own, so two tasks at once would not be independent.
    with _one_at_a_time, using_paths(paths):
        return function(task)


def _same(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return function
