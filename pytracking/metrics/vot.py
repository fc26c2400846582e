"""Reset-based evaluation of VOT 2013 to 2019: accuracy, robustness and expected average overlap (EAO).

M. Kristan et al., A Novel Performance Evaluation Methodology for Single-Target Trackers, PAMI 2016; EAO: The Visual
Object Tracking VOT2015 challenge results, ICCVW 2015. A tracker that loses the target (overlap 0) is started again five
frames later. Toolkits differ in where a fragment of the sequence ends, so a number is one toolkit's, its protocol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pytracking.metrics.errors import MetricError, check_known
from pytracking.metrics.regions import corners, region_overlap

SKIPPED, INIT, FAILURE, TRACKED = 0, 1, 2, 3
RESTART_AFTER = 5  # frames from a failure to the next start
BURN_IN = 10  # frames from each start on that accuracy leaves out
EAO_INTERVALS = {
    "vot2015": (108, 371),
    "vot2016": (108, 371),
    "vot2017": (100, 356),
    "vot2018": (100, 356),
    "vot2019": (46, 291),
}
VOT_PROTOCOLS = {  # and the toolkits that they are
    "pysot": "pysot-toolkit",
    "matlab": "the VOT challenges' toolkit",
    "vot_toolkit": "the VOT Python toolkit",
}

Regions = Sequence[Sequence[float]] | np.ndarray


class VOTScores(NamedTuple):
    """What VOT reports of a tracker.

    Attributes:
        accuracy: mean overlap while it tracks.
        robustness: failures per 100 frames; protocol ``vot_toolkit``: failures a sequence.
        eao: expected average overlap on a sequence of typical length.
    """

    accuracy: float
    robustness: float
    eao: float


@dataclass(frozen=True)
class Trajectory:
    """One reset-based run over a sequence.

    Attributes:
        states: (T,) SKIPPED, INIT, FAILURE or TRACKED.
        points: (T, K, 2) corners of the regions; NaN where nothing was tracked.
    """

    states: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Fragment:
    """A part of a run that EAO counts.

    Attributes:
        overlaps: (L,) from a start on; the start's own is 0, and not counted.
        failed: it ended in a failure: it goes on with zeros for ever. Otherwise what follows is unknown.
        weight: in the mean over fragments.
    """

    overlaps: np.ndarray
    failed: bool
    weight: float


@dataclass(frozen=True)
class SequenceRuns:
    """What the runs over one sequence gave, as a protocol counts it.

    Attributes:
        overlaps: (R, T) of each run and frame; NaN in those that accuracy leaves out.
        failures: of a run, on average.
        fragments: of all its runs.
    """

    overlaps: np.ndarray
    failures: float
    fragments: list[Fragment]


def vot_supervised(
    trajectories: Sequence[Sequence[Regions]],
    gts: Sequence[Regions],
    sizes: Sequence[tuple[float, float]],
    protocol: str = "pysot",
    interval: str | tuple[int, int] = "vot2018",
) -> VOTScores:
    """Returns the VOTScores, accuracy, robustness and EAO, of reset-based runs over sequences.

    All protocols compare regions as :func:`region_overlap` does. They differ in this:

    * ``pysot`` (pysot-toolkit): accuracy is the mean over all frames; a failure whose next start would lie behind the
      sequence's end by more than one frame leaves its fragment open.
    * ``matlab`` (the VOT challenges' toolkit): as ``pysot``, but the fragment is left open by one frame, too.
    * ``vot_toolkit`` (the Python toolkit): accuracy and failures are means over sequences, weighted by their lengths; a
      run in which no frame counts has the accuracy 0. Every fragment that ends in a failure is closed, the fragments of
      all runs weigh the same, and the curve of EAO ends with the longest fragment. (In the others, a sequence's runs
      share its weight, and the curve ends with the longest sequence.)

    >>> truth = [[10, 10, 20, 20]] * 400
    >>> run = [[1.0], *truth[1:]]
    >>> [round(value, 3) for value in vot_supervised([[run]], [truth], [(64, 48)])]
    [1.0, 0.0, 1.0]

    Args:
        trajectories: for each sequence its runs; a run has for each frame what VOT's result files hold: one number (1 a
            start, 2 a failure, 0 skipped), a box x, y, w, h, or a polygon x1, y1, x2, y2, ... A region with a NaN
            overlaps nothing.
        gts: for each sequence the true boxes (T, 4) or polygons (T, 2K).
        sizes: for each sequence the frame's width and height in pixels; regions are compared within the frame.
        protocol: one of ``VOT_PROTOCOLS``.
        interval: the lengths, first and last, that EAO averages over, or a challenge in ``EAO_INTERVALS``; those that
            no sequence reaches are left out, as in the toolkits.

    Raises:
        MetricError: an unknown name, lengths that differ, a frame that is none of these, a true region that is not
            finite, or no sequence is as long as the interval asks.
    """
    if not len(trajectories) == len(gts) == len(sizes) or not len(gts):
        raise MetricError(f"{len(trajectories)} sequences have runs, {len(gts)} true regions, {len(sizes)} a size")
    measured = [
        measure_runs(runs, gt, size, protocol, f"sequence {number}")
        for number, (runs, gt, size) in enumerate(zip(trajectories, gts, sizes), start=1)
    ]
    low, high = eao_interval(interval)
    part = eao_part(eao_curve_of(measured, protocol), (low, high), protocol)
    if not len(part):
        longest = max(runs.overlaps.shape[1] for runs in measured)
        raise MetricError(f"no sequence reaches the {low} frames that EAO asks for; the longest has {longest}")
    return VOTScores(*accuracy_and_robustness(measured, protocol), float(part.mean()))


def eao_interval(interval: str | tuple[int, int]) -> tuple[int, int]:
    """Returns the lengths, first and last, that a challenge of ``EAO_INTERVALS`` averages over.

    Raises MetricError, with near names, for another challenge.
    """
    if isinstance(interval, tuple):
        return interval
    check_known("VOT challenge", interval, EAO_INTERVALS)
    return EAO_INTERVALS[interval]


def measure_runs(
    runs: Sequence[Regions],
    gt: Regions,
    size: tuple[float, float],
    protocol: str = "pysot",
    where: str = "the sequence",
) -> SequenceRuns:
    """Returns what the runs over a sequence gave; arguments and errors as of :func:`vot_supervised`, of one sequence.

    ``where`` names the sequence in error messages.
    """
    check_known("protocol", protocol, VOT_PROTOCOLS)
    read = [read_trajectory(run, f"{where}, run {index}") for index, run in enumerate(runs, start=1)]
    truth = corners(gt)
    if not np.isfinite(truth).all():
        raise MetricError(f"{where}: a true region has a coordinate that is not finite; VOT's have none, mend it")
    if not read or {len(run.states) for run in read} != {len(truth)}:
        found = [len(run.states) for run in read]
        raise MetricError(f"{where} has {len(truth)} true regions, its runs have {found} frames; run it again")
    inside = (size[0] - 1, size[1] - 1)
    overlaps = [_overlaps(run, truth, inside) for run in read]
    # pysot's accuracy counts one column and row more.
    counted = [_overlaps(run, truth, size) for run in read] if protocol == "pysot" else overlaps
    weight = 1.0 if protocol == "vot_toolkit" else 1 / len(read)
    fragments: list[Fragment] = []
    for run, values in zip(read, overlaps):
        fragments += fragments_of(run.states, np.nan_to_num(values), protocol, weight)
    failures = float(np.mean([(run.states == FAILURE).sum() for run in read]))
    return SequenceRuns(np.stack([_without_burn_in(*pair) for pair in zip(read, counted)]), failures, fragments)


def accuracy_and_robustness(measured: Sequence[SequenceRuns], protocol: str) -> tuple[float, float]:
    """Returns accuracy (NaN if no frame counts) and robustness over these sequences; see :func:`vot_supervised`."""
    lengths = [runs.overlaps.shape[1] for runs in measured]
    failures = [runs.failures for runs in measured]
    if protocol == "vot_toolkit":
        means = [np.mean(np.nan_to_num(_mean(runs.overlaps, axis=1))) for runs in measured]
        return float(np.average(means, weights=lengths)), float(np.average(failures, weights=lengths))
    frames = np.concatenate([_mean(runs.overlaps, axis=0) for runs in measured])
    return float(_mean(frames, axis=0)), float(np.sum(failures) / np.sum(lengths) * 100)


def eao_curve_of(measured: Sequence[SequenceRuns], protocol: str) -> np.ndarray:
    """Returns the curve of :func:`eao_curve` over these sequences, as long as the protocol draws it."""
    fragments = [fragment for runs in measured for fragment in runs.fragments]
    by_fragment = [len(fragment.overlaps) for fragment in fragments]
    by_sequence = [runs.overlaps.shape[1] for runs in measured]
    return eao_curve(fragments, max(by_fragment if protocol == "vot_toolkit" else by_sequence))


def eao_part(curve: np.ndarray, interval: tuple[int, int], protocol: str) -> np.ndarray:
    """Returns the known values of the curve whose mean is EAO; there are none if no sequence is as long."""
    low, high = interval
    # A sequence of N frames has N - 1 after its start: the Python toolkit counts these, the others all.
    first = low if protocol == "vot_toolkit" else low - 1
    part = curve[first : first + high - low + 1]
    return part[~np.isnan(part)]


def read_trajectory(regions: Regions, where: str = "the run") -> Trajectory:
    """Returns the run whose frames are given as in VOT's result files; see :func:`vot_supervised`.

    Raises:
        MetricError: a frame is no code, box or polygon; the message says which.
    """
    states = np.full(len(regions), TRACKED, np.int8)
    shapes: dict[int, list[int]] = {}
    for index, region in enumerate(regions):
        values = np.atleast_1d(np.asarray(region, np.float64))
        if len(values) == 1 and values[0] in (SKIPPED, INIT, FAILURE):
            states[index] = int(values[0])
        elif len(values) >= 4 and len(values) % 2 == 0:
            shapes.setdefault(len(values), []).append(index)
        else:
            raise MetricError(f"{where}: frame {index + 1} is no code 0 to 2, box or polygon: {values.tolist()}")
    points = np.full((len(states), max([4, *(size // 2 for size in shapes)]), 2), np.nan)
    for indices in shapes.values():
        drawn = corners(np.array([regions[index] for index in indices], np.float64))
        # A corner said twice changes nothing, and gives all polygons one number of corners.
        padding = np.repeat(drawn[:, -1:], points.shape[1] - drawn.shape[1], axis=1)
        points[indices] = np.concatenate([drawn, padding], axis=1)
    return Trajectory(states, points)


def fragments_of(states: np.ndarray, overlaps: np.ndarray, protocol: str, weight: float) -> list[Fragment]:
    """Returns the fragments of a run with these states and overlaps, both (T,), as a protocol cuts it."""
    length = len(states)
    failed = np.flatnonzero(states == FAILURE)
    if protocol == "vot_toolkit":
        starts = np.flatnonzero(states == INIT)
        ends = failed
    else:
        last = length if protocol == "pysot" else length - 1
        ends = failed[failed + RESTART_AFTER <= last]
        starts = np.concatenate([[0], ends + RESTART_AFTER])
    made = []
    for index, start in enumerate(starts):
        closed = index < len(ends)
        values = overlaps[start : ends[index] if closed else length].copy()
        if not len(values):
            continue
        values[0] = 0
        share = 1.0
        if closed and protocol != "vot_toolkit" and ends[index] + RESTART_AFTER == length:
            # pysot weights a fragment by its frames, the next start included, that the sequence has: all but one here.
            share = (length - start) / (length - start + 1)
        made.append(Fragment(values, closed, weight * share))
    return made


def eao_curve(fragments: Sequence[Fragment], length: int) -> np.ndarray:
    """Returns (length,) the expected mean overlap of 0, 1, 2, ... frames after a start; NaN where unknown."""
    total, weights = np.zeros(length), np.zeros(length)
    after = np.arange(length)
    for fragment in fragments:
        sums = np.cumsum(fragment.overlaps)
        reach = length if fragment.failed else len(sums)
        mean = sums[np.minimum(after[:reach], len(sums) - 1)] / np.maximum(after[:reach], 1)
        total[:reach] += fragment.weight * mean
        weights[:reach] += fragment.weight
    return np.divide(total, weights, out=np.full(length, np.nan), where=weights > 0)


def _overlaps(run: Trajectory, truth: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Returns the overlaps (T,), NaN where nothing was tracked."""
    overlaps = np.full(len(truth), np.nan)
    tracked = run.states == TRACKED
    overlaps[tracked] = np.nan_to_num(region_overlap(run.points[tracked], truth[tracked], bounds))
    return overlaps


def _without_burn_in(run: Trajectory, overlaps: np.ndarray) -> np.ndarray:
    kept = overlaps.copy()
    for start in np.flatnonzero(run.states == INIT):
        kept[start : start + BURN_IN] = np.nan
    return kept


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Returns the mean over an axis of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    return np.divide(np.nansum(values, axis=axis), count, out=np.full(count.shape, np.nan), where=count > 0)
