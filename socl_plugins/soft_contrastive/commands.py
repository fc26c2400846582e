"""What each command of ``python -m socl_plugins.soft_contrastive`` does."""

from __future__ import annotations

import argparse
from typing import Any, cast

from ltr.admin.checkpoint import CheckpointError, find_checkpoint, load_checkpoint, load_network
from ltr.admin.environment import load_environment
from ltr.config.overrides import apply_overrides, below
from ltr.dataset.named import open_dataset
from ltr.engine.result import History
from ltr.models.tracking import SiamFCNet
from pytracking.analysis.pictures import PAGE_ENDINGS, check_pictures_path, write_pictures
from socl_plugins.clicks import PointAnnotated
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.processing import TopMapCropSettings
from socl_plugins.soft_contrastive.show import TEXT, draw_pairs, explain
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings


def show(options: argparse.Namespace) -> int:
    """Draws frames with the maps that their soft samples come from, and in a page the curves of training."""
    check_pictures_path(options.out)
    path = find_checkpoint(options.checkpoint)
    checkpoint = load_checkpoint(path)
    config = checkpoint["settings"]["config"]
    if config.get("processing") != "soft_contrastive" or "actor.objective.tau" not in config:
        raise CheckpointError(f"{path} is not of a SoCL recipe: it does not say of what its soft samples were made")
    crop = apply_overrides(TopMapCropSettings(), below(config, "processing.crop"))
    loss = apply_overrides(SoftContrastiveSettings(), below(config, "actor.objective"))
    proposals = apply_overrides(ProposalSettings(), below(config, "data.labels.proposals"))
    net = cast(SiamFCNet, load_network(path))
    videos = open_dataset(options.dataset, load_environment(), options.root)
    clicks = PointAnnotated(videos, config["data.labels.noise_px"])
    dataset = ObjectnessAnnotated(clicks, proposals)
    grid = net.grid(crop.size)
    pairs = draw_pairs(dataset, crop, grid, max(options.pairs, 1), config["sampler.max_gap"], options.seed)
    shown = list(explain(net, pairs, grid, loss))
    title = f"Soft samples of {checkpoint['settings']['project_path']}, epoch {checkpoint['epoch']}"
    plots = training_curves(checkpoint["stats"]) if options.out.suffix.lower() in PAGE_ENDINGS else []
    write_pictures(options.out, shown, title, TEXT, plots)
    print(options.out)
    return 0


def training_curves(history: History) -> list[bytes]:
    """Returns a plot (SVG) of each kind of number that training recorded; none where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return []
    from pytracking.analysis.figures import line_plot

    kinds: dict[str, dict[str, Any]] = {}
    for loader, numbers in history.items():
        for name, values in numbers.items():
            kind, _, part = name.rpartition("/")
            if loader != "labels" and values:  # what labels cost is the same in each epoch
                kinds.setdefault(kind or name, {})[f"{loader} {part}"] = sorted(values.items())
    return [line_plot("svg", lines, "epoch", kind) for kind, lines in kinds.items()]
