"""Runs an experiment, trackers on sequences: ``python pytracking/run_experiment.py MODULE NAME``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "pytracking":
    # Started as a script: names such as "analysis" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
from collections.abc import Sequence  # noqa: E402

from ltr.admin.command_line import CommandParser, print_entries, run_command  # noqa: E402
from pytracking import command_line  # noqa: E402

DESCRIPTION = """\
Runs the trackers of an experiment over its sequences and prints one table of them all.

An experiment is a function NAME in pytracking/experiments/MODULE.py that returns (trackers, sequences), or one that a
plugin registers. What has results already, made with the same parameters and checkpoint, is not tracked again.
"""

EXAMPLES = """\
examples:
  python pytracking/run_experiment.py --list
  python pytracking/run_experiment.py baselines synthetic
  python pytracking/run_experiment.py baselines otb --jobs 4 --per-sequence
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = command_line.parser("run_experiment.py", DESCRIPTION, EXAMPLES)
    parser.add_argument("module", nargs="?", metavar="MODULE", help="the experiment's module, such as baselines")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the experiment, such as synthetic")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not options.list and not (options.module and options.name):
        parser.error("give MODULE and NAME of an experiment (--list shows them)")
    return run_command(options, _list if options.list else _run)


def _run(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from pytracking.registry import EXPERIMENTS

    trackers, dataset = EXPERIMENTS[f"{options.module}/{options.name}"]()
    overrides = dict(options.overrides)
    trackers = [replace(tracker, overrides={**tracker.overrides, **overrides}) for tracker in trackers]
    return command_line.track_and_report(options, trackers, dataset, f"{options.module} {options.name}")


def _list(options: argparse.Namespace) -> int:
    from pytracking.registry import EXPERIMENTS

    print("experiments:")
    print_entries(EXPERIMENTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
