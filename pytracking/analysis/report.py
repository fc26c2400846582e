"""What is known of trackers on a data set, in one place: what tables, files, plots and pages are made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pytracking.analysis.label_cost import LabelCost, label_cost
from pytracking.analysis.tables import TrackerScores, best_first, evaluate, format_table, heading
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker
from pytracking.metrics import OPE, mean_ope


@dataclass(frozen=True)
class TrackerRow:
    """What is known of one tracker.

    Attributes:
        scores: its scores.
        cost: what its labels cost; None: unknown.
        per_attribute: the mean curves over the sequences that carry an attribute.
    """

    scores: TrackerScores
    cost: LabelCost | None
    per_attribute: dict[str, OPE]


@dataclass(frozen=True)
class Report:
    """Trackers on a data set.

    Attributes:
        name: title.
        sequences: those that every tracker has a result of.
        missing: names of those that are left out because some tracker has none.
        attributes: names of the sequences that carry each attribute (motion blur, occlusion, ...), sorted.
        rows: the trackers, best AUC first.
    """

    name: str
    sequences: list[Sequence]
    missing: list[str]
    attributes: dict[str, list[str]]
    rows: list[TrackerRow]

    @property
    def scores(self) -> list[TrackerScores]:
        """The trackers' scores, best AUC first."""
        return [row.scores for row in self.rows]

    @property
    def heading(self) -> str:
        """Name, number of sequences, those left out, protocol."""
        return heading(self.scores, len(self.sequences) + len(self.missing), self.name)

    def worst_first(self) -> list[Sequence]:
        """Returns the sequences by the trackers' mean AUC, the lowest first."""
        means = {
            sequence.name: float(np.mean([score.per_sequence[sequence.name].auc for score in self.scores]))
            for sequence in self.sequences
        }
        return sorted(self.sequences, key=lambda sequence: means[sequence.name])


def make_report(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    name: str = "",
    protocol: str = "pysot",
    merge_results: bool = False,
    skip_missing: bool = True,
) -> Report:
    """Returns the report on the trackers' saved results. The arguments are those of :func:`evaluate`.

    Raises:
        ValueError: two sequences have one name.
        ResultError: as :func:`evaluate`.
    """
    sequences = list(dataset)
    names = [sequence.name for sequence in sequences]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{len(twice)} names stand for two sequences, such as {twice[0]!r}: report on each data set")
    scores = best_first(evaluate(trackers, sequences, protocol, merge_results, skip_missing))
    scored = [sequence for sequence in sequences if sequence.name in scores[0].per_sequence]
    attributes = by_attribute(scored)
    rows = [
        TrackerRow(
            score,
            label_cost(score.trackers[0]),
            {
                attribute: mean_ope(score.per_sequence[name] for name in members)
                for attribute, members in attributes.items()
            },
        )
        for score in scores
    ]
    missing = [name for name in names if name not in scores[0].per_sequence]
    return Report(name, scored, missing, attributes, rows)


def attribute_table(report: Report) -> str:
    """Returns the AUC over the sequences of each attribute as plain text, or a line that says there is none."""
    if not report.attributes:
        return "these sequences tell no attributes"
    rows = [
        [attribute, str(len(members)), *(f"{row.per_attribute[attribute].auc:.3f}" for row in report.rows)]
        for attribute, members in report.attributes.items()
    ]
    return format_table(["attribute", "sequences", *(score.title for score in report.scores)], rows)


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
