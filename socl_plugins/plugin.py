"""The entry point: importing this module registers what the package adds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ltr.registry import TRAIN_SETTINGS
from pytracking.registry import EXPERIMENTS, PARAMETERS
from socl_plugins.soft_contrastive import actor, processing  # noqa: F401  they register themselves

if TYPE_CHECKING:
    from pytracking.tracker.eco.params import ECOParams
    from pytracking.tracker.siamfc import SiamFCParams

# Recipes whose networks SiamFC tracks with under the same name: SoCL's, and the rows above it in the paper's Table 1.
SIAMESE_RECIPES = ("gst", "gst_sns", "gst_sns_mix", "socl_res18")


def learned(recipe: str) -> SiamFCParams:
    """Returns SiamFC's own parameters with the newest best network of ``ltr/run_training.py socl <recipe>``."""
    from pytracking.tracker.siamfc import SiamFCParams

    return SiamFCParams(network=f"socl/{recipe}")


def socl_cf() -> ECOParams:
    """Returns ECO's own parameters with the newest best network of ``ltr/run_training.py socl socl_res18``.

    Its features are those after the first convolution and those that the network was trained to compare.
    """
    from pytracking.tracker.eco.params import ECOParams

    return ECOParams(network="socl/socl_res18", layers=("conv1", "last"))


TRAIN_SETTINGS.search("socl_plugins.train_settings", "run")
EXPERIMENTS.search("socl_plugins.experiments")
for name in SIAMESE_RECIPES:
    PARAMETERS.register(f"siamfc/{name}")(partial(learned, name))
PARAMETERS.register("eco/socl_cf")(socl_cf)
