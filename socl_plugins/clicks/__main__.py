"""The command line of labels: ``python -m socl_plugins.clicks cost | plot``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    number_in,
    path,
    run_command,
    whole_number,
)

DESCRIPTION = "What labels cost, and what tracking is got for it."
EXAMPLES = """examples:
  python -m socl_plugins.clicks cost                              the paper's figures, for GOT-10k
  python -m socl_plugins.clicks cost --frames 2860 --period 5
  python -m socl_plugins.clicks cost --dataset got10k_train
  python -m socl_plugins.clicks plot workspace/checkpoints/ltr/socl/* --out cost.png

exit status: 0 done, 1 an error, 2 wrong usage
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.clicks", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    cost = commands.add_parser("cost", help="hours and dollars of clicks, boxes, and boxes on some frames only")
    what = cost.add_mutually_exclusive_group()
    what.add_argument("--frames", type=whole_number, help="frames (default: the 1,400,000 of GOT-10k)")
    add_dataset_option(what, help="count the labelled frames of a training data set, such as got10k_train")
    cost.add_argument("--root", type=path, help="folder of the data set (default: as configured)")
    cost.add_argument("--period", type=whole_number, default=10, help="frames from one sparse box to the next")
    cost.add_argument("--prices", type=path, help="a table like socl_plugins/clicks/prices.json (default: the paper's)")
    cost.add_argument(
        "--training-hours",
        type=number_in(0),
        nargs=2,
        metavar=("BOXES", "CLICKS"),
        help="GPU hours of training (default: for GOT-10k, 8 and 24, as the paper has for SiamFC and SoCL)",
    )
    plot = commands.add_parser("plot", help="draw the held-out score of runs against the hours of their labels")
    plot.add_argument("runs", type=path, nargs="+", metavar="RUN", help="folders of runs, or checkpoints")
    plot.add_argument("--out", type=path, required=True, help="a .png, .pdf or .svg file")
    for command in (cost, plot):
        add_common_options(command, "data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.clicks import commands

    return run_command(options, getattr(commands, options.command), "nothing half-written stays behind")


if __name__ == "__main__":
    sys.exit(main())
