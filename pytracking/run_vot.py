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

from ltr.admin.command_line import (  # noqa: E402
    CommandParser,
    add_common_options,
    add_dataset_option,
    add_run_id_option,
    add_set_option,
    run_command,
    whole_number,
)
from pytracking import command_line  # noqa: E402

DESCRIPTION = """\
Lets VOT's official toolkit drive a tracker: without --dataset it waits for the toolkit (or any other client) to
speak TraX, which needs the package vot-trax. In the toolkit's trackers.ini:

  [SoCL]
  label = SoCL
  protocol = trax
  command = /path/to/.venv/bin/python /path/to/pytracking/run_vot.py siamfc socl_res18

The toolkit can have an environment of its own, with its own OpenCV. Several objects are tracked, each by a tracker of
its own, from the frame on in which the toolkit names them. Only boxes are announced, so the toolkit turns masks and
polygons into their bounding boxes. Points, which TraX does not know, have the toolkit's protocol `python` (0.9 and
later), where this project is installed beside the toolkit. There a mask is refused unless the toolkit converts it:

  [SoCL]
  label = SoCL
  protocol = python
  command = pytracking.evaluation.vot_python:create_tracker
  arg_tracker = siamfc/socl_res18
  convert = rectangle

The last line is for stacks of masks; a stack of points goes without it. arg_device = cpu sets a parameter, and so on.

With --dataset, VOT's reset-based evaluation runs here, without the toolkit: after a failure the tracker is started
again five frames later, each sequence is run 15 times (3 times if these are equal), and accuracy, robustness and
expected average overlap are printed. What was run already is kept.
"""

EXAMPLES = """\
examples:
  python pytracking/run_vot.py siamfc untrained_res18 --dataset vot2018
  python pytracking/run_vot.py siamfc untrained_res18 --dataset vot2018 --protocol vot_toolkit
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("run_vot.py", DESCRIPTION, f"{EXAMPLES}\n{command_line.EXIT_STATUS}\n")
    parser.add_argument("tracker", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", metavar="PARAMETERS", help="its parameter set")
    add_run_id_option(parser, help="behind TraX: number of this repetition")
    add_dataset_option(parser, help="run here, over this data set, such as vot2018")
    parser.add_argument(
        "--single-object", action="store_true", help="behind TraX: do not announce that several objects can be tracked"
    )
    parser.add_argument(
        "--repetitions", type=whole_number, default=15, metavar="N", help="runs a sequence (default: 15)"
    )
    parser.add_argument("--protocol", default="pysot", metavar="NAME", help="pysot (default), matlab or vot_toolkit")
    parser.add_argument(
        "--interval",
        metavar="NAME",
        help="challenge whose lengths EAO averages over (default: the data set's, or vot2018)",
    )
    add_common_options(parser, "trackers or parameter sets", "1: show the traceback of an error")
    add_set_option(parser, "a parameter of the tracker, such as device=cpu")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, _serve if options.dataset is None else _run)


def _serve(options: argparse.Namespace) -> int:
    from pytracking.evaluation import Tracker
    from pytracking.evaluation.trax_server import serve

    tracker = Tracker(options.tracker, options.parameters, options.run_id, overrides=dict(options.overrides))
    serve(tracker, several_objects=not options.single_object)
    return 0


def _run(options: argparse.Namespace) -> int:
    from ltr.admin.ownership import own
    from pytracking.analysis.benchmark_metrics import vot_metric
    from pytracking.analysis.tables import evaluate, print_scores
    from pytracking.evaluation import Tracker, get_dataset
    from pytracking.evaluation.resets import OTHER_RUN, run_with_resets

    metric = vot_metric(options.dataset, options.protocol, options.interval)  # a wrong name ends here
    tracker = Tracker(options.tracker, options.parameters, overrides=dict(options.overrides))
    dataset = get_dataset(options.dataset)
    with own(tracker.results_dir, OTHER_RUN) as owner:  # until they are scored: no other run may change them
        report = run_with_resets(dataset, [tracker], options.repetitions)
        if report.failures:
            print(f"no scores: {len(report.failures)} of {len(dataset)} sequences failed", file=sys.stderr)
            return 1
        owner.check()
        print_scores(evaluate([tracker], dataset, metric=metric), len(dataset), options.dataset)
    print()
    print(f"results: {tracker.results_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
