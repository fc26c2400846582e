"""The parameters of the ECO tracker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from torch import nn

from pytracking.parameter.params import WHEN_LOST, ParameterError, TrackerParams, check_precision
from pytracking.tracker.eco.features import SideRule
from pytracking.tracker.eco.scale_filter import ScaleFilterSettings
from pytracking.tracker.eco.settings import LearningSettings


@dataclass(kw_only=True)
class ECOParams(TrackerParams):
    """Parameters of ECO; the defaults are those of SoCL-CF, or else of ECO's authors.

    Attributes:
        network: the network whose layers are the features, or the path or name of its checkpoint.
        layers: names of its layers; ``last`` is the last one.
        dimensions: channels that each layer is projected to.
        hand_crafted: names of registered features that need no network, such as ``fhog``; they come before the layers.
        search_area: side of the square sample, as a multiple of the target's mean side.
        side_rule: what the sample's side becomes for a network's cells: ``covering`` as the base of SoCL-CF has it, or
            ``nearest``, which is less for the network to see.
        smallest_side: side in pixels under which the sample does not go: the frame is enlarged instead.
        largest_side: side in pixels beyond which it does not go: the frame is reduced instead.
        scale_num: number of scales that are searched; odd.
        scale_step: ratio of neighbouring scales.
        scale_filter: how a filter finds the scale once the place is known; with it, one scale is enough for the place.
        newton_steps: of the refinement of the score's peak.
        update_every: the filter is updated in every so many frames.
        learning: how the filter is learned.
        min_side: sides in pixels under which the box does not shrink (a smaller first box keeps its own size).
        precision: of the network's convolutions, ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the CPU has it.
        widen_when_lost: search in a grid of windows that grows while the target is lost, and keep size and filter as
            they are; needs a calibration (:mod:`pytracking.confidence`).
    """

    network: str | Path | nn.Module | None = None
    layers: tuple[str, ...] = ("conv1", "layer3")
    dimensions: tuple[int, ...] = (16, 64)
    hand_crafted: tuple[str, ...] = ()
    search_area: float = 4.5
    side_rule: SideRule = "covering"
    smallest_side: float = 200.0
    largest_side: float = 250.0
    scale_num: int = 5
    scale_step: float = 1.02
    scale_filter: ScaleFilterSettings | None = None
    newton_steps: int = 5
    update_every: int = 6
    learning: LearningSettings = field(default_factory=LearningSettings)
    min_side: float = 5.0
    precision: str = "float32"
    widen_when_lost: bool = field(default=False, metadata=WHEN_LOST)

    def __post_init__(self) -> None:
        check_precision(self.precision)
        rules = {
            "scale_num": (self.scale_num >= 1 and self.scale_num % 2 == 1, "an odd number, 1 or more"),
            "side_rule": (self.side_rule in get_args(SideRule), f"one of {', '.join(get_args(SideRule))}"),
            "scale_step": (self.scale_step > 1, "more than 1"),
            "search_area": (self.search_area > 1, "more than 1"),
            "smallest_side": (0 < self.smallest_side <= self.largest_side, "positive and at most largest_side"),
            "newton_steps": (self.newton_steps >= 0, "0 or more"),
            "update_every": (self.update_every >= 1, "1 or more"),
        }
        for name, (holds, wanted) in rules.items():
            if not holds:
                raise ParameterError(f"ECO's {name} must be {wanted}, not {getattr(self, name)!r}")
