"""Success and precision plots as files. matplotlib is imported when a plot is drawn."""

from __future__ import annotations

import io
from collections.abc import Iterable
from collections.abc import Sequence as AbstractSequence
from pathlib import Path

from ltr.admin.files import write_bytes_atomically
from pytracking.analysis.curves import CURVES, Curve, colour, dashes
from pytracking.analysis.figures import check_figure_path
from pytracking.analysis.tables import PLOT_TYPES, TrackerScores, best_first, check_plot_types, evaluate, value
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Tracker

FORMATS = ("png", "pdf")


def plot_results(
    trackers: Iterable[Tracker],
    dataset: Iterable[Sequence],
    report_name: str,
    merge_results: bool = False,
    plot_types: AbstractSequence[str] = tuple(PLOT_TYPES),
    *,
    protocol: str = "pysot",
    skip_missing: bool = True,
    folder: Path | None = None,
) -> list[Path]:
    """Writes each plot of the trackers' saved results as PNG and PDF, and returns the files.

    Args:
        trackers: the trackers.
        dataset: the sequences.
        report_name: title of the plots, and the name of their folder.
        merge_results: average the runs of a tracker that differ in the run id only.
        plot_types: ``success``, ``prec``, ``norm_prec``.
        protocol: see :func:`pytracking.metrics.ope`; the plots name it.
        skip_missing: leave out the sequences that some tracker has no result of.
        folder: where to; by default ``reports/<report_name>`` in the environment's ``workspace_dir``.

    Raises:
        ValueError: an unknown plot type, or matplotlib is missing.
        ResultError: as :func:`evaluate`.
        WriteError: a file cannot be written.
    """
    check_plot_types(plot_types)
    if folder is None:
        from ltr.admin.environment import load_environment

        folder = load_environment().workspace_dir / "reports" / report_name
    check_plot_folder(folder)
    scores = best_first(evaluate(trackers, list(dataset), protocol, merge_results, skip_missing))
    return write_plots(scores, folder, report_name, plot_types)


def check_plot_folder(folder: Path) -> None:
    """Checks that plots can be drawn and written; errors as of :func:`plot_results`."""
    check_figure_path(folder / f"plot.{FORMATS[0]}")


def write_plots(
    scores: AbstractSequence[TrackerScores],
    folder: Path,
    title: str,
    plot_types: AbstractSequence[str] = tuple(PLOT_TYPES),
) -> list[Path]:
    """Writes ``<plot type>.png`` and ``.pdf`` in ``folder``, and returns the files."""
    files = []
    for kind in plot_types:
        for ending in FORMATS:
            file = folder / f"{kind}.{ending}"
            write_bytes_atomically(file, _draw(scores, kind, CURVES[kind], title, ending))
            files.append(file)
    return files


def _draw(scores: AbstractSequence[TrackerScores], kind: str, curve: Curve, title: str, ending: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    # The legend's order is this plot's own: the best AUC need not have the best precision.
    order = sorted(range(len(scores)), key=lambda index: -value(scores[index].mean, kind))
    for index in order:
        style = (0, dashes(index)) if dashes(index) else "solid"
        label = f"{scores[index].title} [{value(scores[index].mean, kind):.3f}]"
        axes.plot(*curve.points(scores[index].mean), color=colour(index), linestyle=style, linewidth=1.8, label=label)
    count = len(scores[0].per_sequence)
    axes.set(xlabel=curve.x_label, ylabel=curve.y_label, xlim=(0, curve.x_end), ylim=(0, 1))
    axes.set_title(f"{curve.title}{f', {title}' if title else ''}", fontsize=11)
    axes.grid(alpha=0.3)
    legend_title = f"{PLOT_TYPES[kind]}, {count} sequences, {scores[0].mean.protocol}"
    axes.legend(
        loc="lower left" if kind == "success" else "lower right",
        fontsize=8,
        title=legend_title,
        title_fontsize=8,
    )
    buffer = io.BytesIO()
    # Without the date the same results give the same file.
    metadata = {"CreationDate": None} if ending == "pdf" else None
    figure.savefig(buffer, format=ending, dpi=150, metadata=metadata)
    return buffer.getvalue()
