"""What is known of trackers on data sets, in one place: what tables, files, plots and pages are made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pytracking.analysis.benchmark_metrics import Metric, MetricValues
from pytracking.analysis.tables import TrackerScores, compare, format_table, heading, part_title
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker
from pytracking.registry import REPORT_COLUMNS


@dataclass(frozen=True)
class TrackerRow:
    """What is known of one tracker.

    Attributes:
        scores: its scores.
        per_attribute: its score over the sequences that carry an attribute.
        more: numbers of plugins' columns by their heads, as far as they are known.
    """

    scores: TrackerScores
    per_attribute: dict[str, MetricValues]
    more: dict[str, float]


@dataclass(frozen=True)
class BenchmarkReport:
    """Trackers on one data set.

    Attributes:
        name: title.
        dataset: name of the data set.
        metric: what the scores are.
        sequences: those that every tracker has a result of.
        missing: names of those that are left out because some tracker has none.
        attributes: names of the sequences that carry each attribute (motion blur, occlusion, ...), sorted.
        rows: the trackers, the best first.
    """

    name: str
    dataset: str
    metric: Metric
    sequences: list[Sequence]
    missing: list[str]
    attributes: dict[str, list[str]]
    rows: list[TrackerRow]

    @property
    def scores(self) -> list[TrackerScores]:
        """The trackers' scores, the best first."""
        return [row.scores for row in self.rows]

    @property
    def heading(self) -> str:
        """Name, number of sequences, those left out, metric and toolkit."""
        return heading(self.scores, len(self.sequences) + len(self.missing), self.name)

    @property
    def more(self) -> list[str]:
        """The heads of plugins' columns of which a number is known."""
        return list(dict.fromkeys(head for row in self.rows for head in row.more))

    def sequence_value(self, scores: TrackerScores, sequence: Sequence) -> float:
        """Returns the number that stands for a tracker on a sequence."""
        return scores.per_sequence[sequence.name][self.metric.sequence_rank]

    def worst_first(self) -> list[Sequence]:
        """Returns the sequences by the trackers' mean number, the lowest first."""
        means = {
            sequence.name: float(np.mean([self.sequence_value(score, sequence) for score in self.scores]))
            for sequence in self.sequences
        }
        return sorted(self.sequences, key=lambda sequence: means[sequence.name])


@dataclass(frozen=True)
class Report:
    """Trackers on one data set or several.

    Attributes:
        name: title.
        parts: one for each data set.
    """

    name: str
    parts: list[BenchmarkReport]


def make_report(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    name: str = "",
    protocol: str | None = None,
    merge_results: bool = False,
    skip_missing: bool = True,
    one_pass: bool = False,
) -> Report:
    """Returns the report on the trackers' saved results. The arguments are those of :func:`print_results`.

    Raises:
        ResultError, MetricError, ValueError: as :func:`evaluate`.
    """
    more = [REPORT_COLUMNS[columns] for columns in REPORT_COLUMNS]
    parts = compare(trackers, dataset, protocol, merge_results, skip_missing, one_pass=one_pass)
    made = []
    for sequences, scores in parts:
        scored = [sequence for sequence in sequences if sequence.name in scores[0].per_sequence]
        attributes = by_attribute(scored)
        rows = [
            TrackerRow(
                score,
                {attribute: score.over(members) for attribute, members in attributes.items()},
                {head: number for columns in more for head, number in columns(score.trackers[0]).items()},
            )
            for score in scores
        ]
        missing = [sequence.name for sequence in sequences if sequence.name not in scores[0].per_sequence]
        title = part_title(name, scores, len(parts))
        made.append(BenchmarkReport(title, scores[0].dataset, scores[0].metric, scored, missing, attributes, rows))
    return Report(name, made)


def attribute_table(report: BenchmarkReport) -> str:
    """Returns a number over the sequences of each attribute as plain text, or a line that says there are none."""
    if not report.attributes:
        return f"the sequences of {report.dataset} tell no attributes"
    rank = report.metric.sequence_rank
    rows = [
        [attribute, str(len(members)), *(f"{row.per_attribute[attribute][rank]:.3f}" for row in report.rows)]
        for attribute, members in report.attributes.items()
    ]
    table = format_table(["attribute", "sequences", *(score.title for score in report.scores)], rows)
    return f"{report.metric.column(rank).head} of each attribute\n\n{table}"


def by_attribute(sequences: Iterable[Sequence]) -> dict[str, list[str]]:
    """Returns the names of the sequences that carry each attribute; a sequence names its own in ``meta["attributes"]``.

    >>> boxes, frames = np.ones((1, 4)), [np.zeros((2, 2, 3), np.uint8)]
    >>> by_attribute([Sequence("Car", frames, "mine", boxes, meta={"attributes": ["fast motion"]})])
    {'fast motion': ['Car']}
    """
    groups: dict[str, list[str]] = {}
    for sequence in sequences:
        for attribute in sequence.meta.get("attributes", ()):
            groups.setdefault(str(attribute), []).append(sequence.name)
    return dict(sorted(groups.items()))
