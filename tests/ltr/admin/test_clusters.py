"""Tasks on a cluster whose members go and come, here one that is only played; benchmarks/cluster.py has real ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ltr.admin import clusters
from ltr.admin.clusters import Cluster
from ltr.admin.processes import ProcessDied
from ltr.admin.workers import open_workers


class Played(Cluster):
    """Finishes the last task that it was sent first; members are those of a list, one entry for each look."""

    def __init__(self, members: Sequence[dict[str, int]], jobs: int = -1) -> None:
        self.said: list[str] = []
        self.script = itertools.chain(members, itertools.repeat(members[-1]))
        self.sent: list[Any] = []
        self.most = 0
        self.cancelled: list[Any] = []
        super().__init__(jobs, "start again", self.said.append)

    def members(self) -> dict[str, int]:
        return dict(next(self.script))

    def share(self, function: Callable[[Any], Any]) -> Any:
        return function

    def submit(self, shared: Any, task: Any) -> Any:
        self.sent.append(task)
        return len(self.sent) - 1, shared

    def done(self, handles: Sequence[Any], seconds: float) -> list[Any]:
        self.most = max(self.most, len(handles))
        return [max(handles, key=lambda handle: int(handle[0]))]

    def result(self, handle: Any) -> Any:
        number, function = handle
        return function(self.sent[number])

    def cancel(self, handles: Sequence[Any]) -> None:
        self.cancelled = list(handles)


@pytest.fixture(autouse=True)
def always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "LOOK_EVERY", 0.0)


def test_each_task_has_its_own_result_in_whatever_order_they_end() -> None:
    played = Played([{"a": 2, "b": 1}])
    found = list(played.run(lambda task: task * task, iter(range(20))))
    assert sorted(found) == [(number, number * number) for number in range(20)] and found != sorted(found)
    assert played.most == 6, "two tasks for each of three cores are sent, and not all at once"


def test_jobs_limits_the_tasks_at_once() -> None:
    played = Played([{"a": 8}], jobs=3)
    assert played.count() == 3 and len(list(played.run(abs, range(9)))) == 9 and played.most == 3


def test_who_goes_and_who_comes_is_named() -> None:
    played = Played([{"a": 1, "b": 1}, {"a": 1, "b": 1}, {"a": 1}, {}, {"c": 4}])
    assert len(list(played.run(abs, range(12)))) == 12
    assert played.said == [
        "b has gone: others do again what was unfinished there; 1 with 1 cores are there",
        "a has gone: others do again what was unfinished there; 0 with 0 cores are there",
        "no worker is left: waiting for one to come, Ctrl-C stops; finished work is kept",
        "c has come; 1 with 4 cores are there",
    ]
    assert played.most == 8, "what has come is given work"


def test_a_cluster_without_workers_is_waited_for() -> None:
    played = Played([{}, {}, {"a": 1}])
    assert played.said == ["the cluster has no worker yet: waiting for one"]
    assert sorted(played.run(abs, [-1, -2])) == [(0, 1), (1, 2)]


def test_an_error_is_the_tasks_own_and_the_others_are_dropped() -> None:
    played = Played([{"a": 4}])
    with pytest.raises(ZeroDivisionError):
        list(played.run(lambda task: 1 // task, [1, 2, 0]))
    assert len(played.cancelled) == 2


def test_workers_are_told_where_things_lie(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTRACKING_OTB_DIR", "/data/otb")
    paths = Played([{"a": 1}]).paths
    assert paths["otb_dir"] == "/data/otb" and paths["workspace_dir"] == str(workspace)
    assert paths["network_dir"] == str(workspace / "networks") and "lasot_dir" not in paths


@pytest.mark.parametrize("backend", ["ray", "dask"])
def test_a_task_that_kills_its_workers_is_told(workspace: Any, backend: str) -> None:
    module = pytest.importorskip(
        {"ray": "ray", "dask": "distributed"}[backend],
        reason=f"{backend} is not installed (pip install 'pytracking-socl[cluster]')",
    )
    if backend == "ray":
        module.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False)
        stop = module.shutdown
    else:
        stop = module.Client(n_workers=1, threads_per_worker=1, dashboard_address=None).shutdown
    try:
        with open_workers(backend, advice="start again") as workers:
            assert list(workers.run(abs, [-3])) == [(0, 3)]
            with pytest.raises(TypeError):
                list(workers.run(abs, ["no number"]))
            with pytest.raises(ProcessDied, match="4 worker processes in a row died of one task .*: start again"):
                list(workers.run(_die, [9]))
    finally:
        stop()


def _die(number: int) -> None:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
