"""Which tracker of this project stands beside which original, with which settings, and what is aimed for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class PeerError(ValueError):
    """A comparison that cannot be made: a path that is no checkout, frames that are none, a process that died."""


@dataclass(frozen=True)
class Checkout:
    """A project whose trackers are originals.

    Attributes:
        option: of the command line, without dashes, that is given a folder of it.
        source: where it comes from.
        mark: a file that each checkout of it has.
    """

    option: str
    source: str
    mark: str

    def check(self, folder: Path) -> None:
        """Raises PeerError if the folder is no checkout of this project."""
        if not (folder / self.mark).is_file():
            raise PeerError(
                f"--{self.option} {folder} is no checkout of {self.source}: it has no file {self.mark}; "
                f"git clone {self.source}"
            )


@dataclass(frozen=True)
class Pair:
    """A tracker of this project and its original.

    Attributes:
        title: what the table calls it.
        original: what the table calls the original.
        adapter: name of the function in :mod:`benchmarks.peers.originals` that builds the original.
        parameters: parameter set of this project's tracker.
        checkout: what the original needs; none if it is installed with this project.
        network: name of this project's network, if the tracker has one.
        changes: parameters of this project's tracker that are not the set's.
        settings: of the original that are not its own; what they mean is the adapter's matter.
        colour_names: whether this project's ECO is given the table of colour names out of the original's checkout.
        goal: how many times as fast as the original the tracker is to be, if that was set.
    """

    title: str
    original: str
    adapter: str
    parameters: str
    checkout: Checkout | None = None
    network: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    colour_names: bool = False
    goal: float | None = None


PYTRACKING = Checkout("pytracking", "https://github.com/visionml/pytracking", "pytracking/tracker/dimp/dimp.py")
SIAMFC = Checkout("siamfc", "https://github.com/huanglianghua/siamfc-pytorch", "siamfc/siamfc.py")
TRANST = Checkout("transt", "https://github.com/chenxin-dlut/TransT", "pysot_toolkit/trackers/tracker.py")
PYCFTRACKERS = Checkout("pycftrackers", "https://github.com/fengyang95/pyCFTrackers", "lib/eco/tracker.py")
CHECKOUTS = (PYTRACKING, SIAMFC, TRANST, PYCFTRACKERS)

# With weights of no training, the target is always found and never doubted, so that both sides do the same work.
FOUND: dict[str, Any] = {
    "target_not_found_threshold": -1e9,
    "distractor_threshold": 1e9,
    "hard_negative_threshold": 1e9,
}
# The two draw other random numbers. Without any, boxes can be compared.
NOTHING_DRAWN: dict[str, Any] = {
    "use_augmentation": False,
    "augmentation_expansion_factor": 1.0,
    "random_shift_factor": 0.0,
    "num_init_random_boxes": 0,
}


def _dimp(depth: int, drawn: bool, goal: float | None = None) -> Pair:
    fixed = FOUND if drawn else FOUND | NOTHING_DRAWN
    return Pair(
        title=f"DiMP-{depth}" if drawn else f"DiMP-{depth}, nothing drawn at random",
        original="pytracking",
        adapter="pytracking_dimp",
        parameters=f"dimp/dimp{depth}",
        checkout=PYTRACKING,
        network=f"dimpnet{depth}",
        changes=fixed,
        settings=fixed | {"name": f"dimp{depth}"},
        goal=goal,
    )


PAIRS: dict[str, Pair] = {
    "dimp18": _dimp(18, True, goal=2.5),
    "dimp18_fixed": _dimp(18, False),
    "dimp50": _dimp(50, True),
    "dimp50_fixed": _dimp(50, False),
    "siamfc": Pair(
        "SiamFC, AlexNet",
        "siamfc-pytorch",
        "siamfc_pytorch",
        "siamfc/siamfc_pytorch",
        SIAMFC,
        "siamfc_alexnet",
        goal=1.2,
    ),
    "transt": Pair("TransT", "TransT", "transt", "transt/transt50", TRANST, "transt50", goal=1.0),
    "eco": Pair(
        # An update in every sixth frame from the start, as this project has it: the same work on both sides.
        "ECO, its colour names added",
        "pyCFTrackers, updates in every sixth frame",
        "pycftrackers_eco",
        "eco/hog",
        PYCFTRACKERS,
        settings={"skip_after_frame": 1},
        colour_names=True,
        goal=2.0,
    ),
    "eco_published": Pair(
        "ECO, no colour names", "pyCFTrackers", "pycftrackers_eco", "eco/hog", PYCFTRACKERS, goal=2.0
    ),
    "csrt": Pair("CSRT", "OpenCV, called directly", "opencv", "opencv/csrt", settings={"name": "CSRT"}),
    "kcf": Pair("KCF", "OpenCV, called directly", "opencv", "opencv/kcf", settings={"name": "KCF"}),
}
