"""What tracking gives before any learning from video: the figures that training has to beat."""

from __future__ import annotations

from pytracking.evaluation import SequenceList, Tracker, get_dataset, trackerlist


def synthetic() -> tuple[list[Tracker], SequenceList]:
    """SiamFC on an untrained ResNet-18, on synthetic videos: needs no data and no download."""
    return trackerlist("siamfc", "untrained_res18", display_name="untrained ResNet-18"), get_dataset("synthetic")


def otb() -> tuple[list[Tracker], SequenceList]:
    """SiamFC on a ResNet-18, untrained and trained on ImageNet, on OTB-2015."""
    trackers = trackerlist("siamfc", "untrained_res18", display_name="untrained ResNet-18")
    trackers += trackerlist("siamfc", "imagenet_res18", display_name="ImageNet ResNet-18")
    return trackers, get_dataset("otb")
