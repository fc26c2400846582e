"""The entry point: importing this module registers what the package adds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

# Modules that register what they hold.
import socl_plugins.progressive.actor
import socl_plugins.progressive.processing
import socl_plugins.progressive.sampler
import socl_plugins.soft_contrastive.actor
import socl_plugins.soft_contrastive.processing  # noqa: F401
from ltr.registry import TRAIN_SETTINGS
from pytracking.registry import EXPERIMENTS, PARAMETERS

if TYPE_CHECKING:
    from pytracking.tracker.siamfc import SiamFCParams

# Recipes whose networks SiamFC tracks with under the same name.
SIAMESE_RECIPES = {
    "socl": (
        *("gst", "gst_sns", "gst_sns_mix", "full"),  # the rows of SoCL's Table 1
        *("socl_res18", "socl_siamfc", "socl_cf_res18", "box_siam_budget", "bce_siam_res18"),
    ),
    "pul": ("alex_pul", "res_pul", "noisy_box_res18"),
}


def learned(recipe: str) -> SiamFCParams:
    """Returns SiamFC's own parameters with the newest best network of a recipe, such as ``socl/socl_res18``."""
    from pytracking.tracker.siamfc import SiamFCParams

    return SiamFCParams(network=recipe)


TRAIN_SETTINGS.search("socl_plugins.train_settings", "run")
EXPERIMENTS.search("socl_plugins.experiments")
for module, names in SIAMESE_RECIPES.items():
    for name in names:
        PARAMETERS.register(f"siamfc/{name}")(partial(learned, f"{module}/{name}"))
