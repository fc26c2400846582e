"""The entry point: importing this module registers what the package adds, and imports none of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ltr.registry import ACTORS, HELD_OUT_SCORES, HOOKS, LABELS, PROCESSINGS, RUN_HOOKS, SAMPLERS, TRAIN_SETTINGS
from pytracking.registry import CLICK_TO_BOX, EXPERIMENTS, PARAMETERS, REPORT_COLUMNS

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
        *("bce_siam_imagenet", "bce_siam_alexnet", "as_printed"),
    ),
    "pul": ("alex_pul", "res_pul", "noisy_box_res18", "noisy_box_alexnet"),
}

TRANST_RECIPES = ("socl_transt", "box_same_hours")  # of TransT, in the same way


def learned(recipe: str) -> Callable[[], SiamFCParams]:
    """Returns the parameter set of SiamFC with the newest best network of a recipe, such as ``socl/socl_res18``."""

    def parameters() -> SiamFCParams:
        from pytracking.tracker.siamfc import SiamFCParams

        return SiamFCParams(network=recipe)

    parameters.__doc__ = f"SiamFC with the newest best network of `ltr/run_training.py {recipe.replace('/', ' ')}`."
    return parameters


def learned_transt(recipe: str) -> Callable[[], TransTParams]:
    """Returns the parameter set of TransT with the newest best network of a recipe, such as ``transt/socl_transt``."""

    def parameters() -> TransTParams:
        from pytracking.tracker.transt import TransTParams

        return TransTParams(network=recipe)

    parameters.__doc__ = f"TransT with the newest best network of `ltr/run_training.py {recipe.replace('/', ' ')}`."
    return parameters


@CLICK_TO_BOX.register("top_map")
def click_box(image: np.ndarray, click: tuple[float, float]) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of the click's TOP map."""
    from socl_plugins.top_map import propose_target
    from socl_plugins.top_map.box import top_map_box

    return top_map_box(propose_target(image, click))


def socl_cf() -> ECOParams:
    """SoCL-CF: ECO on histograms and the newest best network of `ltr/run_training.py socl socl_cf_res18`."""
    from pytracking.tracker.eco.params import ECOParams

    return ECOParams(network="socl/socl_cf_res18", hand_crafted=("fhog",))


def socl_cf_network_only() -> ECOParams:
    """SoCL-CF on the network alone: `eco/socl_cf` without histograms, which is faster."""
    return replace(socl_cf(), hand_crafted=(), side_rule="nearest")


def socl_dimp() -> DiMPParams:
    """The parameters of dimp18 with the newest best network of `ltr/run_training.py dimp socl_dimp18`."""
    from pytracking.parameter.dimp import dimp18

    return replace(dimp18.parameters(), network="dimp/socl_dimp18")


CLICK_TO_BOX.refer("learned", "socl_plugins.click_box.estimate:learned_box")
CLICK_TO_BOX.refer("default", "socl_plugins.click_box.estimate:default_box")
ACTORS.refer("socl", "socl_plugins.soft_contrastive.actor:SoCLActor")
ACTORS.refer("noise_robust", "socl_plugins.progressive.actor:NoiseRobustActor")
ACTORS.refer("progressive", "socl_plugins.progressive.actor:ProgressiveActor")
ACTORS.refer("weak_dimp", "socl_plugins.dimp.actor:WeakDiMPActor")
ACTORS.refer("noise_robust_dimp", "socl_plugins.dimp.actor:NoiseRobustDiMPActor")
PROCESSINGS.refer("soft_contrastive", "socl_plugins.soft_contrastive.processing:SoftContrastiveProcessing")
PROCESSINGS.refer("progressive", "socl_plugins.progressive.processing:ProgressiveProcessing")
PROCESSINGS.refer("weak_dimp", "socl_plugins.dimp.processing:WeakDiMPProcessing")
SAMPLERS.refer("anchor", "socl_plugins.progressive.sampler:AnchorSampler")
HELD_OUT_SCORES.refer("click_precision", "socl_plugins.clicks.click_precision:click_precision")
LABELS.refer("clicks", "socl_plugins.top_map.training_clicks:training_clicks")
LABELS.refer("boxes_within_budget", "socl_plugins.clicks.budget:boxes_within_budget")
LABELS.refer("noisy_boxes", "socl_plugins.clicks.noisy_boxes:noisy_boxes")
LABELS.refer("top_map_boxes", "socl_plugins.pseudo_label.training_boxes:top_map_boxes")
LABELS.refer("pseudo_boxes", "socl_plugins.pseudo_label.training_boxes:pseudo_boxes")
LABELS.refer("boxes_for_same_hours", "socl_plugins.pseudo_label.training_boxes:boxes_for_same_hours")
LABELS.refer("clicks_and_boxes", "socl_plugins.dimp.annotated:clicks_and_boxes")
LABELS.refer("none", "socl_plugins.progressive.patches:Unlabelled")
HOOKS.refer("sample_pictures", "socl_plugins.soft_contrastive.pictures_hook:SamplePictures")
HOOKS.refer("mine_pairs", "socl_plugins.progressive.hooks:MinePairs")
HOOKS.refer("refresh_neighbours", "socl_plugins.progressive.hooks:RefreshNeighbours")
HOOKS.refer("start_backbone", "socl_plugins.dimp.start:StartBackbone")
RUN_HOOKS.refer("label_cost", "socl_plugins.clicks.cost_hook:RecordLabelCost")
REPORT_COLUMNS.refer("label_cost", "socl_plugins.clicks.label_cost:label_cost_columns")
TRAIN_SETTINGS.search("socl_plugins.train_settings", "RECIPE", "run")
EXPERIMENTS.search("socl_plugins.experiments")
for module, names in SIAMESE_RECIPES.items():
    for name in names:
        PARAMETERS.register(f"siamfc/{name}")(learned(f"{module}/{name}"))
for name in TRANST_RECIPES:
    PARAMETERS.register(f"transt/{name}")(learned_transt(f"transt/{name}"))
PARAMETERS.register("eco/socl_cf")(socl_cf)
PARAMETERS.register("eco/socl_cf_network_only")(socl_cf_network_only)
PARAMETERS.register("dimp/socl_dimp18")(socl_dimp)
