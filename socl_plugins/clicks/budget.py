"""The same cost for different labels: as many videos, or as many frames of each, as the money is enough for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ltr.config.errors import SettingsError
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.dataset.some_videos import SomeVideos, name_rank, random_order
from ltr.registry import LABELS
from socl_plugins.clicks.costs import LabelCounts, Prices, annotation_cost, count_labels

HOURS_ROUNDING = 1e-9  # so that the whole budget is enough for all videos, whatever their sum is rounded to


def dataset_labels(dataset: BaseVideoDataset) -> LabelCounts:
    """Returns how many labels people gave for a data set: a click on each valid frame, or, where there are none, a box.

    A data set that says which frames people drew boxes on (``has_box``) shows these, and clicks on its other frames.
    One that no longer shows what people gave has it in an attribute ``labels_given``.
    """
    given: LabelCounts | None = getattr(dataset, "labels_given", None)
    if given is not None:
        return given
    return sum((video_labels(dataset, video) for video in range(dataset.get_num_sequences())), LabelCounts())


def video_labels(dataset: BaseVideoDataset, seq_id: int) -> LabelCounts:
    """Returns how many labels one video of a data set shows."""
    info = dataset.get_sequence_info(seq_id)
    if "has_box" in info:
        boxes = int((info["valid"] & info["has_box"]).sum())
        clicks = int(info["valid"].sum()) - boxes
        return LabelCounts(clicks=clicks, boxes=boxes, top_maps=clicks, tracked_frames=clicks + boxes)
    counts = count_labels("point" if "point" in info else "box", int(info["valid"].sum()))
    if "size_told" in info:  # by a second click each
        counts += LabelCounts(clicks=int(info["size_told"].sum()))
    return counts


class WithinBudget(SomeVideos):
    """Whole videos, in a random order, up to a number of annotation hours (SoCL, section 4.3).

    A larger budget has all the videos of a smaller one with the same seed.

    Args:
        dataset: what it shows says what is paid for: clicks or boxes.
        hours: of annotation; the videos stop before the one that would go beyond it.
        seed: of the order.
        prices: by default the paper's.

    Raises:
        ValueError: the hours are not enough for one video.
    """

    def __init__(self, dataset: BaseVideoDataset, hours: float, seed: int = 0, prices: Prices | None = None) -> None:
        order, videos = random_order(dataset, seed), []
        self.labels = LabelCounts()
        for video in order:
            more = self.labels + video_labels(dataset, video)
            if annotation_cost(more, prices).hours > hours:
                break
            videos.append(video)
            self.labels = more
        if not videos:
            least = annotation_cost(video_labels(dataset, order[0]), prices)
            raise ValueError(f"{hours:g} hours are not enough for one video of {dataset.name}, which costs {least}")
        super().__init__(dataset, videos)


class FewerFrames(AnnotationWrapper):
    """All videos with labels on a part of the frames, such as 1 / 4.5 (SoCL, section I). The others show no target.

    A larger part has all the frames of a smaller one with the same seed. At least two frames of a video keep theirs.

    Args:
        dataset: the videos.
        part: of the labelled frames that keep their labels, in (0, 1].
        seed: of which frames these are.
    """

    def __init__(self, dataset: BaseVideoDataset, part: float, seed: int = 0) -> None:
        super().__init__(dataset)
        if not 0 < part <= 1:
            raise ValueError(f"part is {part}; it is a part of the frames, in (0, 1]")
        self.part = part
        self.seed = seed

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        """Returns what is known of a video; frames without their labels are neither valid nor visible."""
        info = dict(self.dataset.get_sequence_info(seq_id))
        kept = torch.zeros_like(info["valid"])
        labelled = torch.nonzero(info["valid"]).flatten()
        order = np.random.default_rng(name_rank(self.seed, self.sequence_name(seq_id))).permutation(len(labelled))
        kept[labelled[torch.from_numpy(order[: max(round(self.part * len(labelled)), 2)])]] = True
        info["valid"] = kept
        info["visible"] = info["visible"] & kept
        for name in ("bbox", "point"):
            if name in info:
                info[name] = torch.where(kept[:, None], info[name], torch.full_like(info[name], float("nan")))
        return info


@dataclass(frozen=True)
class Budget:
    """How many labels are learned from; by default all.

    Attributes:
        hours: learn from as many whole videos as so many hours of annotation are enough for; none: from all.
        part: the same, for this part of the hours that clicks on all frames would cost; not beside ``hours``.
        seed: of the choice of videos, and of frames; none: the run's seed, so that the spread over seeds is also that
            of the choice.
        frame_part: the part of each video's frames whose labels are used.
    """

    hours: float | None = None
    part: float | None = None
    seed: int | None = None
    frame_part: float = 1.0

    def __post_init__(self) -> None:
        if self.part is not None and self.hours is not None:
            raise SettingsError("budget.part and budget.hours both say how much is paid for: set one of them")
        for name in ("hours", "part"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise SettingsError(f"budget.{name} is {value}, but must be positive")
        if self.part is not None and self.part > 1:
            raise SettingsError(f"budget.part is {self.part}; it is a part of the hours, in (0, 1]")
        if self.seed is not None and self.seed < 0:
            raise SettingsError(f"budget.seed is {self.seed}; a seed is at least 0")
        if not 0 < self.frame_part <= 1:
            raise SettingsError(f"budget.frame_part is {self.frame_part}; it is a part of the frames, in (0, 1]")

    def of(self, dataset: BaseVideoDataset, seed: int) -> BaseVideoDataset:
        """Returns what of a data set is learned from; what it shows, clicks or boxes, says what is paid for.

        Args:
            dataset: all that there is.
            seed: of the run.
        """
        chosen = seed if self.seed is None else self.seed
        hours = self.hours
        if self.part is not None:
            frames = sum(int(dataset.get_sequence_info(video)["valid"].sum()) for video in range(len(dataset)))
            hours = self.part * annotation_cost(count_labels("point", frames)).hours + HOURS_ROUNDING
        if self.frame_part != 1:
            dataset = FewerFrames(dataset, self.frame_part, chosen)
        if hours is not None:  # of what is left: labels that are not used are not paid for
            dataset = WithinBudget(dataset, hours, chosen)
        return dataset


@LABELS.register("boxes_within_budget")
def boxes_within_budget(dataset: BaseVideoDataset, seed: int, budget: Budget = Budget()) -> BaseVideoDataset:
    """The boxes that a budget is enough for.

    Args:
        dataset: shows boxes.
        seed: of the run.
        budget: what is paid for.
    """
    return budget.of(dataset, seed)
