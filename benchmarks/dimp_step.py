"""How fast DiMP's loss falls with each way to choose a step: ``python benchmarks/dimp_step.py --help``.

A filter begins at zero and is fitted to three frames of a video, in layer 3 of a ResNet-18, as in the network before it
has learned. Steps: the one that minimises the quadratic model (equation 5), .9 of it, where the release's learned
factor starts, twice of it, which is what the supplement prints (a gradient with the factor 2 of S3 and S5 over a
curvature without it, S6), and the best fixed one of a grid. The loss is the one that DiMP starts with, a hinge on the
background, or plain least squares, of which the printed step makes nothing at all.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from torch import nn

from ltr.admin.environment import load_environment
from ltr.data.crops import crop_square
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.named import open_dataset
from ltr.models.backbone import resnet18
from ltr.models.target_classifier import SteepestDescent
from ltr.models.target_classifier.features import classification_features
from ltr.models.target_classifier.optimizer import GradientDescent
from ltr.registry import load_plugins

SIZE, FACTOR, STRIDE, FILTER = 288, 5.0, 16, 4
DESCENTS = {"exact": 1.0, "x .9": 0.9, "as printed": 2.0}
"""Factor on the optimal step length."""
FIXED = tuple(10.0**power for power in np.arange(-5, 2.01, 0.25))
"""Step lengths to choose the best fixed one from, in hindsight."""


def problem(dataset: BaseVideoDataset, video: int, frames: int = 3) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Returns crops (I, 1, 3, S, S) of a video and boxes (I, 1, 4) in them; none: too few show the target."""
    info = dataset.get_sequence_info(video)
    usable = np.flatnonzero(np.asarray(info["visible"]) & np.asarray(info["valid"]))
    if len(usable) < frames:
        return None
    crops, boxes = [], []
    for frame in usable[np.linspace(0, len(usable) - 1, frames).astype(int)]:
        box = info["bbox"][frame].numpy().astype(float)
        center = box[:2] + box[2:] / 2
        image = dataset.get_frames(video, [int(frame)])[0][0]
        side = FACTOR * np.sqrt(box[2:].prod())
        crop, region = crop_square(image, (center[0], center[1]), side, SIZE)
        scale = SIZE / region.side
        boxes.append([(box[0] - region.left) * scale, (box[1] - region.top) * scale, *(box[2:] * scale)])
        crops.append(torch.from_numpy(crop).permute(2, 0, 1).float())
    return torch.stack(crops)[:, None], torch.tensor(boxes, dtype=torch.float32)[:, None]


def losses(descent: SteepestDescent, features: torch.Tensor, boxes: torch.Tensor, steps: int) -> np.ndarray:
    """Returns the loss before each step and after the last, over that of a filter of zeros."""
    first = features.new_zeros(1, features.shape[2], FILTER, FILTER)
    with torch.no_grad():
        found = descent(first, features, boxes, iterations=steps).losses.double().numpy()
    return np.asarray(found / found[0])


def measure(features: list[tuple[torch.Tensor, torch.Tensor]], kind: str, steps: int) -> dict[str, np.ndarray]:
    """Returns the mean over videos of :func:`losses` for each way to choose a step."""

    def arguments(factor: float) -> tuple[int, int, float, float, float, int, float, float]:
        return steps, STRIDE, factor, 0.1, 0.9, 100, 0.1, 3.0  # the recipe dimp18's

    def mean(descent: SteepestDescent) -> np.ndarray:
        if kind == "least squares":
            descent.fix_loss("l2")
        return np.mean([losses(descent, *each, steps) for each in features], axis=0)

    found = {name: mean(SteepestDescent(*arguments(factor))) for name, factor in DESCENTS.items()}
    channels = features[0][0].shape[2]
    fixed = {step: mean(GradientDescent(channels, FILTER, step, *arguments(1.0))) for step in FIXED}
    best = min(FIXED, key=lambda step: np.nan_to_num(fixed[step][-1], nan=np.inf))
    found[f"fixed, {best:.3g}"] = fixed[best]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="synthetic", help="a training data set; default: %(default)s")
    parser.add_argument("--videos", type=int, default=9, help="its first so many; default: %(default)s")
    parser.add_argument("--steps", type=int, default=10, help="of a descent; default: %(default)s")
    parser.add_argument("--pretrained", help="imagenet, or a file of weights; default: random ones")
    options = parser.parse_args(arguments)
    load_plugins()
    torch.manual_seed(0)
    network = nn.Sequential(
        resnet18("layer3", STRIDE, pretrained=options.pretrained), classification_features(256, None, 256, FILTER)
    ).eval()
    dataset = open_dataset(options.dataset, load_environment())
    features = []
    for video in range(min(options.videos, len(dataset))):
        crops = problem(dataset, video)
        if crops is not None:
            with torch.no_grad():
                features.append((network(crops[0][:, 0])[:, None], crops[1]))
    shown = sorted({1, 2, 5, options.steps} & set(range(options.steps + 1)))
    print(f"{len(features)} videos; loss over that of a filter of zeros, in the mean, after so many steps")
    for kind in ("DiMP's at the start", "least squares"):
        print(f"{kind:24}" + "".join(f"{step:>9}" for step in shown))
        for name, curve in measure(features, kind, options.steps).items():
            print(f"  {name:22}" + "".join(f"{curve[step]:9.4f}" for step in shown), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
