"""VOT's reset-based runs: a tracker that loses the target is started again five frames later.

M. Kristan et al., A Novel Performance Evaluation Methodology for Single-Target Trackers, PAMI 2016. Each sequence is
run 15 times; if the first three runs are equal, the tracker draws nothing at random and the rest is not run.

Results have the toolkits' layout: ``<results>/baseline/<sequence>/<sequence>_001.txt`` with a region a frame (``1`` a
start, ``2`` a failure, ``0`` skipped, else a box), and ``<sequence>_001_time.value``, seconds a frame. Each file is
written whole or not at all, the regions last, so an interrupted evaluation goes on where it was.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from ltr.admin.ownership import Owner, OwnershipError, own
from ltr.dataset.text import read_rows
from pytracking.evaluation.ground_truth import BOX, POLYGON
from pytracking.evaluation.results import (
    AGAIN,
    ResultError,
    check_sums,
    claim_directory,
    error_file,
    set_aside,
    write_lines,
    write_with_sums,
)
from pytracking.evaluation.run_key import content_key
from pytracking.evaluation.running import Failure, RunReport, check_network
from pytracking.evaluation.sequence import POLYGONS, Sequence
from pytracking.evaluation.tracker import Tracker, TrackingError, seed_run
from pytracking.metrics import corners, region_overlap
from pytracking.metrics.vot import FAILURE, INIT, RESTART_AFTER, SKIPPED, read_trajectory
from pytracking.parameter.params import TrackerParams
from pytracking.tracker.base import BaseTracker

REPETITIONS = 15
EQUAL_RUNS = 3  # of which the first are equal in a tracker that draws nothing at random
EXPERIMENT = "baseline"  # what the toolkits call it
OTHER_RUN = "choose another directory of results with PYTRACKING_RESULTS_DIR"


def track_with_resets(create: Callable[[], BaseTracker], sequence: Sequence) -> tuple[list[list[float]], np.ndarray]:
    """Returns the regions of a reset-based run, as VOT's result files hold them, and the seconds (T,) of each frame.

    Args:
        create: makes a new tracker; called for each start.
        sequence: with polygons in its ``meta``, or boxes. A tracker starts on :func:`initial_box`.

    Raises:
        TrackingError: the tracker gives no box of four finite numbers.
    """
    truth = true_corners(sequence)
    regions: list[list[float]] = []
    seconds = np.zeros(len(sequence))
    tracker, bounds = None, (0.0, 0.0)
    while len(regions) < len(sequence):
        index = len(regions)
        image = sequence.frame(index)
        started = time.perf_counter()
        if tracker is None:
            tracker, bounds = create(), (image.shape[1] - 1.0, image.shape[0] - 1.0)
            output = tracker.initialize(image, {"init_bbox": initial_box(truth[index]).tolist()}) or {}
            seconds[index] = time.perf_counter() - started
            regions.append([float(INIT)])
            continue
        output = tracker.track(image, {"previous_output": output})
        seconds[index] = time.perf_counter() - started
        box = np.asarray(output.get("target_bbox", ()), np.float64).reshape(-1)
        if box.shape != (4,) or not np.isfinite(box).all():
            raise TrackingError(f"frame {index + 1} of {sequence.name}: target_bbox must be four finite numbers")
        if region_overlap(corners(box[None]), truth[index : index + 1], bounds)[0] > 0:
            regions.append(box.tolist())
        else:
            lost = [[float(FAILURE)], *[[float(SKIPPED)]] * (RESTART_AFTER - 1)]
            regions += lost[: len(sequence) - index]
            tracker = None
    return regions, seconds


def true_corners(sequence: Sequence) -> np.ndarray:
    """Returns the corners (T, 4, 2) of the sequence's true regions: polygons where it has them, else boxes."""
    return corners(sequence.meta.get(POLYGONS, sequence.ground_truth_rect))


def initial_box(points: np.ndarray) -> np.ndarray:
    """Returns the box x, y, w, h that stands for a polygon (4, 2): its centre and area, its bounding box's shape.

    The VOT toolkits leave this box to the tracker; pysot-toolkit's trackers start on one that is a pixel wider and
    higher.

    >>> initial_box(np.array([[5.0, 0], [10, 5], [5, 10], [0, 5]])).round(3).tolist()
    [1.464, 1.464, 7.071, 7.071]
    """
    x, y = points.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    size = points.max(axis=0) - points.min(axis=0)
    size = size * np.sqrt(area / max(size.prod(), 1e-9))
    return np.concatenate([points.mean(axis=0) - size / 2, size])


def run_with_resets(
    dataset: Iterable[Sequence],
    trackers: Iterable[Tracker],
    repetitions: int = REPETITIONS,
    *,
    say: Callable[[str], None] = print,
) -> RunReport:
    """Runs every tracker over every sequence and saves the runs; what is saved already is kept.

    A sequence that fails leaves its traceback beside the results, and the others go on. Run k draws its random numbers
    from the parameters' seed, k and the sequence's name alone.

    Args:
        dataset: the sequences, such as ``get_dataset("vot2018")``.
        trackers: the trackers, without run ids: the repetitions are theirs.
        repetitions: runs of each sequence, unless the first three are equal.
        say: takes a line of progress.

    Raises:
        ValueError: a tracker has a run id, or there are no repetitions.
        RegistryError, ParameterError, CheckpointError, ...: a tracker's parameters cannot be made; nothing was run.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions is {repetitions}: each sequence must be run once at least")
    sequences, report = list(dataset), RunReport()
    prepared = []
    for tracker in trackers:
        if tracker.run_id is not None:
            raise ValueError(f"{tracker.run_name}: reset-based runs are repeated by themselves; leave out the run id")
        params = tracker.parameters()
        prepared.append((tracker, params, *content_key(tracker, params)))
    with ExitStack() as held:
        owners = [held.enter_context(own(tracker.results_dir, OTHER_RUN, say=say)) for tracker, *_ in prepared]
        for (tracker, params, key, plain), owner in zip(prepared, owners):
            claim_directory(tracker, key, plain, say)
            check_network(tracker)
            for number, sequence in enumerate(sequences, start=1):
                run = partial(_run_sequence, tracker, params, sequence, repetitions, owner, say)
                outcome = _report_sequence(run, tracker, sequence, report)
                say(f"[{number}/{len(sequences)}] {tracker.run_name} {sequence.name}: {outcome}")
    return report


def _report_sequence(
    run: Callable[[], tuple[int, list[list[list[float]]]]],
    tracker: Tracker,
    sequence: Sequence,
    report: RunReport,
) -> str:
    """Makes the runs of a sequence, adds what came of them to the report, and says it."""
    started = time.perf_counter()
    file = error_file(tracker.results_dir, sequence)
    try:
        made, runs = run()
    except OwnershipError:
        raise
    except Exception as error:  # a stranger's tracker may raise anything; the other sequences go on
        write_lines(file, traceback.format_exc().splitlines())
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        report.failures.append(Failure(tracker.run_name, sequence.name, message, str(file)))
        return f"FAILED: {message}"
    file.unlink(missing_ok=True)
    report.tracked += made > 0
    report.skipped += made == 0
    failures = sum(region == [FAILURE] for run in runs for region in run) / len(runs)
    took = time.perf_counter() - started
    return f"{len(runs)} runs, {made} of them new, {failures:g} failures a run, {took:.0f} s"


def load_runs(tracker: Tracker, sequence: Sequence) -> list[list[list[float]]]:
    """Returns the saved runs of a sequence.

    Raises:
        ResultError: there is none, or one is broken or of another length than the sequence.
    """
    runs: list[list[list[float]]] = []
    while (file := run_file(tracker, sequence, len(runs) + 1)).is_file():
        runs.append(read_run(file, sequence))
        _check_sums(tracker, file)
    if not runs:
        raise ResultError(f"no reset-based run of {tracker.run_name} on {sequence.name}: there is no {file}; run it")
    return runs


def read_run(file: Path, sequence: Sequence) -> list[list[float]]:
    """Returns the regions of a result file in VOT's layout.

    Raises:
        ResultError: it is broken, or of another length than the sequence.
    """
    try:
        regions = read_rows(file, (1, BOX, POLYGON))
        read_trajectory(regions, str(file))
    except (ValueError, FileNotFoundError) as error:
        raise ResultError(f"{file} is broken ({error}); {AGAIN}") from error
    if len(regions) != len(sequence):
        there = f"{sequence.name} has {len(sequence)} frames"
        raise ResultError(f"{file} has {len(regions)} regions, but {there}; {AGAIN}")
    return regions


def run_file(tracker: Tracker, sequence: Sequence, repetition: int) -> Path:
    """Returns the file of a run's regions; repetitions count from 1."""
    return tracker.results_dir / EXPERIMENT / sequence.name / f"{sequence.name}_{repetition:03d}.txt"


def _run_sequence(
    tracker: Tracker,
    params: TrackerParams,
    sequence: Sequence,
    repetitions: int,
    owner: Owner,
    say: Callable[[str], None],
) -> tuple[int, list[list[list[float]]]]:
    """Returns how many runs were made, and all of them. A damaged one is told, set aside and made again."""
    made = 0
    runs: list[list[list[float]]] = []
    for repetition in range(1, repetitions + 1):
        file = run_file(tracker, sequence, repetition)
        try:
            saved = file.is_file()
            if saved:
                runs.append(read_run(file, sequence))
                _check_sums(tracker, file)
        except ResultError as error:
            del runs[repetition - 1 :]
            saved = False
            set_aside(tracker.results_dir, _name(tracker, file), error, say)
        if not saved:
            seed_run(tracker, params, repetition, sequence.name)
            regions, seconds = track_with_resets(lambda: tracker.create(params), sequence)
            lines = (
                ",".join(f"{number:.4f}" if len(region) > 1 else f"{number:.0f}" for number in region)
                for region in regions
            )
            times = {_name(tracker, _time_file(file)): (f"{value:.6f}" for value in seconds)}
            owner.check()
            write_with_sums(tracker.results_dir, _name(tracker, file), lines, times)
            runs.append(read_run(file, sequence))
            made += 1
        if repetition == EQUAL_RUNS and all(run == runs[0] for run in runs):
            break
    return made, runs


def _check_sums(tracker: Tracker, file: Path) -> None:
    check_sums(tracker.results_dir, _name(tracker, file), [_name(tracker, _time_file(file))])


def _time_file(file: Path) -> Path:
    return file.with_name(f"{file.stem}_time.value")


def _name(tracker: Tracker, file: Path) -> str:
    return file.relative_to(tracker.results_dir).as_posix()
