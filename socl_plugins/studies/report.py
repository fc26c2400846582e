"""Tables and plots of what the cells of a study gave."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.figures import bar_plot, line_plot
from pytracking.evaluation.benchmarks import otb_entries
from socl_plugins.studies.run import read_result
from socl_plugins.studies.study import Overrides, Row, Study


class ReportError(ValueError):
    """There is nothing to report, or nowhere to put it."""


@dataclass(frozen=True)
class RowResults:
    """What the seeds of a row gave.

    Attributes:
        row: the row.
        results: one for each seed that was run.
    """

    row: Row
    results: list[dict[str, Any]]

    def scores(self, test: str, name: str) -> np.ndarray:
        """Returns ``auc`` or ``dp20`` of each seed that was tested so, in percent."""
        tested = (result["tests"][test] for result in self.results if test in result["tests"])
        return 100 * np.array([scores[name] for scores in tested if name in scores])

    def mean(self, name: str) -> float | None:
        """Returns the mean of a number such as ``hours``, or none if it is not known."""
        values = [result[name] for result in self.results if result.get(name) is not None]
        return float(np.mean(values)) if values else None


def collect(
    study: Study, out: Path, seeds: Iterable[int], overrides: Overrides, tests: Sequence[str] | None = None
) -> list[RowResults]:
    """Returns the results of each row of which there are any, of some tests or of all.

    Raises:
        ReportError: there are none of these tests, or they differ in what they were learned from, or in the precision
            of tracking.
    """
    listed = list(seeds)
    otb13 = study.paper.startswith("OTB-13")
    rows = []
    for row in study.rows:
        cells = dict.fromkeys(study.cell(row, seed, overrides) for seed in listed)
        found = (read_result(out, cell) for cell in cells)
        results = [
            shown for result in found if result is not None and (shown := _of_tests(result, tests, otb13))["tests"]
        ]
        if results:
            rows.append(RowResults(row, results))
    if not rows:
        raise ReportError(
            f"{out} has no result of {study.name} with these options: "
            "run it first, or give the --set and --tests it was run with"
        )
    sources = {result.get("learned_from") for row in rows for result in row.results if result.get("recipe")}
    if len(sources) > 1:
        raise ReportError(f"{study.name} in {out} learned from different videos: {sorted(map(str, sources))}")
    precisions = {result["precision"] for row in rows for result in row.results if result.get("precision")}
    if len(precisions) > 1:
        raise ReportError(
            f"{study.name} in {out} was tracked with in {' and '.join(sorted(precisions))}: "
            "run it again with one --precision"
        )
    return rows


def _of_tests(result: dict[str, Any], tests: Sequence[str] | None, otb13: bool) -> dict[str, Any]:
    found = dict(result["tests"])
    if otb13 and "otb" in found and "otb13" not in found and (part := _otb13(found["otb"])):
        found["otb13"] = part
    kept = {name: scores for name, scores in found.items() if tests is None or name in tests}
    return {**result, "tests": kept}


def _otb13(otb: Mapping[str, Any]) -> dict[str, float]:
    """Returns the means over those of OTB's sequences that belong to OTB-2013, which papers have; empty: none does."""
    names = {entry.name for entry in otb_entries(only_2013=True)}
    means = {}
    for name in ("auc", "dp20"):
        values = [value for sequence, value in otb.get(f"per_sequence_{name}", {}).items() if sequence in names]
        if values:
            means[name] = float(np.mean(values))
    return means


def tests_of(rows: Iterable[RowResults]) -> list[str]:
    """Returns the names of all tests, OTB first."""
    tests = list(dict.fromkeys(test for row in rows for result in row.results for test in result["tests"]))
    return sorted(tests, key=lambda test: test != "otb")


def study_table(study: Study, rows: Sequence[RowResults]) -> str:
    """Returns the study as a Markdown table: mean and deviation over seeds, in percent, and costs of labels."""
    tests = tests_of(rows)
    paid = any(row.mean("hours") is not None for row in rows)
    head = ["", "seeds", *(["hours", "$"] if paid else [])]
    for test in tests:
        head += [f"AUC, {test}", f"DP@20, {test}"]
    head += [f"paper: {study.paper}"] if study.paper else []
    lines = [head, ["---"] * len(head)]
    for found in rows:
        line = [found.row.title, str(len(found.results))]
        if paid:
            line += [_number(found.mean("hours"), 2), _number(found.mean("dollars"), 2)]
        for test in tests:
            line += [_spread(found.scores(test, "auc")), _spread(found.scores(test, "dp20"))]
        lines.append([*line, *([found.row.paper] if study.paper else [])])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


CSV_COLUMNS = (
    *("study", "row", "test", "seeds", "hours", "dollars", "auc", "auc_sd", "dp20", "dp20_sd", "paper"),
    *("learned_from", "machine", "commit", "command"),
)
"""Columns of a study's file of results: AUC and DP@20 are means over seeds in percent, ``_sd`` their deviation."""


def write_csv(study: Study, rows: Sequence[RowResults], path: Path) -> None:
    """Writes the study's numbers as a CSV file with the columns :data:`CSV_COLUMNS`, a line for each row and test."""
    tests = tests_of(rows)
    command = f"python -m socl_plugins.studies run {study.name} --tests {' '.join(tests)}"
    precisions = sorted({result["precision"] for row in rows for result in row.results if result.get("precision")})
    command += "".join(f" --precision {precision}" for precision in precisions)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for found in rows:
        about = [
            "; ".join(sorted({str(result[name]) for result in found.results if result.get(name)}))
            for name in ("learned_from", "machine", "commit")
        ]
        if not found.row.recipe:  # it is only said what others could learn from
            about[0] = ""
        for test in tests:
            auc, dp20 = (found.scores(test, name) for name in ("auc", "dp20"))
            if not len(auc):
                continue
            costs = [_number(found.mean(name), 2) for name in ("hours", "dollars")]
            scores = [text for each in (auc, dp20) for text in _mean_and_deviation(each)]
            row = [study.name, found.row.title, test, len(auc), *costs, *scores, found.row.paper, *about, command]
            writer.writerow(row)
    write_bytes_atomically(path, table.getvalue().encode())


def _mean_and_deviation(scores: np.ndarray) -> tuple[str, str]:
    return f"{scores.mean():.1f}" if len(scores) else "", f"{_deviation(scores):.1f}" if len(scores) > 1 else ""


def study_plot(study: Study, rows: Sequence[RowResults], path: Path) -> None:
    """Draws AUC: against what the study varies, a line for each ``Row.line``, or else a bar for each row.

    Both show the deviation over seeds that the table shows.

    Of the tests, the first of the table is drawn: ``otb`` where it was run.
    """
    test = tests_of(rows)[0]
    label = f"AUC, {test}, in percent"
    content = _lines(study, rows, test, label) if study.x_label else _bars(rows, test, label)
    write_bytes_atomically(path, content)


def _lines(study: Study, rows: Sequence[RowResults], test: str, label: str) -> bytes:
    lines: dict[str, list[tuple[float, ...]]] = {}
    for found in rows:
        x = found.row.x if found.row.x is not None else found.mean("hours")
        scores = found.scores(test, "auc")
        if found.row.line and x is not None and len(scores):
            lines.setdefault(found.row.line, []).append((x, float(scores.mean()), _deviation(scores)))
    if not lines:
        raise ReportError(f"no row of {study.name} that was run is a point of its plot")
    scale = "log" if study.log_x else "linear"
    ticks = sorted(point[0] for point in next(iter(lines.values())))
    return line_plot("png", lines, study.x_label, label, ticks, x_scale=scale)


def _bars(rows: Sequence[RowResults], test: str, label: str) -> bytes:
    tested = {found.row.title: scores for found in rows if len(scores := found.scores(test, "auc"))}
    bars = {title: (float(scores.mean()), _deviation(scores)) for title, scores in tested.items()}
    return bar_plot("png", bars, label)


def put_between_marks(document: Path, study: Study, text: str) -> None:
    """Writes a study's table into a document, in place of what is between the study's marks.

    Raises:
        ReportError: the document is not there, or has no such marks.
    """
    before, after = marked(document, study)
    write_bytes_atomically(document, f"{before}\n{text}\n{after}".encode())


def marked(document: Path, study: Study) -> tuple[str, str]:
    """Returns what a document has up to a study's first mark, and from its last one on; errors as there."""
    first, last = f"<!-- study {study.name} -->\n", f"<!-- end of study {study.name} -->"
    content = document.read_text(encoding="utf-8") if document.is_file() else ""
    start, end = content.find(first), content.find(last)
    if not 0 <= start < end:
        raise ReportError(f"{document} has no lines {first.strip()} and {last}: add them where the table shall stand")
    return content[: start + len(first)], content[end:]


def _spread(scores: np.ndarray) -> str:
    if not len(scores):
        return ""
    return f"{scores.mean():.1f}" + (f" ± {_deviation(scores):.1f}" if len(scores) > 1 else "")


def _deviation(scores: np.ndarray) -> float:
    return float(scores.std(ddof=1)) if len(scores) > 1 else 0.0


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
