"""The command line of labels: ``python -m socl_plugins.clicks cost | plot``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, run_command, whole_number

DESCRIPTION = "What labels cost, and what tracking is got for it."
EXAMPLES = """examples:
  python -m socl_plugins.clicks cost                              the paper's figures, for GOT-10k
  python -m socl_plugins.clicks cost --frames 2860 --period 5
  python -m socl_plugins.clicks cost --dataset got10k_train
  python -m socl_plugins.clicks plot workspace/checkpoints/ltr/socl/* --out cost.png

exit status: 0 done, 1 an error, 2 wrong usage
"""


def hours(text: str) -> float:
    """Returns hours that were typed; an argparse type."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of hours")
    return value


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m socl_plugins.clicks", None, DESCRIPTION, EXAMPLES, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    cost = commands.add_parser("cost", help="hours and dollars of clicks, boxes, and boxes on some frames only")
    what = cost.add_mutually_exclusive_group()
    what.add_argument("--frames", type=whole_number, help="frames (default: the 1,400,000 of GOT-10k)")
    what.add_argument("--dataset", help="count the labelled frames of a training data set, such as got10k_train")
    cost.add_argument("--root", type=Path, help="folder of the data set (default: as configured)")
    cost.add_argument("--period", type=whole_number, default=10, help="frames from one sparse box to the next")
    cost.add_argument("--prices", type=Path, help="a table like socl_plugins/clicks/prices.json (default: the paper's)")
    cost.add_argument(
        "--training-hours",
        type=hours,
        nargs=2,
        metavar=("BOXES", "CLICKS"),
        help="GPU hours of training (default: for GOT-10k, 8 and 24, as the paper has for SiamFC and SoCL)",
    )
    plot = commands.add_parser("plot", help="draw the held-out score of runs against the hours of their labels")
    plot.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of runs, or checkpoints")
    plot.add_argument("--out", type=Path, required=True, help="a .png, .pdf or .svg file")
    for command in (cost, plot):
        add_plugin_option(command, "data sets")
        command.add_argument("--debug", action="store_true", help="show the full traceback of every error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    from socl_plugins.clicks import commands

    options = build_parser().parse_args(arguments)
    kept = "nothing half-written stays behind"
    return run_command(options, getattr(commands, options.command), "--debug", kept)


if __name__ == "__main__":
    sys.exit(main())
