"""How fast training data comes from JPEG files, on one core, in one run: ``python benchmarks/loading.py --help``.

The loader of SoCL (pairs, with proposals at hand), that of Box-Siam (pairs), and six-frame samples with crops of 288
pixels, as DiMP takes them, each stand against decoding just the frames that they read, and doing nothing with them.
Processor time is measured, so that other programs on the machine do not count.

``--reduced`` tells what could be gained where a crop shows so much of a frame that it needs half of the frame's
resolution, or less: how much faster the same files are decoded at a half, a quarter and an eighth of their size.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

import ltr
from ltr.data.image_loader import jpeg4py_decoder, load_image
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropSettings, PairAugmentation, as_tensor, jittered_crop
from ltr.data.sampler import Processing, TrackingSampler
from ltr.data.tensordict import TensorDict
from ltr.dataset import BaseVideoDataset, Got10k, SyntheticVideo
from ltr.dataset.export import export_got10k
from ltr.models.tracking import FeatureGrid
from ltr.registry import load_plugins
from socl_plugins.clicks import PointAnnotated
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings

GRID = FeatureGrid(18, 8, 20.5)  # of a ResNet-18 without its three border cells
SIX = CropSettings(size=288, search_factor=5.0)


class Recorder:
    """An image loader that remembers what it read."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def __call__(self, path: Path) -> np.ndarray:
        self.paths.append(path)
        return load_image(path)


class SixCrops:
    """Makes of six frames with boxes six augmented crops and the boxes in them."""

    def __init__(self, changes: PairAugmentation) -> None:
        self.changes = changes

    def __call__(self, data: TensorDict, rng: np.random.Generator) -> TensorDict:
        result = TensorDict()
        for part, drawn in zip(("train", "test"), self.changes.draw(rng)):
            crops, boxes = [], []
            for image, anno in zip(data[f"{part}_images"], data[f"{part}_anno"]):
                box = anno.double().numpy()
                crop, region = jittered_crop(image, box[:2] + box[2:] / 2, float(np.sqrt(box[2:].prod())), SIX, rng)
                boxes.append(torch.from_numpy(drawn.boxes(region.boxes_to_crop(box), crop.shape)).float())
                crops.append(as_tensor(drawn.image(crop)))
            result[f"{part}_images"], result[f"{part}_anno"] = torch.stack(crops), torch.stack(boxes)
        return result


def compare(name: str, make: Callable[[], LTRLoader], recorder: Recorder, rounds: int) -> None:
    """Prints samples a second of a loader, and of decoding the same frames; medians of rounds that take turns."""
    loads, decodes, samples = [], [], 0
    for _ in range(rounds):
        recorder.paths.clear()
        loader = make()
        start = time.process_time()
        samples = sum(loader.batch_size or 1 for _ in loader)
        loads.append(time.process_time() - start)
        start = time.process_time()
        for path in recorder.paths:
            load_image(path)
        decodes.append(time.process_time() - start)
    loading, decoding = float(np.median(loads)), float(np.median(decodes))
    print(
        f"{name}: {samples / loading:.1f} samples/s a core, {samples / decoding:.1f} decoded only: "
        f"{decoding / loading:.2f} times"
    )


def compare_scales(paths: list[Path], rounds: int) -> None:
    """Prints the rates of decoding JPEG files at reduced size by those of whole ones; medians of files in turns."""
    flags = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }
    files = [np.frombuffer(path.read_bytes(), np.uint8) for path in paths]
    times = np.zeros((rounds, len(files), len(flags)))
    for turn, number in np.ndindex(times.shape[:2]):
        for place, flag in enumerate(flags.values()):
            start = time.process_time()
            cv2.imdecode(files[number], flag)
            times[turn, number, place] = time.process_time() - start
    whole, *reduced = np.median(times, axis=(0, 1))
    rates = ", ".join(f"at 1/{scale} {whole / part:.2f}" for scale, part in zip(list(flags)[1:], reduced))
    size = np.mean([len(file) for file in files]) / 1000
    print(f"OpenCV, files of {size:.0f} kB, times the rate of whole frames: {rates}")


def main() -> int:
    """Runs the command line and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="a folder in GOT-10k's layout (default: made of synthetic videos)")
    parser.add_argument("--height", type=int, default=720, help="of synthetic frames, at 16:9 (default: 720)")
    parser.add_argument("--samples", type=int, default=48, help="samples of each round (default: 48)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median is taken (default: 3)")
    parser.add_argument("--reduced", action="store_true", help="only compare decoding at reduced size")
    parser.add_argument("--quality", type=int, default=95, help="of the JPEG files of synthetic frames (default: 95)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    load_plugins()
    with tempfile.TemporaryDirectory() as folder:
        root = options.root
        if root is None:
            size = (options.height, options.height * 16 // 9)
            root = export_got10k(SyntheticVideo(4, num_frames=12, size=size, seed=7), folder, quality=options.quality)
        recorder = Recorder()
        boxes = Got10k(root, image_loader=recorder)
        height, width = boxes.load_frame(0, 0).shape[:2]
        decoder = "OpenCV" if jpeg4py_decoder() is None else "jpeg4py"
        print(f"{len(boxes)} videos, the first of {width} x {height} pixels, decoded by {decoder}, one thread")
        if options.reduced:
            some = [(video, 0) for video in range(min(len(boxes), 24))]
            compare_scales([boxes.frame_path(video, frame) for video, frame in some], 3 * options.rounds)
            return 0

        socl, box = (ltr.recipe(name).scheduled("short") for name in ("socl/socl_res18", "siamfc/box_siam_res18"))
        clicks = ObjectnessAnnotated(PointAnnotated(boxes), ProposalSettings())
        clicks.prepare(jobs=1)
        seen = socl.processing.options

        def pairs(dataset: BaseVideoDataset, processing: Processing) -> LTRLoader:
            options_of_pairs = socl.sampler.options
            sampler = TrackingSampler([dataset], None, options.samples, processing=processing, **options_of_pairs)
            return LTRLoader("train", sampler, batch_size=6)

        soft = SoftContrastiveProcessing(seen["crop"], GRID, seen["augmentation"])
        compare("SoCL, pairs", lambda: pairs(clicks, soft), recorder, options.rounds)
        siamfc = box.processing.build()
        compare("Box-Siam, pairs", lambda: pairs(boxes, siamfc), recorder, options.rounds)
        sampler = TrackingSampler(
            [boxes],
            samples_per_epoch=options.samples,
            max_gap=10,
            num_test_frames=3,
            num_train_frames=3,
            processing=SixCrops(box.processing.options["augmentation"]),
            frame_sample_mode="interval",
        )
        compare("six frames, crops of 288", lambda: LTRLoader("train", sampler, batch_size=6), recorder, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
