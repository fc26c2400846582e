"""Tables of results: AUC, distance precision and speed of trackers on a data set."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from ltr.registry import near_names
from pytracking.analysis.scoring import score_sequence
from pytracking.evaluation.results import MissingResultError, ResultError, load_result
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import SequenceResult, Tracker
from pytracking.metrics import OPE, mean_ope

PLOT_TYPES = {"success": "AUC", "prec": "DP@20", "norm_prec": "NP@.20"}


@dataclass(frozen=True)
class TrackerScores:
    """A tracker's scores on a data set.

    Attributes:
        title: what the table calls it.
        per_sequence: the curves of each sequence by its name, averaged over merged runs.
        mean: the mean over the sequences.
        frames_per_second: frames tracked (the first ones, which start the tracker, not counted) for a second in it.
        trackers: whose results these are: one, or the merged runs.
    """

    title: str
    per_sequence: dict[str, OPE]
    mean: OPE
    frames_per_second: float
    trackers: tuple[Tracker, ...] = ()


def evaluate(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    protocol: str = "pysot",
    merge_results: bool = False,
    skip_missing: bool = False,
) -> list[TrackerScores]:
    """Returns the scores of each tracker's saved results, in the given order.

    Args:
        trackers: the trackers.
        dataset: the sequences.
        protocol: see :func:`pytracking.metrics.ope`.
        merge_results: average the runs of a tracker that differ in the run id only.
        skip_missing: leave out, for every tracker, the sequences that some tracker has no result of.

    Raises:
        ResultError: a result is missing and not to be skipped, is broken, or nothing is left.
    """
    listed, sequences = list(trackers), list(dataset)
    loaded: list[dict[str, SequenceResult]] = []
    for tracker in listed:
        results = {}
        for sequence in sequences:
            try:
                results[sequence.name] = load_result(tracker, sequence)
            except ResultError as error:
                if not skip_missing:
                    raise
                if not isinstance(error, MissingResultError):
                    print(f"left out: {error}", file=sys.stderr)
        loaded.append(results)
    common = [sequence for sequence in sequences if all(sequence.name in results for results in loaded)]
    if not common or not listed:
        raise ResultError(f"no sequence of {len(sequences)} has results of all {len(listed)} trackers; run them first")

    groups: dict[str, list[int]] = {}
    for index, tracker in enumerate(listed):
        name = tracker.merged_name if merge_results else tracker.run_name
        groups.setdefault(name, []).append(index)
    scores = []
    for name, members in groups.items():
        per_sequence = {
            sequence.name: mean_ope(score_sequence(loaded[i][sequence.name].boxes, sequence, protocol) for i in members)
            for sequence in common
        }
        times = [loaded[index][sequence.name].times[1:] for index in members for sequence in common]
        seconds = sum(float(time.sum()) for time in times)
        speed = sum(map(len, times)) / seconds if seconds > 0 else float("nan")
        title = (listed[members[0]].display_name or name) if merge_results else listed[members[0]].title
        runs = tuple(listed[index] for index in members)
        scores.append(TrackerScores(title, per_sequence, mean_ope(per_sequence.values()), speed, runs))
    return scores


def print_results(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    report_name: str = "",
    merge_results: bool = False,
    plot_types: AbstractSequence[str] = tuple(PLOT_TYPES),
    *,
    protocol: str = "pysot",
    per_sequence: bool = False,
    skip_missing: bool = True,
    file: TextIO | None = None,
) -> list[TrackerScores]:
    """Prints a table of the trackers' saved results, best AUC first, and returns its scores in that order.

    Args:
        trackers: the trackers.
        dataset: the sequences.
        report_name: title of the table.
        merge_results: average the runs of a tracker that differ in the run id only.
        plot_types: the columns: ``success`` (AUC), ``prec`` (precision at 20 pixels), ``norm_prec`` (normalised
            precision at 0.20).
        protocol: see :func:`pytracking.metrics.ope`; the table names it.
        per_sequence: print the AUC of each sequence, too.
        skip_missing: leave out the sequences that some tracker has no result of; the table says how many.
        file: where to; standard output by default.

    Raises:
        ValueError: an unknown plot type.
        ResultError: as :func:`evaluate`.
    """
    check_plot_types(plot_types)
    sequences = list(dataset)
    scores = best_first(evaluate(trackers, sequences, protocol, merge_results, skip_missing))
    print_scores(scores, len(sequences), report_name, plot_types, file)
    if per_sequence:
        print_sequence_scores(scores, file)
    return scores


def print_per_sequence_results(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    report_name: str = "",
    merge_results: bool = False,
    *,
    protocol: str = "pysot",
    skip_missing: bool = True,
    file: TextIO | None = None,
) -> list[TrackerScores]:
    """Prints a table of each sequence's AUC, and returns the scores, best mean AUC first.

    The arguments and errors are those of :func:`print_results`.
    """
    sequences = list(dataset)
    scores = best_first(evaluate(trackers, sequences, protocol, merge_results, skip_missing))
    print(f"\n{heading(scores, len(sequences), report_name)}", file=file or sys.stdout)
    print_sequence_scores(scores, file)
    return scores


def print_scores(
    scores: AbstractSequence[TrackerScores],
    asked: int,
    report_name: str = "",
    plot_types: AbstractSequence[str] = tuple(PLOT_TYPES),
    file: TextIO | None = None,
) -> None:
    """Prints the table of these scores; ``asked`` sequences were to be scored, the heading says how many are not."""
    header = ["tracker", *(PLOT_TYPES[kind] for kind in plot_types), "frames/s"]
    rows = [
        [score.title, *(f"{value(score.mean, kind):.3f}" for kind in plot_types), f"{score.frames_per_second:.1f}"]
        for score in scores
    ]
    print(f"\n{heading(scores, asked, report_name)}\n\n{format_table(header, rows)}", file=file or sys.stdout)


def print_sequence_scores(scores: AbstractSequence[TrackerScores], file: TextIO | None = None) -> None:
    """Prints the AUC of each sequence, a column for each of the scores."""
    rows = [[name, *(f"{score.per_sequence[name].auc:.3f}" for score in scores)] for name in scores[0].per_sequence]
    table = format_table(["sequence", *(score.title for score in scores)], rows)
    print(f"\nAUC of each sequence\n\n{table}", file=file or sys.stdout)


def heading(scores: AbstractSequence[TrackerScores], asked: int, report_name: str = "") -> str:
    """Returns what a table of these scores is of: name, number of sequences, those left out, protocol."""
    count = len(scores[0].per_sequence)
    missing = f" ({asked - count} without results are left out)" if count < asked else ""
    title = f"{report_name}: " if report_name else ""
    noun = "sequence" if count == 1 else "sequences"
    return f"{title}{count} {noun}{missing}, one-pass evaluation, protocol {scores[0].mean.protocol}"


def check_plot_types(plot_types: AbstractSequence[str]) -> None:
    """Raises ValueError if one of these is not in ``PLOT_TYPES``."""
    for kind in plot_types:
        if kind not in PLOT_TYPES:
            known = ", ".join(PLOT_TYPES)
            raise ValueError(f"unknown plot type {kind!r}.{near_names(kind, PLOT_TYPES)} Known: {known}.")


def best_first(scores: Iterable[TrackerScores]) -> list[TrackerScores]:
    """Returns the scores by AUC, the highest first."""
    return sorted(scores, key=lambda score: -score.mean.auc)


def format_table(header: AbstractSequence[str], rows: AbstractSequence[AbstractSequence[str]]) -> str:
    """Returns a plain-text table: the first column to the left, the others to the right.

    >>> print(format_table(["tracker", "AUC"], [["siamfc", "0.582"]]))
    tracker    AUC
    -------  -----
    siamfc   0.582
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: AbstractSequence[str]) -> str:
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "  ".join([cells[0].ljust(widths[0]), *rest])

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *(line(row) for row in rows)])


def value(result: OPE, kind: str) -> float:
    """Returns the number that stands for a curve of ``PLOT_TYPES`` in tables."""
    values = {"success": result.auc, "prec": result.dp20, "norm_prec": result.norm_precision20}
    return float(np.asarray(values[kind]))
