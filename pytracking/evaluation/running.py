"""Running trackers over sequences: in one process or many, resumable, with the time left."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from functools import partial

from ltr.admin.command_line import clock
from ltr.admin.jobs import threads_each, use_threads
from ltr.admin.ownership import Owner, own
from ltr.admin.workers import load_plugins_once, open_workers
from ltr.registry import load_plugins
from pytracking.evaluation.results import claim_directory, error_file, has_result, save_result, write_lines
from pytracking.evaluation.run_key import content_key
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import SequenceResult, TrackedFrame, Tracker, TrackingError, Watch
from pytracking.parameter.params import TrackerParams


@dataclass(frozen=True)
class Failure:
    """A sequence that a tracker failed on: the error's last line, and the file that holds its traceback."""

    tracker: str
    sequence: str
    error: str
    file: str


@dataclass
class RunReport:
    """What came of :func:`run_dataset`: how many sequences were tracked, how many had results, which failed."""

    tracked: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    tracker: Tracker
    sequence: Sequence
    key: str  # of the parameters and the checkpoint that the results directory belongs to
    plugins: tuple[str, ...]
    threads: int | None  # of torch and OpenCV, in a worker process


OTHER_RUN = "choose another --workspace or run id"
WORKER_DIED = (
    "finished sequences are kept, and the same command goes on with the others; fewer workers need less memory"
)


@dataclass(frozen=True)
class _Outcome:
    """What a worker sends back: the result, or what was raised and its traceback."""

    result: SequenceResult | None
    seconds: float
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class _Done:
    job: _Job
    seconds: float
    failure: Failure | None


def run_dataset(
    dataset: Iterable[Sequence],
    trackers: Iterable[Tracker],
    debug: int = 0,
    threads: int = 0,
    *,
    overwrite: bool = False,
    backend: str | None = None,
    say: Callable[[str], None] | None = None,
    watch: Callable[[Sequence, TrackedFrame], None] | None = None,
) -> RunReport:
    """Runs every tracker over every sequence and saves the results (see :mod:`pytracking.evaluation.results`).

    A complete result made with the same parameters and checkpoint is kept, so an interrupted run goes on where it was;
    a damaged one is set aside and made again. A sequence that fails leaves its traceback beside the results, and the
    others go on. The results directories belong to this run meanwhile (:func:`ltr.admin.ownership.own`), and this
    process alone writes to them: workers send their results.

    Args:
        dataset: the sequences.
        trackers: the trackers.
        debug: 1 stops at the first failure with its exception, and runs in this process whatever ``threads`` is.
        threads: worker processes; 0 runs in this one; with ``ray`` or ``dask``, all that the cluster has.
        overwrite: track again what has results already.
        backend: where workers run, see :func:`ltr.admin.workers.open_workers`.
        say: takes a line of progress; standard error by default.
        watch: sees each frame when it is tracked, with ``debug`` 1 or more: then all runs in this process.

    Returns:
        The report; its ``failures`` are empty if all went well.

    Raises:
        ValueError: two sequences, or two trackers, have one name: they would write the same files.
        RegistryError, ParameterError, ...: a tracker's parameters cannot be made; nothing was run.
        CheckpointError: a tracker's weights cannot be used; nothing was run.
        OwnershipError: another run writes to a results directory.
        ProcessDied: a worker process was killed.
        ValueError: the backend's package is not installed, or its cluster does not answer.
    """
    say = say or _print_line
    on_cluster = backend in ("ray", "dask")
    report = RunReport()
    plugins = tuple(plugin.name for plugin in load_plugins() if plugin.source == "--plugin" and not plugin.error)
    inner = 1 if on_cluster else threads_each(threads) if threads > 0 else None
    sequences, trackers = list(dataset), list(trackers)
    _check_distinct([sequence.name for sequence in sequences], "sequences")
    _check_distinct([tracker.run_name for tracker in trackers], "trackers")
    prepared = [(tracker, *content_key(tracker, tracker.parameters())) for tracker in trackers]
    with contextlib.ExitStack() as held:
        jobs: list[_Job] = []
        owners: dict[str, Owner] = {}
        for tracker, key, plain in prepared:
            owners[tracker.run_name] = held.enter_context(own(tracker.results_dir, OTHER_RUN, say=say))
            claim_directory(tracker, key, plain, say)
            for sequence in sequences:
                if not overwrite and has_result(tracker, sequence, say):
                    report.skipped += 1
                else:
                    jobs.append(_Job(tracker, sequence, key, plugins, inner))
        for job in {job.tracker.run_name: job for job in jobs}.values():
            check_network(job.tracker, elsewhere=on_cluster)
        if report.skipped:
            say(f"{report.skipped} results are there already; {len(jobs)} are left to make")
        progress = _Progress(jobs, say)
        here = debug > 0 or (not on_cluster and (threads <= 0 or len(jobs) < 2))
        watching = watch if debug > 0 else None
        outcomes = _track_here(jobs, debug, watching) if here else _track_in_workers(jobs, threads or -1, backend, say)
        with contextlib.closing(outcomes):
            for job, outcome in outcomes:
                done = _save(job, outcome, owners[job.tracker.run_name])
                report.tracked += done.failure is None
                if done.failure is not None:
                    report.failures.append(done.failure)
                progress.add(done)
    if report.failures:
        say(f"{len(report.failures)} of {len(jobs)} sequences failed:")
        for failure in report.failures:
            say(f"  {failure.tracker} on {failure.sequence}: {failure.error} (traceback: {failure.file})")
    return report


def check_network(tracker: Tracker, elsewhere: bool = False) -> None:
    """Makes the tracker once, so that weights, a device or settings which it cannot use are told once, before work.

    Args:
        tracker: the tracker.
        elsewhere: it will track on other machines, which may have a device that this one lacks.

    Raises:
        CheckpointError: it cannot read its weights, or they do not fit or are not finite.
        DeviceError: torch does not find the device, unless ``elsewhere``.
        ParameterError: a setting has a value that it cannot have, such as the precision of an ONNX network.
    """
    try:
        tracker.create()
    except Exception as error:
        from ltr.admin.devices import DeviceError
        from ltr.admin.weight_files import CheckpointError
        from pytracking.parameter.params import ParameterError

        if isinstance(error, CheckpointError | ParameterError) or (isinstance(error, DeviceError) and not elsewhere):
            raise
        # A stranger's tracker may raise anything; each sequence keeps the traceback of it.


def _check_distinct(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{len(twice)} {what} are named twice and would write the same files, such as {twice[0]!r}")


_Outcomes = Generator[tuple[_Job, _Outcome], None, None]


def _track_here(jobs: list[_Job], debug: int, watch: Callable[[Sequence, TrackedFrame], None] | None) -> _Outcomes:
    for job in jobs:
        yield job, _track(job, debug > 0, None if watch is None else partial(watch, job.sequence))


def _track_in_workers(jobs: list[_Job], threads: int, backend: str | None, say: Callable[[str], None]) -> _Outcomes:
    with open_workers(backend, threads, WORKER_DIED, say) as workers:
        for number, outcome in workers.run(_track_in_worker, jobs):
            yield jobs[number], outcome


def _track_in_worker(job: _Job) -> _Outcome:
    load_plugins_once(job.plugins)
    if job.threads is not None:
        use_threads(job.threads)
    return _track(job)


_parameters: tuple[tuple[Tracker, str], TrackerParams] | None = None


def _track(job: _Job, stop_at_failure: bool = False, watch: Watch | None = None) -> _Outcome:
    global _parameters  # the last tracker's, so that they are not made again for each of its sequences
    tracker, sequence = job.tracker, job.sequence
    started = time.perf_counter()
    try:
        if _parameters is None or _parameters[0] != (tracker, job.key):
            _parameters = ((tracker, job.key), tracker.parameters())
        result = tracker.run_sequence(sequence, _parameters[1], watch)
        if content_key(tracker, _parameters[1])[0] != job.key:
            raise TrackingError(f"the checkpoint of {tracker.run_name} was replaced while it ran; run it again")
    except Exception as error:  # a stranger's tracker may raise anything; the other sequences go on
        if stop_at_failure:
            raise
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        return _Outcome(None, time.perf_counter() - started, message, traceback.format_exc())
    return _Outcome(result, time.perf_counter() - started)


def _save(job: _Job, outcome: _Outcome, owner: Owner) -> _Done:
    """Writes what came of a sequence, in the name of the directory's owner."""
    owner.check()
    directory = job.tracker.results_dir
    if outcome.result is not None:
        save_result(directory, job.sequence, outcome.result)
        return _Done(job, outcome.seconds, None)
    file = error_file(directory, job.sequence)
    write_lines(file, outcome.traceback.splitlines())
    return _Done(job, outcome.seconds, Failure(job.tracker.run_name, job.sequence.name, outcome.error, str(file)))


class _Progress:
    """One line for each finished sequence, with the time that is left by the number of frames."""

    def __init__(self, jobs: list[_Job], say: Callable[[str], None]) -> None:
        self.total_jobs = len(jobs)
        self.total_frames = sum(len(job.sequence) for job in jobs)
        self.say = say
        self.jobs = self.frames = 0
        self.started = time.perf_counter()

    def add(self, done: _Done) -> None:
        self.jobs += 1
        frames = len(done.job.sequence)
        self.frames += frames
        elapsed = time.perf_counter() - self.started
        left = clock(elapsed * (self.total_frames - self.frames) / self.frames)
        if done.failure is None:
            what = f"{frames} frames, {frames / max(done.seconds, 1e-9):.1f} frames/s"
        else:
            what = f"FAILED: {done.failure.error}"
        width = len(str(self.total_jobs))
        place = f"[{self.jobs:{width}d}/{self.total_jobs}] {done.job.tracker.run_name} {done.job.sequence.name}"
        self.say(f"{place}: {what}; {left} left")


def _print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
