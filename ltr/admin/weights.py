"""The command line of checkpoints and weights files: ``python -m ltr.admin.weights check | export``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ltr.admin.command_line import CommandParser, add_common_options, path, run_command


def check(options: argparse.Namespace) -> int:
    """Reads each file as training and tracking would, and says what is wrong with it."""
    import torch

    from ltr.admin.checkpoint import CheckpointError, find_checkpoint, load_checkpoint, load_file
    from ltr.admin.weight_files import tensors_in

    wrong = 0
    for name in options.files:
        try:
            path = find_checkpoint(name)
            content = load_checkpoint(path) if path.is_dir() else load_file(path)
            if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors_in(content)):
                raise CheckpointError(
                    f"{path} holds numbers that are not finite: its training failed; use an earlier epoch's"
                )
            print(f"{path}: whole")
        except CheckpointError as error:
            print(error)
            wrong += 1
    return 1 if wrong else 0


def export(options: argparse.Namespace) -> int:
    """Writes a checkpoint's network as a safetensors file."""
    from ltr.admin.checkpoint import export_weights

    print(export_weights(options.checkpoint, options.out))
    return 0


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m ltr.admin.weights", description="Checkpoints and weights files.")
    commands = parser.add_subparsers(dest="command", required=True)
    text = "say of each file whether it is whole: check sums, sha256, finite numbers, and no code that would run"
    command = commands.add_parser("check", help=text, description=text)
    command.add_argument(
        "files", nargs="+", metavar="FILE_OR_RECIPE", help="a file, or a recipe such as socl/socl_res18"
    )
    text = (
        "write a network's weights, and how it is built, as a safetensors file that load_network reads, with its sha256"
    )
    command = commands.add_parser("export", help=text, description=text)
    command.add_argument("checkpoint", metavar="FILE_OR_RECIPE", help="a file, or a recipe such as socl/socl_res18")
    command.add_argument("out", type=path, help="the file to write, such as socl_res18.safetensors")
    for command in commands.choices.values():
        add_common_options(command, "networks")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    return run_command(options, {"check": check, "export": export}[options.command], "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
