"""What anchor-based hard negative mining costs, and what it gives: ``python benchmarks/anchor_mining.py --help``.

Samples a second of the loader with mini-batches of nearest neighbours, the refresh of all features included, against
random ones; how alike the patches of either are; and the search for neighbours by torch and, if it is installed, faiss.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from ltr.admin.checkpoint import load_network
from ltr.admin.files import write_bytes_atomically
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropSettings
from ltr.dataset.named import embedded_videos
from ltr.models.tracking import siamfc_alexnet
from ltr.registry import load_plugins
from socl_plugins.progressive.neighbours import nearest_by_faiss, nearest_by_torch
from socl_plugins.progressive.patches import PatchSettings, Unlabelled, embed_patches, find_patches
from socl_plugins.progressive.processing import ProgressiveProcessing
from socl_plugins.progressive.sampler import AnchorSampler

CHANNELS, NEIGHBOURS = 256, 384  # AlexNet's; four times a mini-batch of 96, since patches of one video drop out


def seconds(function: Callable[[], object]) -> float:
    """Returns how long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def time_search(sizes: list[int], anchors: int, repeats: int) -> list[dict[str, float]]:
    """Returns the median time of each way of searching, in seconds, for sets of random unit vectors."""
    ways = {"torch": nearest_by_torch}
    if importlib.util.find_spec("faiss") is not None:
        ways["faiss"] = nearest_by_faiss
    rows = []
    for size in sizes:
        features = F.normalize(torch.randn(size, CHANNELS, generator=torch.Generator().manual_seed(0)), dim=1)
        numbers = np.random.default_rng(0).integers(size, size=anchors)
        count = min(NEIGHBOURS, size)
        row: dict[str, float] = {"patches": size, "anchors": anchors}
        for name, way in ways.items():
            way(features, numbers[:2], count)  # the first call sets up threads
            row[name] = float(np.median([seconds(lambda: way(features, numbers, count)) for _ in range(repeats)]))  # noqa: B023
        rows.append(row)
        print(", ".join(f"{key} {value:.3f} s" if key in ways else f"{value} {key}" for key, value in row.items()))
    return rows


def time_loader(network: str | None, videos: int, batch_size: int, samples: int, repeats: int) -> dict[str, float]:
    """Returns samples a second of one epoch of each kind, and the mean similarity of patches to their anchor."""
    torch.manual_seed(0)
    net = (load_network(network) if network else siamfc_alexnet(normalise=True)).eval()
    dataset = Unlabelled(embedded_videos(videos))
    patches = find_patches(dataset, PatchSettings())
    processing = ProgressiveProcessing(CropSettings(255, 4.0))
    features = embed_patches(net, dataset, patches, processing)  # type: ignore[arg-type]
    result: dict[str, float] = {"videos": videos, "patches": len(patches), "batch_size": batch_size, "samples": samples}
    rates: dict[str, list[float]] = {"neighbours": [], "random": []}
    for epoch in range(repeats):
        for kind, found in rates.items():  # interleaved, so that a busy machine is busy for both
            sampler = AnchorSampler(dataset, patches, batch_size, samples, processing)
            loader = LTRLoader("train", sampler, batch_size=batch_size)
            loader.set_epoch(epoch)
            start = time.perf_counter()
            if kind == "neighbours":
                sampler.refresh(embed_patches(net, dataset, patches, processing), epoch, 1)  # type: ignore[arg-type]
                result["refresh_seconds"] = time.perf_counter() - start
            count = sum(len(batch["seq_id"]) for batch in loader)
            found.append(count / (time.perf_counter() - start))
            groups = [sampler.group(epoch, number) for number in range(sampler.groups_per_epoch)]
            alike = [float((features[group[1:]] @ features[group[0]]).mean()) for group in groups]
            result[f"{kind}_similarity"] = float(np.mean(alike))
    result |= {f"{kind}_samples_per_second": float(np.median(found)) for kind, found in rates.items()}
    print(", ".join(f"{key} {value:.3g}" for key, value in result.items()))
    return result


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="sets to search in")
    parser.add_argument("--anchors", type=int, default=1000, help="searched for at once: of ten epochs, say")
    parser.add_argument("--network", help="a recipe or checkpoint (default: an AlexNet that has learned nothing)")
    parser.add_argument("--videos", type=int, default=24, help="embedded videos")
    parser.add_argument("--batch-size", type=int, default=12)
    parser.add_argument("--samples", type=int, default=240, help="of an epoch")
    parser.add_argument("--repeats", type=int, default=3, help="the median counts")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    load_plugins()
    content = {
        "search": time_search(options.sizes, options.anchors, options.repeats),
        "loader": time_loader(options.network, options.videos, options.batch_size, options.samples, options.repeats),
        "threads": torch.get_num_threads(),
    }
    if options.out:
        write_bytes_atomically(options.out, json.dumps(content, indent=1).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
