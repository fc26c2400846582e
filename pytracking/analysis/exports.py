"""A report as files for other programs: CSV and JSON with every number, LaTeX with the table of a paper."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.report import Report, TrackerRow
from pytracking.analysis.tables import PLOT_TYPES, value
from pytracking.metrics import OPE

CSV_HEADER = (
    "tracker", "scope", "name", "sequences", "protocol", "auc", "precision20", "norm_precision20",
    "frames_per_second", "label_hours", "label_dollars",
)  # fmt: skip


def write_csv(report: Report, path: Path) -> None:
    """Writes one row for each tracker and what it is scored on: ``all``, each ``attribute``, each ``sequence``.

    Numbers have all their digits; what is unknown is empty. Speed and cost stand in the rows of ``all``.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for row in report.rows:
        scores = row.scores
        cost = ("", "") if row.cost is None else (row.cost.hours, row.cost.dollars)
        speed = scores.frames_per_second if math.isfinite(scores.frames_per_second) else ""
        for scope, name, count, result in _results(report, row):
            extra = (speed, *cost) if scope == "all" else ("", "", "")
            numbers = [value(result, kind) for kind in PLOT_TYPES]
            writer.writerow([scores.title, scope, name, count, result.protocol, *numbers, *extra])
    write_bytes_atomically(path, out.getvalue().encode())


def write_json(report: Report, path: Path) -> None:
    """Writes everything that the report holds: curves, means, attributes, sequences, speed, and cost of labels."""
    content = {
        "name": report.name,
        "protocol": report.scores[0].mean.protocol,
        "sequences": [sequence.name for sequence in report.sequences],
        "left_out": report.missing,
        "attributes": report.attributes,
        "trackers": [_tracker(report, row) for row in report.rows],
    }
    write_bytes_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def write_latex(report: Report, path: Path) -> None:
    r"""Writes a table in percent for LaTeX's ``booktabs``, the best number of each column in bold."""
    percent = [{kind: round(100 * value(score.mean, kind), 1) for kind in PLOT_TYPES} for score in report.scores]
    best = {kind: max(numbers[kind] for numbers in percent) for kind in PLOT_TYPES}
    with_cost = any(row.cost is not None for row in report.rows)
    header = ["Tracker", *PLOT_TYPES.values(), "Frames/s", *(("Label hours", "Label \\$") if with_cost else ())]
    lines = [
        f"% {' '.join(report.heading.split())}; needs \\usepackage{{booktabs}}",
        f"\\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        "\\toprule",
        f"{' & '.join(header)} \\\\",
        "\\midrule",
    ]
    for row, numbers in zip(report.rows, percent):
        cells = [escape_latex(row.scores.title)]
        for kind, number in numbers.items():
            cells.append(f"\\textbf{{{number:.1f}}}" if number == best[kind] else f"{number:.1f}")
        speed = row.scores.frames_per_second
        cells.append(f"{speed:.1f}" if math.isfinite(speed) else "--")
        if with_cost:
            cells += ["--", "--"] if row.cost is None else [f"{row.cost.hours:,.1f}", f"{row.cost.dollars:,.0f}"]
        lines.append(f"{' & '.join(cells)} \\\\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    write_bytes_atomically(path, ("\n".join(lines) + "\n").encode())


def escape_latex(text: str) -> str:
    r"""Returns the text with what LaTeX would take for a command made plain.

    >>> print(escape_latex("siamfc/socl_res18 50%"))
    siamfc/socl\_res18 50\%
    """
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: f"\\{character}" for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def _results(report: Report, row: TrackerRow) -> Iterator[tuple[str, str, int, OPE]]:
    """Yields scope, name, number of sequences and curves of everything that a tracker is scored on."""
    yield "all", "", len(report.sequences), row.scores.mean
    for attribute, result in row.per_attribute.items():
        yield "attribute", attribute, len(report.attributes[attribute]), result
    for name, result in row.scores.per_sequence.items():
        yield "sequence", name, 1, result


def _tracker(report: Report, row: TrackerRow) -> dict[str, Any]:
    scores = row.scores
    scopes: dict[str, dict[str, Any]] = {"all": {}, "attribute": {}, "sequence": {}}
    for scope, name, _, result in _results(report, row):
        scopes[scope][name] = {kind: value(result, kind) for kind in PLOT_TYPES}
    curves = {name: getattr(scores.mean, name).tolist() for name in ("success", "precision", "norm_precision")}
    return {
        "title": scores.title,
        "runs": [tracker.run_name for tracker in scores.trackers],
        **scopes["all"][""],
        "frames_per_second": scores.frames_per_second if math.isfinite(scores.frames_per_second) else None,
        "label_cost": None if row.cost is None else {"hours": row.cost.hours, "dollars": row.cost.dollars},
        "curves": curves,
        "attributes": scopes["attribute"],
        "sequences": scopes["sequence"],
    }
