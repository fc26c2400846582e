"""The command line of confidences: ``python -m pytracking.confidence fit | measure | search``."""

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

DESCRIPTION = """\
Confidences that keep their word: how likely a tracker's box is right, fitted once for a tracker on videos with boxes.

From then on everything that tracks with these parameters and weights tells a confidence, 0 to 1, for each frame, and
where the target is lost. Measure it on other videos than it was fitted on.
"""
EXAMPLES = """examples:
  python -m pytracking.confidence fit siamfc/imagenet_res18 got10k_train     where got10k_dir is set
  python -m pytracking.confidence fit eco/hog videos/ more/                  folders of videos with groundtruth.txt
  python -m pytracking.confidence measure eco/hog otb --plot reliability.png --curve
  python -m pytracking.confidence search eco/hog otb                         what searching wider when lost is worth

exit status: 0 done, 1 an error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m pytracking.confidence", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "fit a tracker's confidence on videos with boxes, as they are and with the target covered for a while"
    fit = commands.add_parser("fit", help=text, description=text)
    _add_data(fit, "a training data set, such as got10k_train, a benchmark, or a folder of videos", videos=200)
    fit.add_argument("--out", type=path, metavar="FILE", help="another file, to keep beside the one in use")
    share = "weight of the videos as they are, beside those with covered targets (default: 0.5)"
    fit.add_argument("--natural", type=number_in(0, 1, above=True), default=0.5, metavar="SHARE", help=share)
    text = (
        "say how well a fitted confidence keeps its word, and finds lost targets, on videos that it was not fitted on"
    )
    measure = commands.add_parser("measure", help=text, description=text)
    _add_data(measure, "a benchmark, such as otb, or a folder of videos", videos=None)
    measure.add_argument("--calibration", type=path, metavar="FILE", help="another one than that in use")
    measure.add_argument("--covered", action="store_true", help="with the targets covered for a while, too")
    measure.add_argument("--curve", action="store_true", help="print precision and recall of `lost` by threshold")
    measure.add_argument("--plot", type=path, metavar="FILE", help="write the reliability plot (needs matplotlib)")
    text = "track videos with covered targets, and with a cut in the middle, with and without searching wider when lost"
    search = commands.add_parser("search", help=text, description=text)
    _add_data(search, "a benchmark, such as otb, or a folder of videos", videos=None)
    for command in (fit, measure, search):
        add_set_option(command, "a parameter of the tracker, such as device=cpu")
        add_common_options(command, "trackers, parameter sets or data sets")
    return parser


def _add_data(command: CommandParser, what: str, videos: int | None) -> None:
    command.add_argument("tracker", metavar="TRACKER/PARAMETERS", help="the tracker, such as siamfc/imagenet_res18")
    command.add_argument("data", nargs="+", metavar="DATA", help=what)
    text = f"of each DATA, evenly drawn (default: {'all' if videos is None else videos})"
    command.add_argument("--max-videos", type=whole_number, default=videos, metavar="N", help=text)
    text = "of each video (default: 100)"
    command.add_argument("--max-frames", type=whole_number, default=100, metavar="N", help=text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    if "/" not in options.tracker:
        build_parser().error(f"name a tracker as TRACKER/PARAMETERS, such as eco/hog, not {options.tracker!r}")

    def command(options: object) -> int:
        from pytracking.confidence import commands

        status: int = getattr(commands, options.command)(options)  # type: ignore[attr-defined]
        return status

    return run_command(options, command, "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
