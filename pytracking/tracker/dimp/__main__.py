"""The command line: ``python -m pytracking.tracker.dimp NETWORK --out loss.png`` draws the loss that DiMP learned."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ltr.admin.command_line import CommandParser, add_common_options, path, run_command


def draw(options: argparse.Namespace) -> int:
    """Writes the picture of a network's loss."""
    from ltr.admin.checkpoint import find_checkpoint, load_checkpoint, load_network
    from ltr.models.builder import build_network
    from ltr.models.tracking import DiMPNet
    from pytracking.analysis.learned_loss import plot_learned_loss

    file = find_checkpoint(options.network)
    network = load_network(file)
    if not isinstance(network, DiMPNet):
        raise ValueError(f"{options.network} holds a {type(network).__name__}, which learns no such loss")
    # Where it started depends on its settings, such as the width of the first label.
    constructor: Any = network.constructor
    start: Any = build_network(constructor["network"], **constructor["kwargs"])
    target = target_cells(load_checkpoint(file), network.stride)
    plot_learned_loss(network.classifier.filter_optimizer, options.out, start.classifier.filter_optimizer, target)
    print(f"written: {options.out}")
    return 0


def target_cells(checkpoint: Mapping[str, Any], stride: int) -> float:
    """Returns the mean side in cells of a target that a network learned from; DiMP's, if its checkpoint does not say.

    Args:
        checkpoint: its content.
        stride: image pixels for one cell.
    """
    from pytracking.analysis.learned_loss import TARGET_CELLS

    settings = checkpoint.get("settings")
    config = settings.get("config", {}) if isinstance(settings, dict) else {}  # a published one has a stand-in
    size, factor = config.get("processing.test.size"), config.get("processing.test.factor")
    return TARGET_CELLS if size is None or factor is None else size / stride / factor


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser("python -m pytracking.tracker.dimp", __doc__)
    parser.add_argument("network", help="a DiMP checkpoint, or the recipe that made it, such as dimp/dimp18")
    parser.add_argument("--out", type=path, required=True, help="file to write: .png, .pdf or .svg")
    add_common_options(parser, "networks")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    return run_command(build_parser().parse_args(arguments), draw, interrupted="nothing was written")


if __name__ == "__main__":
    sys.exit(main())
