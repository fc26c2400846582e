"""Runs a tracker for VOT, behind TraX or by itself: ``python pytracking/run_vot.py TRACKER PARAMETERS``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import add_plugin_option, add_set_option, run_command, whole_number  # noqa: E402
from pytracking import command_line  # noqa: E402

DESCRIPTION = """\
Lets VOT's official toolkit drive a tracker: without --dataset_name it waits for the toolkit (or any other client) to
speak TraX, which needs the package vot-trax. In the toolkit's trackers.ini:

  [SoCL]
  label = SoCL
  protocol = trax
  command = python /path/to/pytracking/run_vot.py siamfc socl_res18

With --dataset_name, VOT's reset-based evaluation runs here, without the toolkit: after a failure the tracker is started
again five frames later, each sequence is run 15 times (3 times if these are equal), and accuracy, robustness and
expected average overlap are printed. What was run already is kept.
"""

EXAMPLES = """\
examples:
  python pytracking/run_vot.py siamfc untrained_res18 --dataset_name vot2018
  python pytracking/run_vot.py siamfc untrained_res18 --dataset_name vot2018 --protocol vot_toolkit
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="run_vot.py",
        description=DESCRIPTION,
        epilog=f"{EXAMPLES}\n{command_line.EXIT_STATUS}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("tracker", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", metavar="PARAMETERS", help="its parameter set")
    parser.add_argument("--run_id", type=whole_number, metavar="N", help="behind TraX: number of this repetition")
    parser.add_argument("--dataset_name", metavar="NAME", help="run here, over this data set, such as vot2018")
    parser.add_argument(
        "--repetitions", type=whole_number, default=15, metavar="N", help="runs a sequence (default: 15)"
    )
    parser.add_argument("--protocol", default="pysot", metavar="NAME", help="pysot (default), matlab or vot_toolkit")
    parser.add_argument(
        "--interval",
        metavar="NAME",
        help="challenge whose lengths EAO averages over (default: the data set's, or vot2018)",
    )
    parser.add_argument(
        "--debug", type=whole_number, default=0, metavar="LEVEL", help="1: show the traceback of an error"
    )
    add_plugin_option(parser, "trackers or parameter sets")
    add_set_option(parser, "a parameter of the tracker, such as device=cpu")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, _serve if options.dataset_name is None else _run)


def _serve(options: argparse.Namespace) -> int:
    from pytracking.evaluation import Tracker
    from pytracking.evaluation.trax_server import serve

    serve(Tracker(options.tracker, options.parameters, options.run_id, overrides=dict(options.overrides)))
    return 0


def _run(options: argparse.Namespace) -> int:
    from pytracking.evaluation import Tracker, get_dataset
    from pytracking.evaluation.resets import run_with_resets, score_runs
    from pytracking.metrics import EAO_INTERVALS, VOT_PROTOCOLS
    from pytracking.metrics.errors import check_known

    tracker = Tracker(options.tracker, options.parameters, overrides=dict(options.overrides))
    dataset = get_dataset(options.dataset_name)
    interval = options.interval or (options.dataset_name if options.dataset_name in EAO_INTERVALS else "vot2018")
    check_known("VOT challenge", interval, EAO_INTERVALS)  # before hours of runs, and not after
    check_known("VOT protocol", options.protocol, VOT_PROTOCOLS)
    report = run_with_resets(dataset, [tracker], options.repetitions)
    if report.failures:
        print(f"no scores: {len(report.failures)} of {len(dataset)} sequences failed", file=sys.stderr)
        return 1
    scores = score_runs(tracker, dataset, options.protocol, interval)
    print(
        f"\n{tracker.run_name} on {len(dataset)} sequences of {options.dataset_name}, protocol {options.protocol}: "
        f"accuracy {scores.accuracy:.3f}, robustness {scores.robustness:.3f}, EAO ({interval}) {scores.eao:.3f}"
    )
    print(f"results: {tracker.results_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
