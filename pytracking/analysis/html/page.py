"""The page: one HTML file that needs nothing but a browser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from pathlib import Path

import numpy as np

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.curves import CURVES, colour
from pytracking.analysis.html.charts import cost_chart, curve_chart, overlap_timeline
from pytracking.analysis.html.strips import draw, frame_overlaps, jpeg_url, strip_frames
from pytracking.analysis.report import Report
from pytracking.analysis.tables import PLOT_TYPES, value
from pytracking.evaluation.results import load_result
from pytracking.evaluation.sequence import Sequence

# Whatever a title holds, and whatever a browser's add-ons wish: the page loads nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def write_html(report: Report, path: Path, strips: int = 20) -> None:
    """Writes the page of a report.

    Args:
        report: what is shown.
        path: the file to write.
        strips: how many sequences are shown as strips of frames, the worst ones first.

    Raises:
        ImageError, ...: a frame of a shown sequence cannot be read.
        WriteError: the file cannot be written.
    """
    write_bytes_atomically(path, "\n".join(_page(report, strips)).encode())


def _page(report: Report, strips: int) -> Iterator[str]:
    title = escape(report.name or "Tracking results")
    asset = files(__package__)
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>\n{(asset / 'report.css').read_text('utf-8')}</style>\n</head>\n<body>"
    yield f"<header><h1>{title}</h1><p>{escape(_subtitle(report))}</p></header>"
    yield "<h2>Trackers</h2>"
    yield _tracker_table(report)
    yield "<h2>Plots</h2>"
    yield _legend(report)
    yield '<div class="plots">'
    for curve in CURVES.values():
        yield f'<div class="card"><h3>{curve.title}</h3>{curve_chart(report.scores, curve)}</div>'
    priced = [
        (index, row.cost.dollars, row.scores.mean.auc) for index, row in enumerate(report.rows) if row.cost is not None
    ]
    if priced:
        yield f'<div class="card"><h3>AUC by cost of labels</h3>{cost_chart(priced)}</div>'
    yield "</div>"
    if report.attributes:
        yield "<h2>AUC by attribute</h2>"
        yield _attribute_table(report)
    yield "<h2>AUC by sequence</h2>"
    worst = report.worst_first()[:strips]
    yield _sequence_table(report, shown={sequence.name for sequence in worst})
    if worst:
        yield f"<h2>Worst sequences first{_of_all(len(worst), len(report.sequences))}</h2>"
        yield _legend(report, with_truth=True)
        for sequence in worst:
            yield _strip(report, sequence)
    if report.missing:
        yield f"<footer>Left out, for want of a tracker's result: {escape(', '.join(report.missing))}.</footer>"
    yield f"<script>\n{(asset / 'report.js').read_text('utf-8')}</script>\n</body>\n</html>\n"


def _subtitle(report: Report) -> str:
    return report.heading.removeprefix(f"{report.name}: ")


def _of_all(shown: int, there: int) -> str:
    return f" ({shown} of {there})" if shown < there else ""


def _tracker_table(report: Report) -> str:
    best = {kind: max(round(value(score.mean, kind), 3) for score in report.scores) for kind in PLOT_TYPES}
    rows = []
    for index, row in enumerate(report.rows):
        cells = [f"<th>{_swatch(index)}{escape(row.scores.title)}</th>"]
        for kind in PLOT_TYPES:
            number = value(row.scores.mean, kind)
            cells.append(_number(number, ".3f", "best" if round(number, 3) == best[kind] else ""))
        cells.append(_number(row.scores.frames_per_second, ".1f"))
        cells.append(_number(None if row.cost is None else row.cost.hours, ",.2f"))
        cells.append(_number(None if row.cost is None else row.cost.dollars, ",.2f"))
        rows.append("".join(cells))
    names = ["Tracker", *PLOT_TYPES.values(), "Frames/s", "Label hours", "Label $"]
    return _table(names, rows, sorted_by=PLOT_TYPES["success"])


def _attribute_table(report: Report) -> str:
    rows = []
    for attribute, members in report.attributes.items():
        values = [row.per_attribute[attribute].auc for row in report.rows]
        rows.append(f"<th>{escape(attribute)}</th>{_number(len(members), 'd')}{_heat_cells(values)}")
    return _table(["Attribute", "Sequences", *(score.title for score in report.scores)], rows)


def _sequence_table(report: Report, shown: set[str]) -> str:
    rows = []
    for sequence in report.worst_first():
        values = [score.per_sequence[sequence.name].auc for score in report.scores]
        name = escape(sequence.name)
        label = f'<a href="#{_anchor(report, sequence)}">{name}</a>' if sequence.name in shown else name
        cells = _heat_cells([float(np.mean(values)), *values] if len(values) > 1 else values)
        rows.append(f"<th>{label}</th>{_number(len(sequence), 'd')}{cells}")
    titles = [score.title for score in report.scores]
    means = ["Mean"] if len(titles) > 1 else []
    return _table(["Sequence", "Frames", *means, *titles], rows, sorted_by=[*means, *titles][0], descending=False)


def _strip(report: Report, sequence: Sequence) -> str:
    # Of merged runs the first one is shown.
    tracked = [load_result(score.trackers[0], sequence).boxes for score in report.scores]
    overlaps = [frame_overlaps(sequence, boxes) for boxes in tracked]
    frames = strip_frames(sequence)
    figures = []
    for frame in frames:
        found = "".join(_dotted(index, float(values[frame])) for index, values in enumerate(overlaps))
        url = jpeg_url(draw(sequence, tracked, frame))
        figures.append(
            f'<figure><img src="{url}" alt="frame {frame + 1} of {escape(sequence.name)}">'
            f"<figcaption>#{frame + 1}{found or ' target not visible'}</figcaption></figure>"
        )
    aucs = ", ".join(f"{score.per_sequence[sequence.name].auc:.3f}" for score in report.scores)
    tags = ", ".join(str(attribute) for attribute in sequence.meta.get("attributes", ()))
    notes = [f"{len(sequence)} frames", f"AUC {aucs}", *([tags] if tags else [])]
    return (
        f'<article class="card strip" id="{_anchor(report, sequence)}"><header><h3>{escape(sequence.name)}</h3>'
        f"<p>{escape(' · '.join(notes))}</p></header>"
        f'<div class="frames">{"".join(figures)}</div>{overlap_timeline(overlaps, frames)}</article>'
    )


def _legend(report: Report, with_truth: bool = False) -> str:
    items = []
    if with_truth:
        items.append('<span><i class="swatch" style="background:var(--true)"></i><b>true box</b></span>')
    items += [f"<span>{_swatch(index)}{escape(score.title)}</span>" for index, score in enumerate(report.scores)]
    if with_truth:
        items.append("<span>below the frames: overlap by frame, 0 to 1; dotted: the frames shown</span>")
    return f'<div class="legend">{"".join(items)}</div>'


def _table(names: Iterable[str], rows: Iterable[str], sorted_by: str = "", descending: bool = True) -> str:
    """Returns a sortable table; the first column holds names, the others numbers."""
    heads = []
    for index, name in enumerate(names):
        order = f' aria-sort="{"descending" if descending else "ascending"}"' if index and name == sorted_by else ""
        kind = ' class="number"' if index else ""
        heads.append(f"<th{kind}{order}>{escape(name)}</th>")
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="card scroll"><table class="sortable"><thead><tr>{"".join(heads)}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _number(number: float | None, form: str, extra: str = "") -> str:
    """Returns a cell; what is unknown is a dash, and has no value to be sorted by."""
    if number is None or not math.isfinite(number):
        return '<td class="number">-</td>'
    kind = f"number {extra}".strip()
    return f'<td class="{kind}" data-value="{number}">{number:{form}}</td>'


def _heat_cells(values: list[float]) -> str:
    return "".join(
        f'<td class="number heat" style="--v:{number:.3f}" data-value="{number}">{number:.3f}</td>' for number in values
    )


def _swatch(index: int) -> str:
    return f'<i class="swatch" style="background:{colour(index)}"></i>'


def _dotted(index: int, overlap: float) -> str:
    if not math.isfinite(overlap):
        return ""
    return f'<b class="dot" style="--c:{colour(index)}">{overlap:.2f}</b>'


def _anchor(report: Report, sequence: Sequence) -> str:
    return f"sequence-{report.sequences.index(sequence)}"  # names may hold what an anchor may not
