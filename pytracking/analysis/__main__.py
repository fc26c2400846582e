"""Tables, plots and pages of saved results: ``python -m pytracking.analysis TRACKER/PARAMETERS ...``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    add_run_id_option,
    path,
    run_command,
    whole_number,
)
from pytracking.command_line import add_export_option, export_results

if TYPE_CHECKING:
    from pytracking.analysis.report import Report
    from pytracking.evaluation import Tracker

DESCRIPTION = """\
Compares trackers by their saved results: prints a table for each benchmark, in the numbers of its own toolkit, and
writes files, plots and a web page where asked to.

Nothing is tracked here: pytracking/run_tracker.py and run_experiment.py do that first. A tracker is named as they name
it, with a slash: siamfc/socl_res18. Sequences that one of the trackers has no result of are left out for all.
"""

EXAMPLES = """\
examples:
  python -m pytracking.analysis siamfc/untrained_res18
  python -m pytracking.analysis siamfc/socl_res18 siamfc/imagenet_res18 --dataset otb --per-sequence
  python -m pytracking.analysis siamfc/socl_res18=SoCL siamfc/gst=GST --dataset otb --html report.html
  python -m pytracking.analysis siamfc/socl_res18 --dataset otb --export mot --export coco-video
  python -m pytracking.analysis siamfc/socl_res18 --run-id 0 1 2 --merge-results --csv --json --latex --plots --html

exit status: 0 done, 1 an error, 2 wrong usage
"""

FILES = {
    "csv": ("report.csv", "every number, one row for each tracker and sequence"),
    "json": ("report.json", "every number and curve"),
    "latex": ("report.tex", "the tables of a paper"),
    "plots": ("report_plots", "plots as PNG and PDF, in a folder (needs matplotlib)"),
    "html": ("report.html", "one web page: tables that sort, plots, frames of the worst sequences"),
}


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m pytracking.analysis", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "trackers", nargs="+", metavar="TRACKER/PARAMETERS", help="whose results; =TITLE after it names it in tables"
    )
    add_dataset_option(parser, nargs="+", default=["synthetic"], help="default: synthetic")
    add_run_id_option(parser, nargs="+", help="repetitions of each tracker")
    parser.add_argument("--merge-results", action="store_true", help="average a tracker's repetitions")
    parser.add_argument(
        "--protocol", metavar="NAME", help="whose rules the numbers follow (default: each benchmark's; docs/metrics.md)"
    )
    parser.add_argument(
        "--one-pass", action="store_true", help="score one-pass results of VOT's sequences, not reset-based runs"
    )
    parser.add_argument("--report-name", metavar="TITLE", help="title of tables and pages (default: the data set)")
    parser.add_argument("--per-sequence", action="store_true", help="print a number for each sequence, too")
    parser.add_argument("--attributes", action="store_true", help="print a number for each attribute, too")
    parser.add_argument("--strict", action="store_true", help="a missing result is an error")
    for name, (default, what) in FILES.items():
        parser.add_argument(
            f"--{name}",
            nargs="?",
            const=Path(default),
            type=path,
            metavar="FOLDER" if name == "plots" else "FILE",
            help=f"write {what} (default: {default})",
        )
    parser.add_argument(
        "--strips", type=whole_number, default=20, metavar="N", help="sequences shown in frames by --html (default: 20)"
    )
    add_export_option(parser)
    add_common_options(parser, "data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    for name in options.trackers:
        tracker, slash, parameters = name.partition("=")[0].partition("/")
        if not (tracker and slash and parameters):
            parser.error(f"name a tracker as TRACKER/PARAMETERS, such as siamfc/untrained_res18, not {name!r}")
    return run_command(options, _report, interrupted="files that were finished are whole")


def _report(options: argparse.Namespace) -> int:
    from pytracking.analysis.plots import check_plot_folder
    from pytracking.analysis.report import attribute_table, make_report
    from pytracking.analysis.tables import print_scores, print_sequence_scores
    from pytracking.evaluation import get_dataset

    if options.plots:
        check_plot_folder(options.plots)  # before the work
    trackers = [tracker for name in options.trackers for tracker in _named(name, options.run_id)]
    dataset = get_dataset(*options.dataset)
    title = " + ".join(options.dataset) if options.report_name is None else options.report_name
    report = make_report(
        trackers,
        dataset,
        title,
        options.protocol,
        options.merge_results,
        not options.strict,
        one_pass=options.one_pass,
    )
    for part in report.parts:
        print_scores(part.scores, len(part.sequences) + len(part.missing), part.name)
        if options.per_sequence:
            print_sequence_scores(part.scores)
        if options.attributes:
            print(f"\n{attribute_table(part)}")
    _write(options, report)
    for tracker in trackers if options.export else ():
        export_results(options.export, tracker, dataset)
    return 0


def _named(text: str, run_ids: list[int] | None) -> list[Tracker]:
    from ltr.admin.environment import load_environment, program
    from ltr.registry import near_names
    from pytracking.evaluation import ResultError, trackerlist

    name, _, title = text.partition("=")
    tracker, _, parameters = name.partition("/")
    found = trackerlist(tracker, parameters, run_ids, title or None)
    for each in found:
        if not os.path.isdir(each.results_dir):  # also of names that are too long to be a folder's
            root = load_environment().results_dir
            there = sorted(f"{path.parent.name}/{path.name}" for path in root.glob("*/*") if path.is_dir())
            run = "" if each.run_id is None else f" --run-id {each.run_id}"
            raise ResultError(
                f"no results of {each.run_name} in {root}.{near_names(each.run_name, there)} "
                f"Make them with: python {program('pytracking/run_tracker.py')} {tracker} {parameters}{run}"
            )
    return found


def _write(options: argparse.Namespace, report: Report) -> None:
    """Writes the files that were asked for, and prints their paths."""
    from pytracking.analysis.exports import write_csv, write_json, write_latex
    from pytracking.analysis.html import write_html
    from pytracking.analysis.plots import write_plots

    def html(report: Report, path: Path) -> None:
        write_html(report, path, options.strips)

    def plots(report: Report, path: Path) -> None:
        write_plots([part.scores for part in report.parts], path, report.name)

    writers: dict[str, Callable[[Report, Path], None]] = {
        "csv": write_csv,
        "json": write_json,
        "latex": write_latex,
        "plots": plots,
        "html": html,
    }
    wanted = {name: path for name in FILES if (path := getattr(options, name)) is not None}
    if wanted:
        print()
    for name, path in wanted.items():
        writers[name](report, path)
        print(path)


if __name__ == "__main__":
    sys.exit(main())
