"""The command line of pseudo boxes: ``python -m socl_plugins.pseudo_label build | check | show | stats``."""

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

DESCRIPTION = "Pseudo boxes: what a machine makes of a box on every so many frames and a click on the others."
EXAMPLES = """examples:
  python -m socl_plugins.pseudo_label build --dataset got10k_train            all cores; run it again to go on
  python -m socl_plugins.pseudo_label build --dataset got10k_train --method paper --set parameters=res18_cf
  python -m socl_plugins.pseudo_label check                       is every stored record what was written?
  python -m socl_plugins.pseudo_label show --dataset got10k_train --out boxes.png
  python -m socl_plugins.pseudo_label stats --dataset got10k_val --plot quality.png    needs boxes on all frames

methods:
  fused          a tracker from each box to the next and back for the size; centres are the clicks (default)
  tracked        the same for the centre, too: better where clicks are more than a few pixels off
  smooth         the same with a smooth path (Kalman) through clicks and tracked centres
  paper          SoCL-CF forwards, moved to the click where it is more than 20 px off (SoCL, section 3.3); without a
                 trained network, --set parameters=res18_cf
  forwards       the same by SiamFC on ImageNet's features
  interpolation  sizes between those of the boxes, centres are the clicks; no tracker
  top_map        the TOP map of each click at a threshold

exit status: 0 done, 1 an error or unreadable videos, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.pseudo_label", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "build": "make the boxes of every video and keep them in a store that training reads",
        "show": "draw frames with their boxes, coloured by where they come from",
        "stats": "measure stores of several periods on videos with true boxes; what is not built is built first",
    }
    for command_name, text in texts.items():
        command = commands.add_parser(command_name, help=text, description=text)
        add_dataset_option(command, required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
        command.add_argument("--root", type=path, help="its folder, if not the one that is set (ltr.admin.environment)")
        shift = number_in(0, 10_000)
        command.add_argument("--noise-px", type=shift, default=0.0, help="shift of clicks made of boxes, pixels")
        command.add_argument("--store", type=path, help="folder of the stores (default: pseudo_boxes in the workspace)")
        add_set_option(command, "a setting of the boxes, such as tracker=siamfc or fuse.size_trust=0.5")
        add_common_options(command, "data sets and trackers")
    for command_name in ("build", "show"):
        command = commands.choices[command_name]
        command.add_argument("--method", default="fused", metavar="NAME", help="see --help of the program")
        command.add_argument("--period", type=whole_number, default=10, help="frames from one box to the next")
    text = "verify every record of stores, and say what to build again"
    check = commands.add_parser("check", help=text, description=text)
    check.add_argument("files", nargs="*", type=path, metavar="FILE", help="a store (default: all in the folder)")
    check.add_argument("--store", type=path, help="folder of the stores (default: pseudo_boxes in the workspace)")
    add_common_options(check, "nothing that is used here")
    stats = commands.choices["stats"]
    stats.add_argument("--method", nargs="+", default=["fused", "interpolation"], metavar="NAME", help="as in build")
    stats.add_argument("--period", type=whole_number, nargs="+", default=[1, 5, 10, 20, 50], help="to compare")
    stats.add_argument("--plot", type=path, help="also draw IoU against hours of annotation: .png, .pdf or .svg")
    for command_name in ("build", "stats"):
        add_jobs_options(commands.choices[command_name])
    show = commands.choices["show"]
    show.add_argument("--out", type=path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--videos", type=whole_number, default=6, help="how many, a row each")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.pseudo_label import commands

    kept = "the videos that are done are safe, and the same command goes on from there"
    return run_command(options, getattr(commands, options.command), kept)


if __name__ == "__main__":
    sys.exit(main())
