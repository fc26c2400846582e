"""What learning from clicks gives: a network before and after ``ltr/run_training.py socl socl_res18``."""

from __future__ import annotations

from pytracking.evaluation import SequenceList, Tracker, get_dataset, trackerlist


def synthetic() -> tuple[list[Tracker], SequenceList]:
    """Before and after, on synthetic videos that training never used."""
    return _before_and_after(), get_dataset("synthetic")


def otb() -> tuple[list[Tracker], SequenceList]:
    """Before and after, on OTB-2015."""
    return _before_and_after(), get_dataset("otb")


def table1_synthetic() -> tuple[list[Tracker], SequenceList]:
    """The rows of the paper's Table 1, and the untrained network, on synthetic videos."""
    return _table1(), get_dataset("synthetic")


def table1_otb() -> tuple[list[Tracker], SequenceList]:
    """The rows of the paper's Table 1, and the untrained network, on OTB-2015."""
    return _table1(), get_dataset("otb")


def _table1() -> list[Tracker]:
    rows = {"gst": "GST", "gst_sns": "+ SNS", "gst_sns_mix": "+ mixing"}
    before, after = _before_and_after()
    ladder = [tracker for name, title in rows.items() for tracker in trackerlist("siamfc", name, display_name=title)]
    return [before, *ladder, after]


def _before_and_after() -> list[Tracker]:
    before = trackerlist("siamfc", "untrained_res18", display_name="untrained ResNet-18")
    return before + trackerlist("siamfc", "socl_res18", display_name="SoCL-Siam")
