"""The command line: ``python -m pytracking.tracker.dimp NETWORK --out loss.png`` draws the loss that DiMP learned."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, run_command


def draw(options: argparse.Namespace) -> int:
    """Writes the picture of a network's loss."""
    from ltr.admin.checkpoint import load_network
    from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18
    from pytracking.analysis.learned_loss import plot_learned_loss

    network = load_network(options.network)
    if not isinstance(network, DiMPNet):
        raise ValueError(f"{options.network} holds a {type(network).__name__}, which learns no such loss")
    plot_learned_loss(network.classifier.filter_optimizer, options.out, dimpnet18().classifier.filter_optimizer)
    print(f"written: {options.out}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pytracking.tracker.dimp", description=__doc__)
    parser.add_argument("network", help="a DiMP checkpoint, or the recipe that made it, such as dimp/dimp18")
    parser.add_argument("--out", type=Path, required=True, help="file to write: .png, .pdf or .svg")
    add_plugin_option(parser, "networks")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return run_command(parser.parse_args(arguments), draw, "--debug", interrupted="nothing was written")


if __name__ == "__main__":
    sys.exit(main())
