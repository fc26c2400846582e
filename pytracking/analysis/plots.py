"""Plots of a metric's curves as files. matplotlib is imported when a plot is drawn."""

from __future__ import annotations

import io
from collections.abc import Iterable
from collections.abc import Sequence as AbstractSequence
from pathlib import Path

import numpy as np

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.curves import Curve, colour, dashes
from pytracking.analysis.figures import check_figure_path
from pytracking.analysis.tables import TrackerScores, compare, part_title
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker

FORMATS = ("png", "pdf")


def plot_results(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    report_name: str,
    merge_results: bool = False,
    plot_types: AbstractSequence[str] | None = None,
    *,
    protocol: str | None = None,
    one_pass: bool = False,
    skip_missing: bool = True,
    folder: Path | None = None,
) -> list[Path]:
    """Writes each plot of the trackers' saved results as PNG and PDF, and returns the files.

    Args:
        trackers: the trackers.
        dataset: the sequences. Of several data sets, each has its plots, in a folder of its name.
        report_name: title of the plots, and the name of their folder.
        merge_results: average the runs of a tracker that differ in the run id only.
        plot_types: the plots of one-pass evaluation, ``success``, ``prec``, ``norm_prec``, if not the benchmark's own.
        protocol: see :func:`pytracking.analysis.benchmark_metrics.benchmark_metric`; the plots name it.
        one_pass: see ``protocol``.
        skip_missing: leave out the sequences that some tracker has no result of.
        folder: where to; by default ``reports/<report_name>`` in the environment's ``workspace_dir``.

    Raises:
        ValueError: an unknown plot type, or matplotlib is missing.
        ResultError: as :func:`evaluate`.
        WriteError: a file cannot be written.
    """
    if folder is None:
        from ltr.admin.environment import load_environment

        folder = load_environment().workspace_dir / "reports" / report_name
    check_plot_folder(folder)
    parts = compare(trackers, dataset, protocol, merge_results, skip_missing, one_pass=one_pass, plot_types=plot_types)
    return write_plots([scores for _, scores in parts], folder, report_name)


def check_plot_folder(folder: Path) -> None:
    """Checks that plots can be drawn and written; errors as of :func:`plot_results`."""
    check_figure_path(folder / f"plot.{FORMATS[0]}")


def write_plots(parts: AbstractSequence[AbstractSequence[TrackerScores]], folder: Path, title: str) -> list[Path]:
    """Writes ``<plot type>.png`` and ``.pdf`` of each data set's scores, and returns the files.

    They lie in ``folder``, or where there are several data sets, in a folder of each one's name in it.
    """
    files = []
    for scores in parts:
        below = folder if len(parts) == 1 else folder / scores[0].dataset
        for curve in scores[0].metric.curves:
            for ending in FORMATS:
                file = below / f"{curve.kind}.{ending}"
                write_bytes_atomically(file, _draw(scores, curve, part_title(title, scores, len(parts)), ending))
                files.append(file)
    return files


def _draw(scores: AbstractSequence[TrackerScores], curve: Curve, title: str, ending: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    # The legend's order is this plot's own: the best AUC need not have the best precision.
    numbers = [score.overall[curve.column.key] for score in scores]
    last = 0.0
    for index in sorted(range(len(scores)), key=lambda index: -np.nan_to_num(numbers[index])):
        style = (0, dashes(index)) if dashes(index) else "solid"
        label = f"{scores[index].title} [{numbers[index]:.3f}]"
        x, y = curve.points(scores[index].overall.curves)
        axes.plot(x, y, color=colour(index), linestyle=style, linewidth=1.8, label=label)
        last = max(last, *x)
    axes.set(xlabel=curve.x_label, ylabel=curve.y_label, xlim=(0, last), ylim=(0, 1))
    axes.set_title(f"{curve.title}{f', {title}' if title else ''}", fontsize=11)
    axes.grid(alpha=0.3)
    legend_title = f"{curve.column.head}, {len(scores[0].per_sequence)} sequences, {scores[0].metric.toolkit}"
    axes.legend(
        loc="lower left" if curve.kind == "success" else "upper right" if curve.kind == "eao" else "lower right",
        fontsize=8,
        title=legend_title,
        title_fontsize=8,
    )
    buffer = io.BytesIO()
    # Without the date the same results give the same file.
    metadata = {"CreationDate": None} if ending == "pdf" else None
    figure.savefig(buffer, format=ending, dpi=150, metadata=metadata)
    return buffer.getvalue()
