"""The entry point: importing this module registers what the package adds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

# Modules that register what they hold.
import socl_plugins.dimp
import socl_plugins.progressive.actor
import socl_plugins.progressive.processing
import socl_plugins.progressive.sampler
import socl_plugins.soft_contrastive.actor
import socl_plugins.soft_contrastive.processing  # noqa: F401
from ltr.registry import RUN_HOOKS, TRAIN_SETTINGS
from pytracking.registry import CLICK_TO_BOX, EXPERIMENTS, PARAMETERS
from socl_plugins.clicks.cost_hook import RecordLabelCost

if TYPE_CHECKING:
    import numpy as np

    from pytracking.tracker.dimp import DiMPParams
    from pytracking.tracker.eco.params import ECOParams
    from pytracking.tracker.siamfc import SiamFCParams
    from pytracking.tracker.transt import TransTParams

# Recipes whose networks SiamFC tracks with under the same name.
SIAMESE_RECIPES = {
    "socl": (
        *("gst", "gst_sns", "gst_sns_mix", "full"),  # the rows of SoCL's Table 1
        *("socl_res18", "socl_response", "socl_siamfc", "socl_cf_res18", "box_siam_budget", "bce_siam_res18"),
        "bce_siam_alexnet",
    ),
    "pul": ("alex_pul", "res_pul", "noisy_box_res18"),
}

TRANST_RECIPES = ("socl_transt", "box_same_hours")  # likewise, of TransT


def learned(recipe: str) -> SiamFCParams:
    """Returns SiamFC's own parameters with the newest best network of a recipe, such as ``socl/socl_res18``."""
    from pytracking.tracker.siamfc import SiamFCParams

    return SiamFCParams(network=recipe)


def learned_transt(recipe: str) -> TransTParams:
    """Returns TransT's own parameters with the newest best network of ``ltr/run_training.py transt <recipe>``."""
    from pytracking.tracker.transt import TransTParams

    return TransTParams(network=f"transt/{recipe}")


@CLICK_TO_BOX.register("top_map")
def top_map_box(image: np.ndarray, click: tuple[float, float]) -> np.ndarray:
    """Returns the mean box (4,) of the click's TOP map: its proposals, weighted with their objectness."""
    from socl_plugins.top_map import propose_target

    return propose_target(image, click).mean_box()


def socl_cf() -> ECOParams:
    """Returns SoCL-CF: ECO on histograms and the newest best network of ``ltr/run_training.py socl socl_cf_res18``."""
    from pytracking.tracker.eco.params import ECOParams

    return ECOParams(network="socl/socl_cf_res18", hand_crafted=("fhog",))


def socl_cf_network_only() -> ECOParams:
    """Returns the parameters of ``eco/socl_cf`` without histograms, and with the nearest side for the sample."""
    return replace(socl_cf(), hand_crafted=(), side_rule="nearest")


def socl_dimp() -> DiMPParams:
    """Returns the parameters of ``dimp18`` with the newest best network of ``ltr/run_training.py dimp socl_dimp18``."""
    from pytracking.parameter.dimp import dimp18

    return replace(dimp18.parameters(), network="dimp/socl_dimp18")


RUN_HOOKS.register("label_cost")(RecordLabelCost)
TRAIN_SETTINGS.search("socl_plugins.train_settings", "run")
EXPERIMENTS.search("socl_plugins.experiments")
for module, names in SIAMESE_RECIPES.items():
    for name in names:
        PARAMETERS.register(f"siamfc/{name}")(partial(learned, f"{module}/{name}"))
for name in TRANST_RECIPES:
    PARAMETERS.register(f"transt/{name}")(partial(learned_transt, name))
PARAMETERS.register("eco/socl_cf")(socl_cf)
PARAMETERS.register("eco/socl_cf_network_only")(socl_cf_network_only)
PARAMETERS.register("dimp/socl_dimp18")(socl_dimp)
