"""The command line of ONNX files: ``python -m pytracking.onnx``, or ``socl export NAME --format onnx``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ltr.admin.command_line import CommandParser, add_common_options, add_set_option, path, run_command

DESCRIPTION = """\
Writes the network of a tracker as one ONNX file, with batch norms folded and any number of images at once, and compares
what it gives with what torch gives.

NAME is a parameter set such as siamfc/socl_res18, a recipe, or a checkpoint or published file of weights.
SiamFC and TransT are tracked with from the file: parameter sets siamfc/onnx and transt/onnx with --set network=FILE.
Of DiMP, the features of backbone, classifier and box branch are written, and --set features=FILE lets ONNX Runtime
compute those of backbone and classifier; what is learned online, and the boxes, stay in torch.
"""
EXAMPLES = """\
examples:
  socl export siamfc/socl_res18 --format onnx
  python pytracking/run_tracker.py siamfc --network siamfc_socl_res18.onnx --dataset otb
"""


def build_parser(prog: str = "python -m pytracking.onnx") -> CommandParser:
    """Returns the command line's parser."""
    parser = CommandParser(prog, DESCRIPTION, EXAMPLES)
    parser.add_argument("name", metavar="NAME", help="TRACKER/PARAMETERS, a recipe, or a file of weights")
    parser.add_argument(
        "--out", type=path, metavar="FILE", help="the file to write (default: NAME.onnx in network_dir)"
    )
    add_common_options(parser, "trackers, parameter sets or networks")
    add_set_option(parser, "a parameter of the tracker, such as search_size=303")
    return parser


def main(arguments: Sequence[str] | None = None, prog: str = "python -m pytracking.onnx") -> int:
    """Runs the command line and returns the exit status."""
    return run_command(build_parser(prog).parse_args(arguments), _export, "nothing was written")


def _export(options: argparse.Namespace) -> int:
    from ltr.admin.environment import load_environment
    from ltr.admin.files import check_file_writable
    from pytracking.onnx.about import SUFFIX, OnnxError, needed
    from pytracking.onnx.export import export_onnx
    from pytracking.onnx.named import default_path, named_network

    needed("onnx"), needed("onnxruntime")
    named = named_network(options.name, dict(options.overrides))
    out = options.out or default_path(named.about, load_environment().network_dir)
    if out.suffix != SUFFIX:
        raise OnnxError(f"{out}: let the name of an ONNX file end in {SUFFIX}")
    check_file_writable(out)
    made = export_onnx(named.network, named.about, out)
    print(f"{made.path}: {made.size / 1e6:.1f} MB; largest difference from torch {made.difference:.1e}")
    if named.about.kind == "dimp":
        own = "" if options.name == named.about.parameters else f"--set network={options.name} and "
        print(f"track with it: {named.about.parameters}, with {own}--set features={made.path}")
    else:
        print(f"track with it: {named.about.kind}/onnx, with --set network={made.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
