"""Runs a tracker over benchmark sequences: ``python pytracking/run_tracker.py TRACKER PARAMETERS``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import print_names, run_command, whole_number  # noqa: E402
from pytracking import command_line  # noqa: E402

DESCRIPTION = """\
Runs a tracker over the sequences of a data set, saves its boxes, and prints AUC, precision at 20 pixels and speed.

TRACKER and PARAMETERS name a parameter set, such as siamfc untrained_res18: the function parameters() in
pytracking/parameter/siamfc/untrained_res18.py, or one that a plugin brings. What has results already, made with the
same parameters and checkpoint, is not tracked again. With --set, results lie in a place of their own,
PARAMETERS+DIGEST, which is also their name for pytracking.analysis: many settings can be tracked at once.
"""

EXAMPLES = """\
examples:
  python pytracking/run_tracker.py --list
  python pytracking/run_tracker.py siamfc untrained_res18
  python pytracking/run_tracker.py siamfc untrained_res18 --dataset_name otb --threads 4
  python pytracking/run_tracker.py siamfc untrained_res18 --dataset_name otb --sequence CarDark --render
  python pytracking/run_tracker.py siamfc untrained_res18 --set scale_num=1 --runid 1
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    parser = command_line.parser("run_tracker.py", DESCRIPTION, EXAMPLES)
    parser.add_argument("tracker", nargs="?", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", nargs="?", metavar="PARAMETERS", help="its parameter set")
    parser.add_argument("--runid", type=whole_number, metavar="N", help="number of this repetition")
    parser.add_argument(
        "--dataset_name", default="synthetic", metavar="NAME", help="the data set (default: synthetic, needs no files)"
    )
    parser.add_argument("--sequence", metavar="NAME", help="only this sequence: its name, or its number from 0 on")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not options.list and not (options.tracker and options.parameters):
        parser.error("give TRACKER and PARAMETERS (--list shows them)")
    return run_command(options, _list if options.list else _track)


def _track(options: argparse.Namespace) -> int:
    from pytracking.evaluation import SequenceError, SequenceList, Tracker, get_dataset

    overrides = dict(options.overrides)
    tracker = Tracker(options.tracker, options.parameters, options.runid, overrides=overrides)
    tracker.parameters()  # an unknown name is told before any data set is read
    dataset = get_dataset(options.dataset_name)
    if options.sequence is not None:
        name: str | int = options.sequence
        if options.sequence.isdecimal() and options.sequence not in {sequence.name for sequence in dataset}:
            name = int(options.sequence)
            if name >= len(dataset):
                raise SequenceError(f"there is no sequence {name}: {options.dataset_name} has 0 to {len(dataset) - 1}")
        dataset = SequenceList([dataset[name]])
    return command_line.track_and_report(options, [tracker], dataset, options.dataset_name)


def _list(options: argparse.Namespace) -> int:
    from pytracking.registry import BENCHMARKS, PARAMETERS

    print("trackers and parameter sets:")
    print_names(PARAMETERS.names(), PARAMETERS.__getitem__)
    print("data sets:")
    print_names(BENCHMARKS.names(), BENCHMARKS.__getitem__)
    return 0


if __name__ == "__main__":
    sys.exit(main())
