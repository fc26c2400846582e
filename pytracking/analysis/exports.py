"""A report as files for other programs: CSV and JSON with every number, LaTeX with the tables of a paper."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.benchmark_metrics import MetricValues
from pytracking.analysis.curves import Column
from pytracking.analysis.report import BenchmarkReport, Report, TrackerRow


def write_csv(report: Report, path: Path) -> None:
    """Writes one row for each tracker and what it is scored on: ``all``, each ``attribute``, each ``sequence``.

    Numbers have all their digits; what is unknown, or no number of the benchmark's metric, is empty. Speed and the
    columns of plugins stand in the rows of ``all``.
    """
    keys = list(dict.fromkeys(key for part in report.parts for key in part.scores[0].overall.values))
    more = list(dict.fromkeys(head for part in report.parts for head in part.more))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = ["tracker", "dataset", "scope", "name", "sequences", "protocol", *keys, "frames_per_second"]
    writer.writerow([*header, *map(_key, more)])
    for part in report.parts:
        for row in part.rows:
            speed = [_known(row.scores.frames_per_second), *(row.more.get(head) for head in more)]
            for scope, name, count, score in _scores(part, row):
                place = [row.scores.title, part.dataset, scope, name, count, part.metric.protocol]
                numbers = [_known(score.values.get(key, math.nan)) for key in keys]
                writer.writerow([*place, *numbers, *(speed if scope == "all" else [None] * len(speed))])
    write_bytes_atomically(path, out.getvalue().encode())


def write_json(report: Report, path: Path) -> None:
    """Writes everything that the report holds: curves, means, attributes, sequences, speed, columns of plugins."""
    content = {"name": report.name, "benchmarks": [_benchmark(part) for part in report.parts]}
    write_bytes_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def write_latex(report: Report, path: Path) -> None:
    r"""Writes a table for LaTeX's ``booktabs`` of each data set, the best number of each column in bold."""
    lines = [line for part in report.parts for line in _latex_table(part)]
    write_bytes_atomically(path, ("\n".join(lines) + "\n").encode())


def escape_latex(text: str) -> str:
    r"""Returns the text with what LaTeX would take for a command made plain.

    >>> print(escape_latex("siamfc/socl_res18 50%"))
    siamfc/socl\_res18 50\%
    """
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def _latex_table(part: BenchmarkReport) -> Iterator[str]:
    columns = part.metric.columns
    best = {}
    for column in columns:
        numbers = [_in_paper(column, score.overall) for score in part.scores]
        best[column.key] = max(numbers, key=float) if column.higher_is_better else min(numbers, key=float)
    yield f"% {' '.join(part.heading.split())}; needs \\usepackage{{booktabs}}"
    yield f"\\begin{{tabular}}{{l{'r' * (len(columns) + 1 + len(part.more))}}}"
    yield "\\toprule"
    heads = ["Tracker", *(column.head for column in columns), "Frames/s", *map(str.capitalize, part.more)]
    yield f"{' & '.join(map(escape_latex, heads))} \\\\"
    yield "\\midrule"
    for row in part.rows:
        cells = [escape_latex(row.scores.title)]
        for column in columns:
            number = _in_paper(column, row.scores.overall)
            cells.append(f"\\textbf{{{number}}}" if number == best[column.key] else number)
        for value in (row.scores.frames_per_second, *(row.more.get(head, math.nan) for head in part.more)):
            cells.append("--" if math.isnan(value) else f"{value:,.1f}")
        yield f"{' & '.join(cells)} \\\\"
    yield "\\bottomrule"
    yield "\\end{tabular}"


def _in_paper(column: Column, score: MetricValues) -> str:
    return f"{100 * score[column.key]:.1f}" if column.percent else f"{score[column.key]:.3f}"


def _scores(part: BenchmarkReport, row: TrackerRow) -> Iterator[tuple[str, str, int, MetricValues]]:
    """Yields scope, name, number of sequences and score of everything that a tracker is scored on."""
    yield "all", "", len(part.sequences), row.scores.overall
    for attribute, score in row.per_attribute.items():
        yield "attribute", attribute, len(part.attributes[attribute]), score
    for name, score in row.scores.per_sequence.items():
        yield "sequence", name, 1, score


def _benchmark(part: BenchmarkReport) -> dict[str, Any]:
    return {
        "dataset": part.dataset,
        "metric": part.metric.heading,
        "protocol": part.metric.protocol,
        "sequences": [sequence.name for sequence in part.sequences],
        "left_out": part.missing,
        "attributes": part.attributes,
        "trackers": [_tracker(part, row) for row in part.rows],
    }


def _tracker(part: BenchmarkReport, row: TrackerRow) -> dict[str, Any]:
    scopes: dict[str, dict[str, Any]] = {"all": {}, "attribute": {}, "sequence": {}}
    for scope, name, _, score in _scores(part, row):
        scopes[scope][name] = {key: _known(number) for key, number in score.values.items()}
    return {
        "title": row.scores.title,
        "runs": [tracker.run_name for tracker in row.scores.trackers],
        **scopes["all"][""],
        "frames_per_second": _known(row.scores.frames_per_second),
        **{_key(head): row.more.get(head) for head in part.more},
        "curves": {name: list(map(_known, curve.tolist())) for name, curve in row.scores.overall.curves.items()},
        "attributes": scopes["attribute"],
        "sequences": scopes["sequence"],
    }


def _key(head: str) -> str:
    """Returns a plugin's column as a name in files.

    >>> _key("label hours")
    'label_hours'
    """
    return head.replace(" ", "_")


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None
