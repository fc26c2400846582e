"""The command line: ``python -m socl_plugins.soft_contrastive show CHECKPOINT --out page.html``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, run_command, whole_number

EXAMPLES = """\
examples:
  python -m socl_plugins.soft_contrastive show socl/socl_res18 --out samples.html
  python -m socl_plugins.soft_contrastive show SiamFCNet_best.pth.tar --dataset got10k_val --pairs 8 --out samples.png

A page holds the training curves too, where matplotlib is installed.
exit status: 0 written, 1 error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m socl_plugins.soft_contrastive", description=__doc__, epilog=EXAMPLES, formatter_class=raw
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    text = "draw, for a batch, where a trained network's soft samples come from (the paper's figure 11)"
    show = commands.add_parser("show", help=text, description=text, epilog=EXAMPLES, formatter_class=raw)
    show.add_argument("checkpoint", help="of a SoCL recipe: a file, or the recipe, such as socl/socl_res18")
    show.add_argument("--out", type=Path, required=True, help="file to write: .png, .jpg or .html")
    show.add_argument("--pairs", type=whole_number, default=6, help="pairs of frames (default: 6)")
    show.add_argument("--dataset", default="synthetic", help="got10k_train, got10k_val, synthetic (the default), ...")
    show.add_argument("--root", type=Path, help="its folder, if not the one that is set (ltr.admin.environment)")
    show.add_argument("--seed", type=whole_number, default=0, help="of the pairs that are drawn (default: 0)")
    add_plugin_option(show, "data sets and networks")
    show.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    from socl_plugins.soft_contrastive.commands import show

    return run_command(build_parser().parse_args(arguments), show, "--debug", interrupted="nothing was written")


if __name__ == "__main__":
    sys.exit(main())
