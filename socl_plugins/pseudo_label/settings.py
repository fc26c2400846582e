"""The ways to make pseudo boxes, by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ltr.registry import near_names
from pytracking.evaluation.run_key import content_key
from pytracking.evaluation.tracker import Tracker
from socl_plugins.pseudo_label.fuse import FuseSettings

Source = Literal["forwards", "both", "interpolation", "top_map"]


@dataclass(frozen=True)
class PseudoBoxSettings:
    """How pseudo boxes are made.

    Attributes:
        source: ``forwards``: a tracker from each box to the next; ``both``: also back from each to the one before;
            ``interpolation``: sizes between those of the boxes, no tracker; ``top_map``: the TOP map of each click.
        tracker: a registered tracker.
        parameters: its parameter set.
        failure_px: a tracker whose centre is farther than this from the click has failed.
        follow_clicks: the tracker is moved to the click in every frame, so that it looks for the size only.
        fuse: how one box comes of it.
        alpha: threshold of TOP maps, see :func:`socl_plugins.top_map.box.top_map_box`.
    """

    source: Source = "both"
    tracker: str = "siamfc"
    parameters: str = "sizes_res18"
    failure_px: float = 20.0
    follow_clicks: bool = True
    fuse: FuseSettings = field(default_factory=FuseSettings)
    alpha: float = 0.5

    def __post_init__(self) -> None:
        if not self.failure_px > 0:
            raise ValueError(f"failure_px is {self.failure_px}; it is a distance in pixels, above 0")
        if not 0 < self.alpha <= 1:
            raise ValueError(f"alpha is {self.alpha}; it is a part of the map's peak, in (0, 1]")

    def named_tracker(self) -> Tracker | None:
        """Returns the tracker to run, if any is."""
        return Tracker(self.tracker, self.parameters) if self.source in ("forwards", "both") else None

    def tracker_key(self) -> str:
        """Returns a text that changes with the tracker's parameters and weights; empty where none is run."""
        tracker = self.named_tracker()
        return content_key(tracker, tracker.parameters())[0] if tracker else ""


TRACKED = PseudoBoxSettings(
    source="both",
    parameters="imagenet_res18_unit",
    follow_clicks=False,
    fuse=FuseSettings(centers="tracked", size_trust=1.0),
)
METHODS = {
    "fused": PseudoBoxSettings(),
    "tracked": TRACKED,
    "smooth": replace(TRACKED, fuse=FuseSettings(centers="smooth", size_trust=1.0)),
    "paper": replace(TRACKED, source="forwards", tracker="eco", parameters="socl_cf"),
    "forwards": replace(TRACKED, source="forwards"),
    "interpolation": PseudoBoxSettings(source="interpolation"),
    "top_map": PseudoBoxSettings(source="top_map"),
}
"""``paper``: SoCL, section 3.3, by SoCL-CF. All others are ours. ``forwards`` is the same by SiamFC on ImageNet's
features, and ``tracked`` adds the way back. ``fused``, the default, trusts clicks for the centre:
better where they are some three pixels off at most, worse beyond. ``smooth`` lies between these two, and was best at
none of the noises of the clicks that were tried. ``interpolation`` is what all have to beat: it needs no tracker."""


def method_settings(name: str) -> PseudoBoxSettings:
    """Returns the settings of a method.

    Raises:
        ValueError: there is no such method.
    """
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}.{near_names(name, METHODS)} Known: {', '.join(METHODS)}.")
    return METHODS[name]


def describe(settings: PseudoBoxSettings, period: int | None, noise_px: float, seed: int = 0) -> dict[str, Any]:
    """Returns, as plain data, what pseudo boxes depend on besides the videos: what a store says of itself."""
    return {
        "period": period,
        "noise_px": noise_px,
        "seed": seed,
        "settings": asdict(settings),
        "tracker_key": settings.tracker_key(),
    }
