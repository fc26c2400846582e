"""The command line of TOP maps: ``python -m socl_plugins.top_map build | check | show | stats | fit``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    add_set_option,
    number_in,
    path,
    run_command,
    whole_number,
)
from ltr.admin.jobs import add_jobs_options

DESCRIPTION = "Target objectness prior (TOP) maps: from clicks to where the target may be."
EXAMPLES = """examples:
  python -m socl_plugins.top_map build --dataset got10k_train            all cores; run it again to go on
  python -m socl_plugins.top_map check                                   is every stored record what was written?
  python -m socl_plugins.top_map show --dataset got10k_val --out top.html
  python -m socl_plugins.top_map stats --dataset got10k_train --every 100   needs boxes
  python -m socl_plugins.top_map fit --dataset got10k_val --out likelihoods.json

exit status: 0 done, 1 an error or unreadable frames, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.top_map", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "build": "compute the proposals of every frame and keep them in a store that training reads",
        "show": "write a picture (.png) or a page (.html) of frames, clicks, proposals and maps",
        "stats": "measure proposals and maps on frames with boxes",
        "fit": "fit the likelihoods of the objectness cues on frames with boxes",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        add_dataset_option(command, required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
        command.add_argument("--root", type=path, help="its folder, if not the one that is set (ltr.admin.environment)")
        add_set_option(command, "a setting of the proposals, such as keep=16")
        add_common_options(command, "data sets")
    text = "verify every record of stores, and say what to build again"
    check = commands.add_parser("check", help=text, description=text)
    check.add_argument("files", nargs="*", type=path, metavar="FILE", help="a store (default: all in the folder)")
    add_common_options(check, "nothing that is used here")
    for name in ("build", "check", "show"):
        command = commands.choices[name]
        command.add_argument("--store", type=path, help="folder of the stores (default: top_maps in the workspace)")
    shift = number_in(0, 10_000)
    for name in ("build", "show"):
        command = commands.choices[name]
        command.add_argument("--noise-px", type=shift, default=0.0, help="shift of clicks made of boxes, pixels")
    add_jobs_options(commands.choices["build"])
    show = commands.choices["show"]
    show.add_argument("--out", type=path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--frames", type=whole_number, default=12, help="how many, spread over the videos")
    stats = commands.choices["stats"]
    stats.add_argument("--noise-px", type=shift, nargs="+", default=[0.0, 20.0], help="shifts to measure with")
    stats.add_argument("--plot", type=path, help="also draw recall against kept proposals, the paper's figure 4")
    share, temperature = number_in(0, 1, above=True), number_in(0, above=True)
    stats.add_argument("--eta", type=share, default=0.1, help="top share of the score map whose mean clips it")
    stats.add_argument("--temperature", type=temperature, default=0.25, help="of the softmax over scores")
    fit = commands.choices["fit"]
    fit.add_argument("--out", type=path, required=True, help="the table to write, JSON")
    fit.add_argument("--windows", type=whole_number, default=1000, help="random windows a click")
    fit.add_argument("--bins", type=whole_number, default=24, help="bins of a cue, at least 2")
    for command in (stats, fit):
        command.add_argument("--every", type=whole_number, default=6, help="use every so many frames of a video")
        command.add_argument("--step", type=whole_number, default=1, help="use every so many videos")
        command.add_argument("--start", type=whole_number, default=0, help="number of the first video, from 0")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.top_map import commands

    kept = "what was stored is safe, and the same command goes on from there"
    return run_command(options, getattr(commands, options.command), kept)


if __name__ == "__main__":
    sys.exit(main())
