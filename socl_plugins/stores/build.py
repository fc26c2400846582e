"""Fills a store with what is made of each frame or video, on many cores or machines."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from ltr.admin.errors import message_for_people
from ltr.admin.jobs import keep_freed_memory, one_thread
from ltr.admin.workers import load_plugins_once, open_workers
from ltr.registry import load_plugins
from socl_plugins.stores.records import RecordStore

T = TypeVar("T")

WRITE_EVERY = 10.0  # seconds at most, as long as results come

_Made = list[tuple[str, bytes | None, str]]  # of a task: names, records and what was wrong


@dataclass
class BuildReport:
    """What a build did: records made now, records that were there before, and by name why others could not be made."""

    made: int = 0
    present: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def print(self, store: RecordStore, unit: str) -> int:
        """Prints what is in the store now, and returns the exit status: 1 if anything was left out."""
        size = store.path.stat().st_size / 1e6
        print(f"{store.path}: {self.made} {unit}s computed, {self.present} were there, {size:.1f} MB")
        if self.failures:
            left_out = f"{len(self.failures)} {unit}s could not be read and were left out; they are named above"
            print(left_out, file=sys.stderr)
        return 1 if self.failures else 0


def fill_store(
    store: RecordStore,
    items: Iterable[tuple[str, T]],
    make: Callable[[T], bytes],
    *,
    total: int,
    what: str,
    unit: str,
    per_task: int = 1,
    tasks_per_write: int = 4,
    jobs: int = -1,
    backend: str | None = None,
    progress: bool = True,
) -> BuildReport:
    """Makes and stores the records that a store lacks, and those that are damaged.

    Whatever was written stays when it is stopped at any time, and the same call goes on from there. What cannot be read
    is reported and left out; a later call tries it again.

    Args:
        store: to fill.
        items: name of each record, and what ``make`` makes it of.
        make: a record; sent to the workers.
        total: number of items.
        what: the progress bar's title.
        unit: what an item is called.
        per_task: items that a worker is given at a time.
        tasks_per_write: results of so many tasks, for each worker, are written at once, or those of ten seconds.
        jobs: worker processes; -1: one for each core.
        backend: see :func:`ltr.admin.workers.open_workers`.
        progress: show a bar with records, rate and time left on standard error.
    """
    from ltr.admin.progress import progress_bar

    report = BuildReport()
    store.remove(store.damaged())
    plugins = tuple(plugin.name for plugin in load_plugins() if plugin.source == "--plugin" and not plugin.error)
    with (
        open_workers(backend, jobs, say=_say_above_bar) as workers,
        progress_bar(total=total, desc=what, unit=unit, disable=not progress) as bar,
    ):
        missing = _missing(store, items, report, bar)
        tasks = iter(lambda: list(islice(missing, per_task)), [])
        results = workers.run(partial(_make_task, make, plugins), tasks)
        with contextlib.closing(results):
            for done in _in_batches(results, tasks_per_write * workers.count(), bar):
                store.add({name: content for name, content, _ in done if content is not None})
                failures = {name: error for name, content, error in done if content is None}
                for error in failures.values():
                    bar.write(f"left out: {error}", file=sys.stderr)
                report.failures.update(failures)
                report.made += len(done) - len(failures)
    return report


def _in_batches(results: Iterable[tuple[int, _Made]], tasks: int, bar: Any) -> Iterator[_Made]:
    """Yields what was made by so many tasks at a time, or within ``WRITE_EVERY`` seconds; the bar sees each task."""
    batch: _Made = []
    count, begun = 0, time.monotonic()
    for _, made in results:
        batch += made
        bar.update(len(made))
        count += 1
        if count >= tasks or time.monotonic() - begun > WRITE_EVERY:
            yield batch
            batch, count, begun = [], 0, time.monotonic()
    if batch:
        yield batch


def _say_above_bar(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def _missing(
    store: RecordStore, items: Iterable[tuple[str, T]], report: BuildReport, bar: Any
) -> Iterator[tuple[str, T]]:
    for name, item in items:
        if name in store:
            report.present += 1
            bar.update()
        else:
            yield name, item


def _make_task(make: Callable[[T], bytes], plugins: tuple[str, ...], items: list[tuple[str, T]]) -> _Made:
    """Returns for each item its name, and its record or what was wrong with it."""
    load_plugins_once(plugins)
    keep_freed_memory()
    results: _Made = []
    with one_thread():
        for name, item in items:
            try:
                results.append((name, make(item), ""))
            except Exception as error:
                message = message_for_people(error)
                if message is None:  # a defect of the program, not of a file
                    raise
                results.append((name, None, message))
    return results
