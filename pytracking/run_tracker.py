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

from ltr.admin.command_line import (  # noqa: E402
    CommandParser,
    add_dataset_option,
    add_run_id_option,
    print_entries,
    run_command,
)
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
  python pytracking/run_tracker.py siamfc untrained_res18 --dataset otb --jobs 4
  python pytracking/run_tracker.py siamfc untrained_res18 --dataset otb --sequence CarDark --render
  python pytracking/run_tracker.py siamfc untrained_res18 --set scale_num=1 --run-id 1
  python pytracking/run_tracker.py dimp --network super_dimp.pth.tar --dataset otb
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = command_line.parser("run_tracker.py", DESCRIPTION, EXAMPLES)
    parser.add_argument("tracker", nargs="?", metavar="TRACKER", help="the tracker, such as siamfc")
    parser.add_argument("parameters", nargs="?", metavar="PARAMETERS", help="its parameter set")
    parser.add_argument(
        "--network",
        metavar="FILE",
        help="track with this checkpoint or published weights; without PARAMETERS, as the network in it asks for",
    )
    add_run_id_option(parser, help="number of this repetition")
    what = "a benchmark, or the path of a folder of frames or a video file (default: synthetic, needs no files)"
    add_dataset_option(parser, default="synthetic", help=what)
    parser.add_argument("--sequence", metavar="NAME", help="only this sequence: its name, or its number from 0 on")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not options.list and not (options.tracker and (options.parameters or options.network)):
        parser.error("give TRACKER and PARAMETERS (--list shows them), or TRACKER and --network FILE")
    return run_command(options, _list if options.list else _track)


def _track(options: argparse.Namespace) -> int:
    from pytracking.evaluation import SequenceError, SequenceList, Tracker, get_dataset

    overrides = dict(options.overrides)
    if options.network is not None:
        overrides["network"] = options.network
    parameters = options.parameters
    if "network" in overrides:
        parameters = _matched(options.tracker, parameters, overrides["network"])
    tracker = Tracker(options.tracker, parameters, options.run_id, overrides=overrides)
    tracker.check_names()  # an unknown name is told before any data set is read,
    dataset = get_dataset(options.dataset)  # and a data set that is not there before any network is downloaded
    if options.sequence is not None:
        name: str | int = options.sequence
        if (
            options.sequence.isdecimal()
            and len(options.sequence) < 10
            and options.sequence not in {sequence.name for sequence in dataset}
        ):
            name = int(options.sequence)
            if name >= len(dataset):
                raise SequenceError(f"there is no sequence {name}: {options.dataset} has 0 to {len(dataset) - 1}")
        dataset = SequenceList([dataset[name]])
    return command_line.track_and_report(options, [tracker], dataset, options.dataset)


def _matched(tracker: str, parameters: str | None, network: str) -> str:
    """Returns the parameter set to track a network with, the one that is asked for if any; says which one fits it."""
    from pytracking.parameter.params import ParameterError
    from pytracking.tracker.matching import match_network

    try:
        match = match_network(tracker, network)
    except ParameterError:
        if parameters is None:
            raise
        return parameters
    asked = f"; asked for: {parameters}" if parameters not in (None, match.parameters) else ""
    print(f"{network} holds {match.reason}. Its parameter set: {tracker} {match.parameters}{asked}")
    return parameters or match.parameters


def _list(options: argparse.Namespace) -> int:
    from pytracking.registry import BENCHMARKS, PARAMETERS

    print("trackers and parameter sets:")
    print_entries(PARAMETERS)
    print("data sets:")
    print_entries(BENCHMARKS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
