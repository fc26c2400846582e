"""Patches of unlabelled video: proposals that need no click, and what a network makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

from ltr.admin.jobs import local_cores
from ltr.data.processing import SiamFCProcessing, as_tensor
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.engine import distributed
from ltr.models.mode import evaluating
from ltr.models.tracking import SiamFCNet
from ltr.registry import LABELS
from socl_plugins.clicks.costs import LabelCounts
from socl_plugins.top_map.cues import window_cues
from socl_plugins.top_map.edges import find_edges
from socl_plugins.top_map.objectness import DEFAULT_TABLE, load_likelihoods
from socl_plugins.top_map.proposals import non_maximum_suppression
from socl_plugins.top_map.propose import reduce_frame

FRAMES_PER_TASK = 48  # sent to a worker process at once; fewer are not worth starting one for


@LABELS.register("none")
class Unlabelled(AnnotationWrapper):
    """The frames of a data set without anything that is known of them: every frame is as good as any other.

    Args:
        dataset: the videos.
    """

    labels_given = LabelCounts()

    def __init__(self, dataset: BaseVideoDataset) -> None:
        super().__init__(dataset)

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns ``valid`` and ``visible`` (T,) of a video, all true: its number of frames is all that passes."""
        frames = len(self.dataset.get_sequence_info(seq_id)["visible"])
        return {name: torch.ones(frames, dtype=torch.bool) for name in ("valid", "visible")}


@dataclass(frozen=True)
class PatchSettings:
    """Which patches of a video are learned from.

    Attributes:
        frames: of each video, spread over its length.
        per_frame: patches of each, at the most.
        side_range: the root of a patch's area, over that of its frame's.
        overlap: above which the less object-like of two is dropped.
        candidates: EdgeBoxes that objectness chooses from.
        frame_side: a frame of more than so many pixels squared is reduced to that before.
    """

    frames: int = 1
    per_frame: int = 2
    side_range: tuple[float, float] = (0.1, 0.35)
    overlap: float = 0.3
    candidates: int = 100
    frame_side: int = 160

    def __post_init__(self) -> None:
        for name in ("frames", "per_frame", "candidates"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} of the patches is {getattr(self, name)}; it must be at least 1")
        if not 0 < self.side_range[0] < self.side_range[1] <= 1:
            raise ValueError(f"side_range of the patches is {self.side_range}; it must rise, within 0 and 1")
        if not 0 <= self.overlap <= 1:
            raise ValueError(f"overlap of the patches is {self.overlap}; it must be between 0 and 1")
        if self.frame_side < 32:
            raise ValueError(f"frame_side of the patches is {self.frame_side}; it must be at least 32")


@dataclass(frozen=True)
class Patches:
    """Boxes in the frames of a data set, in the order of its videos.

    Attributes:
        video: (P,) int, number of the video.
        frame: (P,) int, number of the frame.
        box: (P, 4) float64, x, y, w, h in pixels of the frame.
    """

    video: np.ndarray
    frame: np.ndarray
    box: np.ndarray

    def __len__(self) -> int:
        return len(self.video)


def propose_patches(image: np.ndarray, settings: PatchSettings = PatchSettings()) -> np.ndarray:
    """Returns boxes (K, 4) x, y, w, h that may hold any object, the most object-like first; none in an even image.

    EdgeBoxes gives candidates all over the frame; the objectness of TOP maps, which needs no click, puts them in order.

    Args:
        image: (H, W, 3) uint8, RGB.
        settings: see :class:`PatchSettings`.
    """
    image, scale = reduce_frame(image, settings.frame_side)
    smallest, largest = (part * float(np.sqrt(image.shape[0] * image.shape[1])) for part in settings.side_range)
    edges = find_edges(image)
    search = cv2.ximgproc.createEdgeBoxes(maxBoxes=settings.candidates, minBoxArea=smallest**2)
    boxes = np.asarray(search.getBoundingBoxes(*edges.dense())[0], np.float64).reshape(-1, 4)
    side = np.sqrt(boxes[:, 2] * boxes[:, 3])
    boxes = boxes[(side >= smallest) & (side <= largest)]
    if len(boxes) == 0:
        return boxes
    scores = load_likelihoods(DEFAULT_TABLE).objectness(window_cues(image, edges, boxes))
    return boxes[non_maximum_suppression(boxes, scores, settings.overlap, settings.per_frame)] / np.tile(scale, 2)


def find_patches(dataset: BaseVideoDataset, settings: PatchSettings = PatchSettings()) -> Patches:
    """Returns the patches of all videos. In a distributed run each process finds its share, and all get all.

    Raises:
        ValueError: there is none.
    """
    from joblib import Parallel, delayed

    frames = [(video, frame) for video in range(len(dataset)) for frame in _spread_frames(dataset, video, settings)]
    share = frames[distributed.rank() :: distributed.world_size()]
    tasks = [share[first : first + FRAMES_PER_TASK] for first in range(0, len(share), FRAMES_PER_TASK)]
    jobs = max(min(local_cores(), len(tasks)), 1)
    own = Parallel(n_jobs=jobs)(delayed(_propose_in_frames)(dataset, task, settings) for task in tasks)
    found = {place: boxes for part in distributed.gather(own) for task in part for place, boxes in task.items()}
    places = np.array([place for place in frames for _ in found[place]], np.int64).reshape(-1, 2)
    if len(places) == 0:
        raise ValueError(f"no patch was found in the {len(frames)} frames looked at of {dataset.name}: look at more")
    return Patches(places[:, 0], places[:, 1], np.concatenate([found[place] for place in frames]))


def _spread_frames(dataset: BaseVideoDataset, video: int, settings: PatchSettings) -> list[int]:
    """Returns frames of a video, each in the middle of an equal part of it."""
    length = len(dataset.get_sequence_info(video)["visible"])
    middles = (np.arange(settings.frames) + 0.5) * length / settings.frames
    return np.unique(middles.astype(int)).tolist()


def _propose_in_frames(
    dataset: BaseVideoDataset, places: list[tuple[int, int]], settings: PatchSettings
) -> dict[tuple[int, int], np.ndarray]:
    return {place: propose_patches(dataset.load_frame(*place), settings) for place in places}


def embedding(features: torch.Tensor) -> torch.Tensor:
    """Returns a unit vector (N, C) for each patch: the mean of its template's features (N, C, h, w) near the middle.

    A quarter of the template on each side shows what is around the target; of that the outer cells are left out.
    """
    rows, columns = (size // 4 for size in features.shape[-2:])
    middle = features[..., rows : features.shape[-2] - rows, columns : features.shape[-1] - columns]
    return F.normalize(middle.mean(dim=(2, 3)), dim=1)


def embed_patches(
    net: SiamFCNet,
    dataset: BaseVideoDataset,
    patches: Patches,
    processing: SiamFCProcessing,
    batch_size: int = 32,
    num_workers: int = 0,
) -> torch.Tensor:
    """Returns the embeddings (P, C), on the CPU, of the templates of all patches, not augmented.

    In a distributed run each process computes its share, and all get all.

    Args:
        net: its ``embed`` makes the features.
        dataset: holds the frames.
        patches: of the data set.
        processing: cuts templates.
        batch_size: patches at once.
        num_workers: processes that read frames.
    """
    device = next(net.parameters()).device
    rank, processes = distributed.rank(), distributed.world_size()
    crops = _Templates(dataset, patches, processing, range(rank, len(patches), processes))
    # Its own generator: a loader draws a seed for its workers even where nothing in them is random.
    loader = DataLoader(crops, batch_size, num_workers=num_workers, generator=torch.Generator())
    with evaluating(net):
        parts = [embedding(net.embed(images.to(device).float())).float().cpu() for images in loader]
    channels = parts[0].shape[1] if parts else 0
    result = torch.empty(0)
    for number, part in enumerate(distributed.gather(torch.cat(parts) if parts else torch.zeros(0, channels))):
        if number == 0:
            result = torch.empty(len(patches), part.shape[1])
        if len(part):
            result[number::processes] = part
    return result


class _Templates(Dataset[torch.Tensor]):
    """The templates (3, Z, Z) uint8 of some patches."""

    def __init__(
        self, dataset: BaseVideoDataset, patches: Patches, processing: SiamFCProcessing, numbers: range
    ) -> None:
        self.dataset = dataset
        self.patches = patches
        self.processing = processing
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> torch.Tensor:
        number = self.numbers[index]
        image = self.dataset.load_frame(int(self.patches.video[number]), int(self.patches.frame[number]))
        return as_tensor(self.processing.template(image, self.patches.box[number])[0])
