"""Tables of results: a benchmark's own numbers, and the speed, of trackers."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from ltr.admin.environment import program
from ltr.registry import near_names
from pytracking.analysis.benchmark_metrics import PLOT_TYPES, Metric, MetricValues, benchmark_metric
from pytracking.evaluation.results import MissingResultError, ResultError
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker


@dataclass(frozen=True)
class TrackerScores:
    """A tracker's scores on a data set.

    Attributes:
        title: what the table calls it.
        dataset: the name of the data set.
        metric: what the scores are.
        overall: over all sequences.
        per_sequence: of each sequence by its name, averaged over merged runs.
        frames_per_second: frames tracked (the first ones, which start the tracker, not counted) for a second in it.
        trackers: whose results these are: one, or the merged runs.
        measured: of each of these, what its score was made from, by the sequences' names.
    """

    title: str
    dataset: str
    metric: Metric
    overall: MetricValues
    per_sequence: dict[str, MetricValues]
    frames_per_second: float
    trackers: tuple[Tracker, ...]
    measured: tuple[dict[str, Any], ...]

    def over(self, names: Iterable[str]) -> MetricValues:
        """Returns the score over the sequences of these names."""
        return _score_over(self.metric, self.measured, list(names))


def evaluate(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    protocol: str | None = None,
    merge_results: bool = False,
    skip_missing: bool = False,
    *,
    one_pass: bool = False,
    metric: Metric | None = None,
) -> list[TrackerScores]:
    """Returns the scores of each tracker's saved results on one data set, in the given order.

    Args:
        trackers: the trackers.
        dataset: the sequences, of one data set; :func:`by_dataset` parts a mixture.
        protocol: see :func:`pytracking.analysis.benchmark_metrics.benchmark_metric`.
        merge_results: average the runs of a tracker that differ in the run id only.
        skip_missing: leave out, for every tracker, the sequences that some tracker has no result of.
        one_pass: see ``protocol``.
        metric: what to score by, if not by the data set's own metric or by ``protocol``.

    Raises:
        ResultError: a result is missing and not to be skipped, is broken, or nothing is left.
        MetricError: a result cannot be scored so.
        ValueError: sequences of several data sets, or two of one name.
    """
    listed, sequences = list(trackers), list(dataset)
    names = [sequence.name for sequence in sequences]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{len(twice)} names stand for two sequences, such as {twice[0]!r}: score each data set")
    datasets = list(by_dataset(sequences))
    if len(datasets) > 1:
        raise ValueError(f"a number is of one data set: score each of {', '.join(datasets)} by itself")
    title = datasets[0] if datasets else ""
    metric = metric or benchmark_metric(title, protocol, one_pass)
    results: list[dict[str, tuple[Any, np.ndarray]]] = []
    reason = ""
    for tracker in listed:
        results.append({})
        for sequence in sequences:
            try:
                results[-1][sequence.name] = metric.measure(tracker, sequence)
            except ResultError as error:
                if not skip_missing:
                    raise
                reason = reason or f" ({error})"
                if not isinstance(error, MissingResultError):
                    print(f"left out: {error}", file=sys.stderr)
    common = [name for name in names if all(name in result for result in results)]
    if not common or not listed:
        what = f"no sequence of {len(names)} of {title or 'this data set'} has results of all {len(listed)} trackers"
        raise ResultError(f"{what} for the {metric.heading}; run them first, with {program(metric.made_by)}{reason}")

    groups: dict[str, list[int]] = {}
    for index, tracker in enumerate(listed):
        name = tracker.merged_name if merge_results else tracker.run_name
        groups.setdefault(name, []).append(index)
    scores = []
    for run_name, members in groups.items():
        measured = tuple({name: results[index][name][0] for name in common} for index in members)
        times = [results[index][name][1] for index in members for name in common]
        seconds = sum(float(time.sum()) for time in times)
        speed = sum(map(len, times)) / seconds if seconds > 0 else float("nan")
        first = listed[members[0]]
        scores.append(
            TrackerScores(
                title=(first.display_name or run_name) if merge_results else first.title,
                dataset=title,
                metric=metric,
                overall=_score_over(metric, measured, common),
                per_sequence={name: _score_over(metric, measured, [name]) for name in common},
                frames_per_second=speed,
                trackers=tuple(listed[index] for index in members),
                measured=measured,
            )
        )
    return scores


def _score_over(
    metric: Metric, measured: AbstractSequence[dict[str, Any]], names: AbstractSequence[str]
) -> MetricValues:
    """Returns the mean of the runs' scores over these sequences."""
    scores = [metric.score([run[name] for name in names]) for run in measured]
    if len(scores) == 1:
        return scores[0]
    return MetricValues(
        {key: float(np.mean([score[key] for score in scores])) for key in scores[0].values},
        {name: np.mean([score.curves[name] for score in scores], axis=0) for name in scores[0].curves},
    )


def by_dataset(sequences: Iterable[Sequence]) -> dict[str, list[Sequence]]:
    """Returns the sequences of each data set by its name, in the given order."""
    parts: dict[str, list[Sequence]] = {}
    for sequence in sequences:
        parts.setdefault(sequence.dataset, []).append(sequence)
    return parts


def compare(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    protocol: str | None = None,
    merge_results: bool = False,
    skip_missing: bool = True,
    *,
    one_pass: bool = False,
    plot_types: AbstractSequence[str] | None = None,
) -> list[tuple[list[Sequence], list[TrackerScores]]]:
    """Returns for each data set its sequences, and the scores of the trackers' saved results, the best first.

    Arguments and errors are those of :func:`print_results`.
    """
    check_plot_types(plot_types)
    listed, parts = list(trackers), by_dataset(dataset)
    metrics = {name: benchmark_metric(name, protocol, one_pass) for name in parts}
    if plot_types is not None:
        metrics = {name: metric.showing(plot_types) for name, metric in metrics.items()}
    return [
        (part, best_first(evaluate(listed, part, None, merge_results, skip_missing, metric=metrics[name])))
        for name, part in parts.items()
    ]


def print_results(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    report_name: str = "",
    merge_results: bool = False,
    plot_types: AbstractSequence[str] | None = None,
    *,
    protocol: str | None = None,
    one_pass: bool = False,
    per_sequence: bool = False,
    skip_missing: bool = True,
    file: TextIO | None = None,
) -> list[TrackerScores]:
    """Prints a table of the trackers' saved results for each data set, and returns its scores, the best first.

    Args:
        trackers: the trackers.
        dataset: the sequences.
        report_name: title of the tables.
        merge_results: average the runs of a tracker that differ in the run id only.
        plot_types: the columns of one-pass evaluation, if not the benchmark's own: ``success`` (AUC), ``prec``
            (precision at 20 pixels), ``norm_prec`` (normalised precision).
        protocol: whose rules the numbers follow, if not those of the benchmark's own toolkit; see
            :func:`pytracking.analysis.benchmark_metrics.benchmark_metric`. The table names them.
        one_pass: see ``protocol``.
        per_sequence: print a number for each sequence, too.
        skip_missing: leave out the sequences that some tracker has no result of; the table says how many.
        file: where to; standard output by default.

    Raises:
        ValueError: an unknown plot type.
        ResultError, MetricError: as :func:`evaluate`.
    """
    parts = compare(trackers, dataset, protocol, merge_results, skip_missing, one_pass=one_pass, plot_types=plot_types)
    for sequences, scores in parts:
        print_scores(scores, len(sequences), part_title(report_name, scores, len(parts)), file)
        if per_sequence:
            print_sequence_scores(scores, file)
    return [score for _, scores in parts for score in scores]


def print_scores(
    scores: AbstractSequence[TrackerScores], asked: int, report_name: str = "", file: TextIO | None = None
) -> None:
    """Prints the table of these scores; ``asked`` sequences were to be scored, the heading says how many are not."""
    columns = scores[0].metric.columns
    rows = [
        [score.title, *(_shown(score.overall[column.key]) for column in columns), _shown(score.frames_per_second, 1)]
        for score in scores
    ]
    table = format_table(["tracker", *(column.head for column in columns), "frames/s"], rows)
    print(f"\n{heading(scores, asked, report_name)}\n\n{table}", file=file or sys.stdout)


def print_sequence_scores(scores: AbstractSequence[TrackerScores], file: TextIO | None = None) -> None:
    """Prints the number that stands for each sequence, a column for each of the scores."""
    column = scores[0].metric.column(scores[0].metric.sequence_rank)
    rows = [
        [name, *(_shown(score.per_sequence[name][column.key]) for score in scores)] for name in scores[0].per_sequence
    ]
    table = format_table(["sequence", *(score.title for score in scores)], rows)
    print(f"\n{column.head} of each sequence\n\n{table}", file=file or sys.stdout)


def heading(scores: AbstractSequence[TrackerScores], asked: int, report_name: str = "") -> str:
    """Returns what a table of these scores is of: name, number of sequences, those left out, metric and toolkit."""
    count = len(scores[0].per_sequence)
    missing = f" ({asked - count} without results are left out)" if count < asked else ""
    title = f"{report_name}: " if report_name else ""
    noun = "sequence" if count == 1 else "sequences"
    return f"{title}{count} {noun}{missing}, {scores[0].metric.heading}"


def part_title(report_name: str, scores: AbstractSequence[TrackerScores], parts: int) -> str:
    """Returns the title of a data set's table; among several it names the data set."""
    return report_name if parts == 1 else ", ".join(filter(None, (report_name, scores[0].dataset)))


def check_plot_types(plot_types: AbstractSequence[str] | None) -> None:
    """Raises ValueError if one of these is not in ``PLOT_TYPES``."""
    for kind in plot_types or ():
        if kind not in PLOT_TYPES:
            known = ", ".join(PLOT_TYPES)
            raise ValueError(f"unknown plot type {kind!r}.{near_names(kind, PLOT_TYPES)} Known: {known}.")


def best_first(scores: Iterable[TrackerScores]) -> list[TrackerScores]:
    """Returns the scores by the number that ranks trackers, the best first."""
    return sorted(scores, key=lambda score: -np.nan_to_num(score.overall[score.metric.rank]))


def format_table(header: AbstractSequence[str], rows: AbstractSequence[AbstractSequence[str]]) -> str:
    """Returns a plain-text table: the first column to the left, the others to the right.

    >>> print(format_table(["tracker", "AUC"], [["siamfc", "0.582"]]))
    tracker    AUC
    -------  -----
    siamfc   0.582
    """
    # Ours, not tabulate's: that package would save six lines here and none in LaTeX, where it can mark no best number.
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: AbstractSequence[str]) -> str:
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "  ".join([cells[0].ljust(widths[0]), *rest])

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *(line(row) for row in rows)])


def _shown(number: float, digits: int = 3) -> str:
    return "-" if np.isnan(number) else f"{number:.{digits}f}"
