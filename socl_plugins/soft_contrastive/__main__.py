"""The command line: ``python -m socl_plugins.soft_contrastive show CHECKPOINT --out page.html``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    path,
    run_command,
    whole_number,
)

EXAMPLES = """\
examples:
  python -m socl_plugins.soft_contrastive show socl/socl_res18 --out samples.html
  python -m socl_plugins.soft_contrastive show SiamFCNet_best.pth.tar --dataset got10k_val --pairs 8 --out samples.png

A page holds the training curves too, where matplotlib is installed.
exit status: 0 written, 1 error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m socl_plugins.soft_contrastive", __doc__, EXAMPLES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "draw, for a batch, where a trained network's soft samples come from (the paper's figure 11)"
    show = commands.add_parser("show", help=text, description=text, epilog=EXAMPLES)
    show.add_argument("checkpoint", help="of a SoCL recipe: a file, or the recipe, such as socl/socl_res18")
    show.add_argument("--out", type=path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--pairs", type=whole_number, default=6, help="pairs of frames (default: 6)")
    add_dataset_option(show, default="synthetic", help="got10k_train, got10k_val, synthetic (the default), ...")
    show.add_argument("--root", type=path, help="its folder, if not the one that is set (ltr.admin.environment)")
    show.add_argument("--seed", type=whole_number, default=0, help="of the pairs that are drawn (default: 0)")
    add_common_options(show, "data sets and networks")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    from socl_plugins.soft_contrastive.commands import show

    return run_command(options, show, interrupted="nothing was written")


if __name__ == "__main__":
    sys.exit(main())
