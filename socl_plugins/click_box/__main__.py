"""The command line of the learned box of a click: ``python -m socl_plugins.click_box fit | measure | track``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_set_option,
    number_in,
    path,
    run_command,
    whole_number,
)

DESCRIPTION = "The box of a click, learned from boxes: fitted once, then used wherever a click starts a tracker."
EXAMPLES = """examples:
  python -m socl_plugins.click_box fit got10k_train        where got10k_dir is set
  python -m socl_plugins.click_box fit videos/ more/       folders of videos with groundtruth.txt
  python -m socl_plugins.click_box measure otb             how near the boxes come to the true ones
  python -m socl_plugins.click_box track otb               what that is worth to a tracker

exit status: 0 done, 1 an error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.click_box", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "learn it from frames with boxes, and write it to network_dir, where it is found"
    fit = commands.add_parser("fit", help=text, description=text)
    fit.add_argument(
        "data", nargs="+", metavar="DATA", help="a training data set, such as got10k_train, or a folder of videos"
    )
    fit.add_argument("--out", type=path, metavar="FILE", help="another file, to keep beside the one in use")
    add_set_option(fit, "a setting of the fit, such as epochs=4")
    text = "compare the ways from a click to a box on the first frames of videos"
    measure = commands.add_parser("measure", help=text, description=text)
    measure.add_argument("data", nargs="+", metavar="DATA", help="a benchmark, such as otb, or a folder of videos")
    measure.add_argument("--method", action="append", metavar="NAME", help="only this one (repeat for more)")
    measure.add_argument("--shift", type=number_in(0, 10_000), default=10.0, help="of clicks beside the centre, pixels")
    text = "track from the box of each way's first click, and from the true one, and compare"
    track = commands.add_parser("track", help=text, description=text)
    track.add_argument("data", nargs="+", metavar="DATA", help="a benchmark, such as otb, or a folder of videos")
    track.add_argument("--tracker", default="siamfc/imagenet_res18", metavar="TRACKER/PARAMETERS")
    track.add_argument("--method", action="append", metavar="NAME", help="only this one (repeat for more)")
    track.add_argument("--max-frames", type=whole_number, metavar="N", help="of each video (default: all)")
    for command in (fit, measure, track):
        add_common_options(command, "data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.click_box import commands

    return run_command(options, getattr(commands, options.command), "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
