"""The command line of shared networks: ``python -m ltr.sharing NETWORK --out FOLDER``, also ``socl share``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ltr.admin.command_line import CommandParser, add_common_options, path, run_command

DESCRIPTION = """\
Writes a network as a folder to give away: model.safetensors (the weights), config.json (how it is built, its settings,
the sha256 of the weights) and README.md (training data, what the labels cost, held-out scores, recipe, seed, commit,
how to use it). Nothing is sent anywhere. Wherever a network is named, such a folder can be named, too.
"""

EXAMPLES = """\
examples:
  socl share socl/socl_res18 --out my_tracker --license cc-by-4.0
  socl track clips --tracker siamfc/socl_res18 --set network=my_tracker
  socl train socl/socl_res18 --data clips --set start=my_tracker
  hf upload USER/my_tracker my_tracker     (the package huggingface_hub; others then say
                                              --set network=hf://USER/my_tracker)
"""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("socl share", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "network",
        metavar="NETWORK",
        help="a recipe that was trained, such as socl/socl_res18, a checkpoint, or a published file",
    )
    parser.add_argument("--out", type=path, required=True, metavar="FOLDER", help="the folder to write")
    parser.add_argument(
        "--license",
        metavar="NAME",
        help="of the weights, such as cc-by-4.0 (default: the card says that none is stated)",
    )
    parser.add_argument(
        "--tracker", metavar="TRACKER/PARAMETERS", help="that it is tracked with (default: that of its recipe)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a network that lies in the folder")
    add_common_options(parser, "networks or recipes")
    return parser


def share(options: argparse.Namespace) -> int:
    """Writes the folder and says what is in it."""
    from ltr.sharing.pretrained import save_pretrained

    folder = save_pretrained(options.network, options.out, options.license, options.tracker, options.overwrite)
    for file in sorted(folder.iterdir()):
        print(f"{file}  {file.stat().st_size:,} bytes")
    print("README.md says what is known of the network: read it, and complete it, before you give it away")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    return run_command(build_parser().parse_args(arguments), share, "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
