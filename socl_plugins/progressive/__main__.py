"""The command line of progressive learning: ``python -m socl_plugins.progressive show``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ltr.admin.command_line import add_plugin_option, add_set_option, print_error, whole_number
from ltr.registry import load_plugins

DESCRIPTION = "Progressive unsupervised learning (PUL): what a network chooses of videos without labels."
EXAMPLES = """examples:
  python -m socl_plugins.progressive show --dataset synthetic --network pul/alex_pul --out mini_batches.png
  python -m socl_plugins.progressive show --dataset got10k_val --network network.pth.tar --out mini_batches.jpg

exit status: 0 done, 1 an error, 2 wrong usage, 130 stopped with Ctrl-C
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    raw = argparse.RawDescriptionHelpFormatter
    name = "python -m socl_plugins.progressive"
    parser = argparse.ArgumentParser(name, None, DESCRIPTION, EXAMPLES, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "draw mini-batches: an anchor with its nearest neighbours, and with others at random"
    show = commands.add_parser("show", help=text, description=text)
    show.add_argument("--dataset", required=True, help="got10k_train, got10k_val, synthetic, or a plugin's")
    show.add_argument("--root", type=Path, help="its folder, if not the one that is set (ltr.admin.environment)")
    show.add_argument("--network", required=True, help="a recipe, such as pul/alex_pul, or a checkpoint's file")
    show.add_argument("--out", type=Path, required=True, help="picture to write: .png or .jpg")
    show.add_argument("--anchors", type=whole_number, default=3, help="how many mini-batches (default: 3)")
    show.add_argument("--size", type=whole_number, default=12, help="patches in each (default: 12)")
    show.add_argument("--seed", type=whole_number, default=0, help="of the anchors (default: 0)")
    add_set_option(show, "a setting of the patches, such as per_frame=4")
    add_plugin_option(show, "data sets")
    show.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        load_plugins(options.plugin)
        show(options)
        return 0
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except Exception as error:  # every error ends here, with an honest status
        print_error(error, options.debug, "--debug")
        return 1


def show(options: argparse.Namespace) -> None:
    """Writes the picture, and prints how alike the patches of each kind of mini-batch are."""
    import cv2
    import numpy as np

    from ltr.admin.checkpoint import load_network
    from ltr.admin.environment import load_environment
    from ltr.admin.files import check_writable, write_bytes_atomically
    from ltr.admin.settings import apply_overrides
    from ltr.data.processing import CropSettings, SiamFCProcessing
    from ltr.dataset.named import open_dataset
    from ltr.models.tracking import SiamFCNet
    from socl_plugins.progressive.patches import PatchSettings, Unlabelled, embed_patches, find_patches
    from socl_plugins.progressive.sampler import AnchorSampler
    from socl_plugins.progressive.show import draw_groups

    if options.out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ValueError(f"{options.out}: a picture ends with .png or .jpg")
    check_writable(options.out.parent)
    net = load_network(options.network)
    if not isinstance(net, SiamFCNet):
        raise ValueError(f"{options.network} is a {type(net).__name__}; features of patches are those of a SiamFCNet")
    dataset = Unlabelled(open_dataset(options.dataset, load_environment(), options.root))
    patches = find_patches(dataset, apply_overrides(PatchSettings(), dict(options.overrides)))
    processing = SiamFCProcessing(CropSettings(size=255, search_factor=4.0))
    features = embed_patches(net, dataset, patches, processing)
    samples = options.anchors * options.size
    hard, random = (AnchorSampler(dataset, patches, options.size, samples, seed=options.seed) for _ in range(2))
    hard.refresh(features, 0, 1)

    def cut(group: np.ndarray) -> list[np.ndarray]:
        images = [dataset.load_frame(int(patches.video[number]), int(patches.frame[number])) for number in group]
        return [processing.template(image, patches.box[number])[0] for image, number in zip(images, group)]

    pictures, alike = [], []
    for anchor in range(options.anchors):
        groups = [sampler.group(0, anchor) for sampler in (hard, random)]
        pictures.append(draw_groups(cut(groups[0]), cut(groups[1])))
        alike.append([float((features[group[1:]] @ features[group[0]]).mean()) for group in groups])
    done, content = cv2.imencode(options.out.suffix.lower(), np.vstack(pictures)[..., ::-1])
    if not done:
        raise ValueError(f"{options.out}: a picture of {options.anchors} mini-batches is too large: fewer anchors")
    write_bytes_atomically(options.out, content.tobytes())
    near, far = np.mean(alike, axis=0)
    print(f"{options.out}: {len(patches)} patches; mean similarity to the anchor {near:.3f}, at random {far:.3f}")


if __name__ == "__main__":
    sys.exit(main())
