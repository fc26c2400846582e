"""The command line of pseudo boxes: ``python -m socl_plugins.pseudo_label build | check | show | stats``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, add_set_option, number_in, run_command, whole_number
from ltr.admin.jobs import add_jobs_options
from socl_plugins.pseudo_label import METHODS

DESCRIPTION = "Pseudo boxes: what a machine makes of a box on every so many frames and a click on the others."
EXAMPLES = """examples:
  python -m socl_plugins.pseudo_label build --dataset got10k_train            all cores; run it again to go on
  python -m socl_plugins.pseudo_label build --dataset got10k_train --method paper --set tracker=siamfc
  python -m socl_plugins.pseudo_label check                       is every stored record what was written?
  python -m socl_plugins.pseudo_label show --dataset got10k_train --out boxes.png
  python -m socl_plugins.pseudo_label stats --dataset got10k_val --plot quality.png    needs boxes on all frames

methods:
  fused          a tracker from each box to the next and back for the size; centres are the clicks (default)
  tracked        the same for the centre, too: better where clicks are more than a few pixels off
  smooth         the same with a smooth path (Kalman) through clicks and tracked centres
  paper          a tracker forwards, moved to the click where it is more than 20 px off (SoCL, section 3.3)
  interpolation  sizes between those of the boxes, centres are the clicks; no tracker
  top_map        the TOP map of each click at a threshold

exit status: 0 done, 1 an error or unreadable videos, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    raw = argparse.RawDescriptionHelpFormatter
    name = "python -m socl_plugins.pseudo_label"
    parser = argparse.ArgumentParser(name, None, DESCRIPTION, EXAMPLES, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "build": "make the boxes of every video and keep them in a store that training reads",
        "show": "draw frames with their boxes, coloured by where they come from",
        "stats": "measure stores of several periods on videos with true boxes; what is not built is built first",
    }
    for command_name, text in texts.items():
        command = commands.add_parser(command_name, help=text, description=text, formatter_class=raw)
        command.add_argument("--dataset", required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
        command.add_argument("--root", type=Path, help="its folder, if not the one that is set (ltr.admin.environment)")
        command.add_argument(
            "--noise-px", type=number_in(0, 10_000), default=0.0, help="shift of the clicks made from boxes (pixels)"
        )
        command.add_argument("--store", type=Path, help="folder of the stores (default: pseudo_boxes in the workspace)")
        add_set_option(command, "a setting of the boxes, such as tracker=siamfc or fuse.size_trust=0.5")
        add_plugin_option(command, "data sets and trackers")
        command.add_argument("--debug", action="store_true", help="show the traceback of an error")
    for command_name in ("build", "show"):
        command = commands.choices[command_name]
        command.add_argument("--method", choices=METHODS, default="fused", help="see below")
        command.add_argument("--period", type=whole_number, default=10, help="frames from one box to the next")
    text = "verify every record of stores, and say what to build again"
    check = commands.add_parser("check", help=text, description=text, formatter_class=raw)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="a store (default: all in the folder)")
    check.add_argument("--store", type=Path, help="folder of the stores (default: pseudo_boxes in the workspace)")
    check.add_argument("--debug", action="store_true", help="show the traceback of an error")
    check.set_defaults(plugin=[])
    stats = commands.choices["stats"]
    stats.add_argument("--method", choices=METHODS, nargs="+", default=["fused", "interpolation"], help="see build")
    stats.add_argument("--period", type=whole_number, nargs="+", default=[1, 5, 10, 20, 50], help="to compare")
    stats.add_argument("--plot", type=Path, help="also draw IoU against hours of annotation: .png, .pdf or .svg")
    for command_name in ("build", "stats"):
        add_jobs_options(commands.choices[command_name])
    show = commands.choices["show"]
    show.add_argument("--out", type=Path, required=True, help="file to write: .png or .jpg")
    show.add_argument("--videos", type=whole_number, default=6, help="how many, a row each")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    from socl_plugins.pseudo_label import commands

    options = build_parser().parse_args(arguments)
    kept = "the videos that are done are safe, and the same command goes on from there"
    return run_command(options, getattr(commands, options.command), "--debug", kept)


if __name__ == "__main__":
    sys.exit(main())
