"""Mining of temporal pairs: where the network as it is finds a patch again in later or earlier frames of its video.

The supplement says that correspondences are mined progressively and that they are noisy. How is our choice: a patch is
followed in hops of some frames, each by one comparison of its template with the region around its last place, for as
long as the way back agrees: the template of the new place, searched for in the first frame, must be found where the
patch is. Each round mines anew, with the better network, and goes farther.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ltr.data.crops import Region
from ltr.data.processing import SiamFCProcessing, as_tensor
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine import distributed
from ltr.models.mode import evaluating
from ltr.models.tracking import SiamFCNet
from socl_plugins.progressive.patches import Patches
from socl_plugins.progressive.sampler import MinedPairs

Crop = tuple[torch.Tensor, Region]


@dataclass(frozen=True)
class MiningSettings:
    """How pairs are mined.

    Attributes:
        hop: frames between two places of a patch.
        hops: how many in the first round; round r makes r times so many.
        tolerance: how far off, in cells along x and y, the way back may end.
    """

    hop: int = 5
    hops: int = 1
    tolerance: float = 1.0

    def __post_init__(self) -> None:
        for name in ("hop", "hops"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} of mining is {getattr(self, name)}; it must be at least 1")
        if not self.tolerance >= 0:
            raise ValueError(f"tolerance of mining is {self.tolerance} cells; it must be 0 or more")


def mine_pairs(
    net: SiamFCNet,
    dataset: BaseVideoDataset,
    patches: Patches,
    processing: SiamFCProcessing,
    settings: MiningSettings = MiningSettings(),
    mining_round: int = 1,
    num_workers: int = 0,
) -> MinedPairs:
    """Returns where patches were found again. In a distributed run each process follows its share; all get all pairs.

    Args:
        net: compares a template with a search crop.
        dataset: holds the frames.
        patches: to be followed.
        processing: cuts both crops; its jitter is left out.
        settings: see :class:`MiningSettings`.
        mining_round: from 1.
        num_workers: processes that read frames.
    """
    still = SiamFCProcessing(replace(processing.crop, scale_jitter=0.0, shift=0.0), processing.template_size)
    own = range(distributed.rank(), len(patches), distributed.world_size())
    clips = _Clips(dataset, patches, own, settings.hop, mining_round * settings.hops)
    # Its own generator: a loader draws a seed for its workers even where nothing in them is random.
    loader = DataLoader(
        clips, batch_size=None, num_workers=num_workers, collate_fn=_as_it_is, generator=torch.Generator()
    )
    found: list[tuple[int, int, list[float]]] = []
    with evaluating(net):
        for number, (frames, images) in zip(own, loader):
            boxes = follow(net, still, images, patches.box[number], settings.tolerance)
            found += [(number, frame, box.tolist()) for frame, box in zip(frames[1:], boxes)]
    pairs = sorted(pair for share in distributed.gather(found) for pair in share)
    if not pairs:
        return MinedPairs.none()
    numbers, others, places = zip(*pairs)
    return MinedPairs(np.array(numbers), np.array(others), np.array(places))


def follow(
    net: SiamFCNet,
    processing: SiamFCProcessing,
    images: Sequence[np.ndarray],
    box: np.ndarray,
    tolerance: float = 1.0,
) -> list[np.ndarray]:
    """Returns the boxes (4,) x, y, w, h in the second image and those after it, for as long as the way back agrees.

    Args:
        net: compares a template with a search crop.
        processing: cuts both, without jitter.
        images: (H, W, 3) uint8 each, in the order in which the patch is followed.
        box: of the patch in the first.
        tolerance: how far off, in cells along x and y, the way back may end.
    """
    rng = np.random.default_rng(0)  # without jitter nothing is left to chance
    template = _features(net, processing.template(images[0], box))
    home = _features(net, processing.search(images[0], box, rng))
    cell = net.stride / home[1].scale
    boxes: list[np.ndarray] = []
    for image in images[1:]:
        place = boxes[-1] if boxes else box
        place = _locate(net, template, _features(net, processing.search(image, place, rng)), place)
        back = _locate(net, _features(net, processing.template(image, place)), home, box)
        # Places are whole cells, and the cell in the middle of a crop can lie half of one beside it.
        if np.abs(back - box).max() > (tolerance + 0.5) * cell:
            break
        boxes.append(place)
    return boxes


def _features(net: SiamFCNet, crop: tuple[np.ndarray, Region]) -> Crop:
    image, region = crop
    return net(as_tensor(image)[None].to(next(net.parameters()).device).float()), region


def _locate(net: SiamFCNet, template: Crop, search: Crop, box: np.ndarray) -> np.ndarray:
    """Returns the box moved to where a template is most like its search crop."""
    response = net.correlate(template[0], search[0])[0, 0]
    row, column = divmod(int(response.argmax()), response.shape[-1])
    # A template's place in the response counts from the crops' corners, and its target is in its middle.
    center = search[1].to_frame(np.array([column, row]) * net.stride + template[1].output_size / 2)
    return np.concatenate([center - box[2:] / 2, box[2:]])


def _as_it_is(clip: Any) -> Any:
    return clip  # frames stay arrays, as crops are cut from them


class _Clips(Dataset[tuple[list[int], list[np.ndarray]]]):
    """Of each patch the frames that it is followed through, towards the end of its video that is farther off."""

    def __init__(self, dataset: BaseVideoDataset, patches: Patches, numbers: range, hop: int, hops: int) -> None:
        self.dataset = dataset
        self.patches = patches
        self.numbers = numbers
        self.hop = hop
        self.hops = hops

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple[list[int], list[np.ndarray]]:
        number = self.numbers[index]
        video, first = int(self.patches.video[number]), int(self.patches.frame[number])
        length = len(self.dataset.get_sequence_info(video)["visible"])
        step = self.hop if 2 * first < length else -self.hop
        frames = [first + step * i for i in range(self.hops + 1) if 0 <= first + step * i < length]
        return frames, [self.dataset.load_frame(video, frame) for frame in frames]
