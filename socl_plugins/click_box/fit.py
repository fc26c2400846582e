"""Fits the learned box of a click on frames with boxes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pytracking.evaluation.sequence import Sequence as BoxedVideo
from socl_plugins.click_box.estimate import FRAME_SIDE, fuse
from socl_plugins.click_box.network import SIDES, ClickBoxNet
from socl_plugins.top_map.propose import reduce_frame

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FitSettings:
    """How it is fitted.

    Attributes:
        frames: of a video that are used, evenly spread.
        near: standard deviation of half of the clicks on a frame as it is, in pixels of the reduced frame; the other
            half are exact.
        far: the clicks on the flipped frame lie anywhere up to so many pixels from the centre.
        epochs: over all clicks.
        batch: clicks in a step.
        rate: the largest learning rate.
        decay: of the weights.
        dropout: see :class:`ClickBoxNet`.
        overlap: weight of 1 - IoU of the fused box, beside the Laplace likelihood.
        balance: targets of a size are drawn the more often the fewer there are: the inverse of how many, to this power.
        seed: of clicks, weights and order.
    """

    frames: int = 10
    near: float = 3.0
    far: float = 12.0
    epochs: int = 8
    batch: int = 64
    rate: float = 1e-3
    decay: float = 1e-2
    dropout: float = 0.15
    overlap: float = 3.0
    balance: float = 0.7
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("frames", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; it lies in [0, 1)")
        for name in ("near", "far", "rate", "decay", "overlap", "balance"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be finite, and not negative")


@dataclass(frozen=True)
class ClickSamples:
    """Clicks with what is known of them: features (N, S, C), centres of the squares (N, 2), boxes (N, 4)."""

    features: torch.Tensor
    centers: torch.Tensor
    boxes: torch.Tensor


def boxed_frames(video: BoxedVideo, count: int) -> list[int]:
    """Returns the numbers of at most so many frames of a video that show a target with a box, evenly spread."""
    boxes = video.ground_truth_rect
    known = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
    if video.target_visible is not None:
        known &= video.target_visible
    frames = np.flatnonzero(known)
    if not len(frames):
        return []
    return [int(frame) for frame in np.unique(frames[np.linspace(0, len(frames) - 1, count).astype(int)])]


def gather(
    network: ClickBoxNet, videos: Sequence[BoxedVideo], settings: FitSettings, progress: Progress
) -> ClickSamples:
    """Returns the features of clicks on the videos' frames: two on each, the second on the frame's mirror image.

    They are computed once, in some 40 ms a click, and all epochs learn from them.

    Raises:
        ValueError: no frame has a box.
    """
    features, centers, boxes = [], [], []
    for number, video in enumerate(videos):
        progress("features", number, len(videos))
        for frame in boxed_frames(video, settings.frames):
            rng = np.random.default_rng((settings.seed, frame, zlib.crc32(video.name.encode())))
            image, scale = reduce_frame(video.frame(frame), FRAME_SIDE)
            box = video.ground_truth_rect[frame] * np.tile(scale, 2)
            near = settings.near * rng.standard_normal(2) * (rng.random() < 0.5)
            angle, reach = rng.uniform(0, 2 * np.pi), settings.far * np.sqrt(rng.random())
            mirrored = np.array([image.shape[1] - box[0] - box[2], *box[1:]])
            shown = (image, box, near), (image[:, ::-1], mirrored, reach * np.array([np.cos(angle), np.sin(angle)]))
            for pixels, truth, shift in shown:
                click = np.clip(truth[:2] + truth[2:] / 2 + shift, 0, [image.shape[1] - 1, image.shape[0] - 1])
                features.append(network.features(np.ascontiguousarray(pixels), (float(click[0]), float(click[1]))))
                centers.append(np.rint(click))
                boxes.append(truth)
    progress("features", len(videos), len(videos))
    if not features:
        raise ValueError("no frame of this data has a box: the box of a click is learned from boxes")
    return ClickSamples(
        torch.stack(features), torch.tensor(np.array(centers)).float(), torch.tensor(np.array(boxes)).float()
    )


def learn(network: ClickBoxNet, samples: ClickSamples, settings: FitSettings, progress: Progress) -> None:
    """Fits the network's perceptron; features are brought to mean 0 and deviation 1."""
    torch.manual_seed(settings.seed)
    for layer in network.perceptron:
        if isinstance(layer, torch.nn.Linear):
            layer.reset_parameters()  # the seed alone says where it starts
    flat = samples.features.flatten(0, 1)
    network.mean.copy_(flat.mean(dim=0))
    network.deviation.copy_(flat.std(dim=0, correction=0) + 1e-3)
    count = len(samples.features)
    batch = min(settings.batch, count)
    steps = count // batch
    optimizer = torch.optim.AdamW(network.perceptron.parameters(), lr=settings.rate, weight_decay=settings.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.rate, total_steps=settings.epochs * steps)
    side = torch.tensor(SIDES).float()
    offsets = samples.boxes[:, :2] + samples.boxes[:, 2:] / 2 - samples.centers
    sizes = samples.boxes[:, None, 2:].log() - side[:, None].log()
    targets = torch.cat([sizes, offsets[:, None] / side[:, None]], dim=-1)
    weights = size_weights(samples.boxes, settings.balance)
    network.perceptron.train()
    for epoch in range(settings.epochs):
        progress("epochs", epoch, settings.epochs)
        for chosen in torch.multinomial(weights, steps * batch, replacement=True).view(steps, batch):
            values, log_errors = network(samples.features[chosen])
            likelihood = ((values - targets[chosen]).abs() / log_errors.exp() + log_errors).mean()
            boxes = fuse(values, log_errors).boxes(samples.centers[chosen])
            loss = likelihood + settings.overlap * (1 - overlaps(boxes, samples.boxes[chosen])).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.perceptron.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    progress("epochs", settings.epochs, settings.epochs)
    network.eval()


def size_weights(boxes: torch.Tensor, power: float, bins: int = 8) -> torch.Tensor:
    """Returns how often each of N boxes (N, 4) is drawn: data sets have mostly targets of one size, users have others.

    >>> size_weights(torch.tensor([[0.0, 0, 10, 10]] * 4 + [[0.0, 0, 90, 90]]), 1.0).tolist()
    [0.25, 0.25, 0.25, 0.25, 1.0]
    """
    size = boxes[:, 2:].log().mean(dim=1)
    place = ((size - size.min()) / (size.max() - size.min()).clamp(min=1e-6) * bins).long().clamp(max=bins - 1)
    return torch.bincount(place, minlength=bins)[place].float() ** -power


def overlaps(boxes: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Returns the IoU (N,) of boxes (N, 4) x, y, w, h with others (N, 4); it has a gradient where they meet."""
    low = torch.maximum(boxes[:, :2], others[:, :2])
    high = torch.minimum(boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:])
    common = (high - low).clamp(min=0).prod(dim=1)
    return common / (boxes[:, 2:].prod(dim=1) + others[:, 2:].prod(dim=1) - common)
