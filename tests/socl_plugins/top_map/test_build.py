"""Building a store: with many workers or a cluster, and killed on the way."""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import PointAnnotated
from socl_plugins.top_map import ObjectnessAnnotated, Proposals, annotated
from socl_plugins.top_map import build as building
from socl_plugins.top_map.store import unpack
from tests.socl_plugins.top_map.small_store import TINY, built, records, videos

FORK = multiprocessing.get_context("fork")


class Watched(SyntheticVideo):
    """Remembers which frames were read; with events, says that the sixth is to be read, and waits."""

    def __init__(self, reached: Event | None = None, go_on: Event | None = None) -> None:
        super().__init__(2, num_frames=4, size=(96, 128), seed=7)
        self.read: list[tuple[int, int]] = []
        self.reached, self.go_on = reached, go_on

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        if self.reached is not None and self.go_on is not None and (seq_id, frame_id) == (1, 1):
            self.reached.set()
            self.go_on.wait()
        self.read.append((seq_id, frame_id))
        return super().load_frame(seq_id, frame_id)


def watched(dataset: Watched) -> ObjectnessAnnotated:
    return ObjectnessAnnotated(PointAnnotated(dataset), TINY)


def test_a_build_that_is_killed_goes_on_and_neither_loses_nor_repeats_a_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "FRAMES_PER_TASK", 1)
    monkeypatch.setattr(building, "TASKS_PER_WRITE", 2)
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    reached = FORK.Event()
    process = FORK.Process(target=built, args=(broken, watched(Watched(reached, FORK.Event()))), daemon=True)
    process.start()
    assert reached.wait(timeout=120)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    kept = records(broken)
    assert len(kept) == 4, "two frames and two were written, the third two were not"
    assert all(len(unpack(content)[0]) > 0 for content in kept.values())
    frames = Watched()
    report = built(broken, watched(frames))
    assert (report.present, report.made, report.failures) == (4, 4, {})
    assert frames.read == [(1, 0), (1, 1), (1, 2), (1, 3)], "nothing that was stored is computed again"
    assert built(whole, watched(Watched())).made == 8
    assert records(broken) == records(whole)
    report = built(broken, watched(Watched()))
    assert (report.present, report.made) == (8, 0)


def test_a_forked_process_builds_although_opencv_had_threads_before(tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (1001, 999))
        time.sleep(0.5)  # until the pool's threads, which the fork does not copy, wait for work
        process = FORK.Process(target=built, args=(tmp_path, videos()), daemon=True)
        process.start()
        process.join(timeout=60)
        assert process.exitcode == 0 and len(records(tmp_path)) == 6
    finally:
        cv2.setNumThreads(threads)


def test_several_workers_store_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "FRAMES_PER_TASK", 1)
    built(tmp_path / "one", videos())
    built(tmp_path / "two", videos(), "threading", jobs=2)
    assert records(tmp_path / "one") == records(tmp_path / "two") and len(records(tmp_path / "one")) == 6


@pytest.mark.parametrize("backend", ["ray", "dask"])
def test_a_cluster_stores_what_one_process_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    module = {"ray": "ray", "dask": "distributed"}[backend]
    cluster = pytest.importorskip(module, reason=f"{backend} is not installed (pip install 'pytracking-socl[cluster]')")
    built(tmp_path / "one", videos(), "loky")

    def not_here(*arguments: object) -> Proposals:
        raise AssertionError("computed in this process, not by a worker of the cluster")

    monkeypatch.setattr(annotated, "propose_target", not_here)
    monkeypatch.setattr(building, "FRAMES_PER_TASK", 1)
    if backend == "ray":
        cluster.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        stop = cluster.shutdown
    else:
        stop = cluster.Client(n_workers=2, threads_per_worker=1, dashboard_address=None).shutdown
    try:
        report = built(tmp_path / backend, videos(), backend, jobs=2)
    finally:
        stop()
    assert report.made == 6 and records(tmp_path / "one") == records(tmp_path / backend)
