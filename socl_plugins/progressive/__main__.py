"""The command line of progressive learning: ``python -m socl_plugins.progressive show``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    add_set_option,
    path,
    run_command,
    whole_number,
)

DESCRIPTION = "Progressive unsupervised learning (PUL): what a network chooses of videos without labels."
EXAMPLES = """examples:
  python -m socl_plugins.progressive show --dataset synthetic --network pul/alex_pul --out mini_batches.png
  python -m socl_plugins.progressive show --dataset got10k_val --network network.pth.tar --out mini_batches.jpg

exit status: 0 done, 1 an error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.progressive", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "draw mini-batches: an anchor with its nearest neighbours, and with others at random"
    show = commands.add_parser("show", help=text, description=text)
    add_dataset_option(show, required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
    show.add_argument("--root", type=path, help="its folder, if not the one that is set (ltr.admin.environment)")
    show.add_argument("--network", required=True, help="a recipe, such as pul/alex_pul, or a checkpoint's file")
    show.add_argument("--out", type=path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--anchors", type=whole_number, default=3, help="how many mini-batches (default: 3)")
    show.add_argument("--size", type=whole_number, default=12, help="patches in each (default: 12)")
    show.add_argument("--seed", type=whole_number, default=0, help="of the anchors (default: 0)")
    add_set_option(show, "a setting of the patches, such as per_frame=4")
    add_common_options(show, "data sets")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.progressive import commands

    return run_command(options, getattr(commands, options.command), "nothing half-written stays behind")


if __name__ == "__main__":
    sys.exit(main())
