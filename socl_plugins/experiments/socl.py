"""What learning from clicks gives: a network before and after ``ltr/run_training.py socl socl_res18``."""

from __future__ import annotations

from pytracking.evaluation import SequenceList, Tracker, get_dataset, trackerlist


def synthetic() -> tuple[list[Tracker], SequenceList]:
    """Before and after, on synthetic videos that training never used."""
    return _before_and_after(), get_dataset("synthetic")


def otb() -> tuple[list[Tracker], SequenceList]:
    """Before and after, on OTB-2015."""
    return _before_and_after(), get_dataset("otb")


def _before_and_after() -> list[Tracker]:
    before = trackerlist("siamfc", "untrained_res18", display_name="untrained ResNet-18")
    return before + trackerlist("siamfc", "socl_res18", display_name="SoCL-Siam")
