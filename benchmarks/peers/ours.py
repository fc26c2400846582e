"""The process of one of this project's trackers; its one argument is JSON: see :class:`About`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.peers import weights  # noqa: E402
from benchmarks.peers.colour_names import ColourNames, WithColourNames, read_table  # noqa: E402
from benchmarks.peers.serve import claim_answers, serve  # noqa: E402
from ltr.admin.checkpoint import load_network  # noqa: E402
from ltr.models.builder import build_network  # noqa: E402
from ltr.registry import load_plugins  # noqa: E402
from pytracking.registry import PARAMETERS, TRACKERS  # noqa: E402
from pytracking.tracker.base import BaseTracker  # noqa: E402
from pytracking.tracker.eco.hog import HogFeatures  # noqa: E402
from pytracking.tracker.eco.tracker import ECOTracker  # noqa: E402


@dataclass(frozen=True)
class About:
    """A tracker.

    Attributes:
        parameters: its parameter set, such as ``dimp/dimp18``.
        network: name of the network, if it has one.
        changes: of its parameters.
        colour_names: checkout of pyCFTrackers whose table of colour names is added to ECO's features, if any.
        weights: file of published weights; none: they are drawn.
        seed: for that.
        threads: of torch and OpenCV.
    """

    parameters: str
    network: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    colour_names: str | None = None
    weights: str | None = None
    seed: int = 0
    threads: int = 1


class OurTracker:
    """A tracker of this project, as it is served."""

    def __init__(self, tracker: BaseTracker) -> None:
        self.tracker = tracker

    def start(self, frame: np.ndarray, box: list[float]) -> None:
        """Begins on a frame."""
        self.tracker.initialize(frame, {"init_bbox": box})

    def track(self, frame: np.ndarray) -> list[float]:
        """Returns the box in the next frame."""
        found: list[float] = self.tracker.track(frame)["target_bbox"]
        return found


def built(about: About) -> tuple[OurTracker, dict[str, int]]:
    """Returns the tracker, and checksums of its network's weights."""
    load_plugins()
    changes: dict[str, Any] = {"device": "cpu", **about.changes}
    sums: dict[str, int] = {}
    if about.network is not None:
        if about.weights is None:
            network = build_network(about.network)
            weights.fill(network, about.seed)
        else:
            network = load_network(about.weights)
        changes["network"] = network.eval()
        sums = weights.checksums(network)
    params: Any = replace(PARAMETERS[about.parameters](), **changes)
    if about.colour_names is not None:
        features = WithColourNames([ColourNames(read_table(Path(about.colour_names))), HogFeatures((6,))])
        return OurTracker(ECOTracker(params, features)), sums
    return OurTracker(TRACKERS[about.parameters.split("/")[0]](params)), sums


def main() -> None:
    """Builds the tracker and serves it."""
    answers = claim_answers()
    about = About(**json.loads(sys.argv[1]))
    torch.set_num_threads(about.threads)
    cv2.setNumThreads(about.threads)
    tracker, sums = built(about)
    serve(tracker, sums, answers)


if __name__ == "__main__":
    main()
