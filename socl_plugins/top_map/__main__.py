"""The command line of TOP maps: ``python -m socl_plugins.top_map build | check | show | stats | fit``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, add_set_option, number_in, run_command, whole_number
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


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m socl_plugins.top_map", None, DESCRIPTION, EXAMPLES, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "build": "compute the proposals of every frame and keep them in a store that training reads",
        "show": "write a picture (.png) or a page (.html) of frames, clicks, proposals and maps",
        "stats": "measure proposals and maps on frames with boxes",
        "fit": "fit the likelihoods of the objectness cues on frames with boxes",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text, formatter_class=raw)
        command.add_argument("--dataset", required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
        command.add_argument("--root", type=Path, help="its folder, if not the one that is set (ltr.admin.environment)")
        add_set_option(command, "a setting of the proposals, such as keep=16")
        add_plugin_option(command, "data sets")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    text = "verify every record of stores, and say what to build again"
    check = commands.add_parser("check", help=text, description=text, formatter_class=raw)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a store (default: all in the folder)")
    check.add_argument("--debug", action="store_true", help="show the traceback of an error")
    check.set_defaults(plugin=[])
    for name in ("build", "check", "show"):
        command = commands.choices[name]
        command.add_argument("--store", type=Path, help="folder of the stores (default: top_maps in the workspace)")
    for name in ("build", "show"):
        command = commands.choices[name]
        command.add_argument(
            "--noise-px", type=number_in(0, 10_000), default=0.0, help="shift of the clicks made from boxes (pixels)"
        )
    add_jobs_options(commands.choices["build"])
    show = commands.choices["show"]
    show.add_argument("--out", type=Path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--frames", type=whole_number, default=12, help="how many, spread over the videos")
    stats = commands.choices["stats"]
    stats.add_argument(
        "--noise-px", type=number_in(0, 10_000), nargs="+", default=[0.0, 20.0], help="shifts to try (pixels)"
    )
    stats.add_argument("--plot", type=Path, help="also draw recall against kept proposals, the paper's figure 4")
    share, temperature = number_in(0, 1, above=True), number_in(0, above=True)
    stats.add_argument("--eta", type=share, default=0.1, help="top share of the score map whose mean clips it")
    stats.add_argument(
        "--temperature", type=temperature, default=0.25, help="of the softmax that makes a map of scores"
    )
    fit = commands.choices["fit"]
    fit.add_argument("--out", type=Path, required=True, help="the table to write, JSON")
    fit.add_argument("--windows", type=whole_number, default=1000, help="random windows a click")
    fit.add_argument("--bins", type=whole_number, default=24, help="bins of a cue, at least 2")
    for command in (stats, fit):
        command.add_argument("--every", type=whole_number, default=6, help="use every so many frames of a video")
        command.add_argument("--step", type=whole_number, default=1, help="use every so many videos")
        command.add_argument("--start", type=whole_number, default=0, help="number of the first video, from 0")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    from socl_plugins.top_map import commands

    options = build_parser().parse_args(arguments)
    kept = "what was stored is safe, and the same command goes on from there"
    return run_command(options, getattr(commands, options.command), "--debug", kept)


if __name__ == "__main__":
    sys.exit(main())
