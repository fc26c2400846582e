"""What each command of ``python -m socl_plugins.progressive`` does."""

from __future__ import annotations

import argparse

import numpy as np

from ltr.admin.checkpoint import load_network
from ltr.admin.environment import load_environment
from ltr.admin.settings import apply_overrides
from ltr.data.processing import CropSettings, SiamFCProcessing
from ltr.dataset.named import open_dataset
from ltr.models.tracking import SiamFCNet
from pytracking.analysis.pictures import Shown, check_pictures_path, write_pictures
from socl_plugins.progressive.patches import PatchSettings, Unlabelled, embed_patches, find_patches
from socl_plugins.progressive.sampler import AnchorSampler
from socl_plugins.progressive.show import TITLES, draw_groups


def show(options: argparse.Namespace) -> int:
    """Writes the picture, and prints how alike the patches of each kind of mini-batch are."""
    check_pictures_path(options.out)
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
        pictures.append(Shown(f"anchor {anchor + 1}", draw_groups(cut(groups[0]), cut(groups[1]))))
        alike.append([float((features[group[1:]] @ features[group[0]]).mean()) for group in groups])
    text = f"{TITLES[0].capitalize()}; {TITLES[1]}."
    write_pictures(options.out, pictures, f"Mini-batches of {options.dataset}", text)
    near, far = np.mean(alike, axis=0)
    print(f"{options.out}: {len(patches)} patches; mean similarity to the anchor {near:.3f}, at random {far:.3f}")
    return 0
