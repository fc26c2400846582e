"""The page of a report: one HTML file that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from pytracking.analysis.curves import Column, colour
from pytracking.analysis.html.charts import confidence_timeline, curve_chart, number_chart, overlap_timeline
from pytracking.analysis.html.strips import draw, frame_overlaps, jpeg_url, strip_frames
from pytracking.analysis.html.writer import write_page
from pytracking.analysis.render import has_true_box
from pytracking.analysis.report import BenchmarkReport, Report, TrackerRow
from pytracking.evaluation.sequence import Sequence


@dataclass(frozen=True)
class StripFrame:
    """A frame of a strip.

    Attributes:
        number: of the frame, from 1 on.
        url: the picture.
        overlaps: indices of the trackers, and their boxes' overlap with the true one.
        lost: indices of the trackers that had lost the target, by their own confidence.
        note: why there is none: the target is not visible, or no tracker has a box (where a reset-based run starts).
    """

    number: int
    url: str
    overlaps: list[tuple[int, float]]
    lost: list[int]
    note: str


@dataclass(frozen=True)
class Strip:
    """Frames of a sequence with their boxes, and what is said of it.

    Attributes:
        name: of the sequence.
        notes: its length, numbers and attributes.
        frames: what is shown.
        timeline: the chart of overlap by frame.
        confidence: the chart of the trackers' confidence by frame; empty where none has a calibration.
    """

    name: str
    notes: str
    frames: list[StripFrame]
    timeline: Markup
    confidence: Markup


def write_html(report: Report, path: Path, strips: int = 20) -> None:
    """Writes the page of a report.

    Args:
        report: what is shown.
        path: the file to write.
        strips: how many sequences of each data set are shown as strips of frames, the worst ones first.

    Raises:
        ImageError, ...: a frame of a shown sequence cannot be read.
        WriteError: the file cannot be written.
    """
    content = {
        "parts": report.parts,
        "strips": [[_strip(part, sequence) for sequence in part.worst_first()[:strips]] for part in report.parts],
        "anchors": {part.dataset: _anchors(part, f"sequence-{number}") for number, part in enumerate(report.parts)},
        "colour": colour,
        "curve_chart": curve_chart,
        "is_best": is_best,
        "is_timed": is_timed,
        "shown_columns": shown_columns,
        "number_chart": _number_chart,
        "sequence_values": _sequence_values,
    }
    write_page(path, "report.html", report.name or "Tracking results", content, "report.js")


def is_best(part: BenchmarkReport, column: Column, row: TrackerRow) -> bool:
    """Returns whether no other tracker has a better number, as tables round it."""
    numbers = [round(other.scores.overall[column.key], 3) for other in part.rows]
    best = max(numbers) if column.higher_is_better else min(numbers)
    return round(row.scores.overall[column.key], 3) == best


def shown_columns(part: BenchmarkReport) -> list[Column]:
    """Returns the columns in which a tracker has a number."""
    return [
        column
        for column in part.metric.columns
        if any(np.isfinite(row.scores.overall[column.key]) for row in part.rows)
    ]


def is_timed(part: BenchmarkReport) -> bool:
    """Returns whether the speed of a tracker is known."""
    return any(np.isfinite(row.scores.frames_per_second) for row in part.rows)


def _anchors(part: BenchmarkReport, prefix: str) -> dict[str, str]:
    """Returns the anchors of sequences by their names, which may hold what an anchor may not."""
    return {sequence.name: f"{prefix}-{index}" for index, sequence in enumerate(part.sequences)}


def _sequence_values(part: BenchmarkReport, sequence: Sequence) -> list[float]:
    return [part.sequence_value(score, sequence) for score in part.scores]


def _number_chart(part: BenchmarkReport, head: str) -> Markup:
    rank = part.metric.column(part.metric.rank)
    points = [
        (index, row.more[head], row.scores.overall[rank.key]) for index, row in enumerate(part.rows) if head in row.more
    ]
    return number_chart(points, head, rank.head)


def _strip(part: BenchmarkReport, sequence: Sequence) -> Strip:
    # Of merged runs the first one is shown.
    tracked = [part.metric.boxes(score.trackers[0], sequence) for score in part.scores]
    judged = [part.metric.judged(score.trackers[0], sequence) for score in part.scores]
    overlaps = [frame_overlaps(sequence, boxes) for boxes in tracked]
    shown = strip_frames(sequence)
    frames = [
        StripFrame(
            number=frame + 1,
            url=jpeg_url(draw(sequence, tracked, frame, judged=judged)),
            overlaps=_finite(values[frame] for values in overlaps),
            lost=[index for index, each in enumerate(judged) if each is not None and each.lost[frame]],
            note="no tracked box" if has_true_box(sequence, frame) else "target not visible",
        )
        for frame in shown
    ]
    numbers = ", ".join(f"{value:.3f}" for value in _sequence_values(part, sequence))
    head = part.metric.column(part.metric.sequence_rank).head
    tags = ", ".join(str(attribute) for attribute in sequence.meta.get("attributes", ()))
    notes = " · ".join(filter(None, (f"{len(sequence)} frames", f"{head} {numbers}", tags)))
    confidence = confidence_timeline(judged, shown) if any(each is not None for each in judged) else Markup("")
    return Strip(sequence.name, notes, frames, overlap_timeline(overlaps, shown), confidence)


def _finite(values: Iterable[float]) -> list[tuple[int, float]]:
    return [(index, float(value)) for index, value in enumerate(values) if np.isfinite(value)]
